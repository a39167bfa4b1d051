//! The fields of a schema, and whether declared ones are among them.

use apache_avro::schema::{NamesRef, RecordField, ResolvedSchema, Schema};

use super::wire::{Meaning, meaning, text};
use crate::{
    config::did_you_mean,
    types::{Base, FieldType, Fields},
};

/// What is wrong: with a declared field, or with the schema.
pub(crate) struct Unfit {
    /// The declared field's place.
    pub field: Option<usize>,
    pub reason: String,
    pub help: Option<String>,
}

/// Returns the declared fields if the schema can give them; without any, those of the schema.
pub(super) fn fields(schema: &Schema, declared: Option<&Fields>) -> Result<Fields, Vec<Unfit>> {
    let of_schema = |reason: String| vec![Unfit { field: None, reason, help: None }];
    let resolved = ResolvedSchema::new(schema).map_err(|error| of_schema(error.to_string()))?;
    let Schema::Record(record) = schema else {
        return Err(of_schema("its top must be a record".to_owned()));
    };
    let known = |field: &RecordField| (field.name.clone(), field_type(&field.schema, resolved.get_names()));
    let known = Fields(record.fields.iter().map(known).collect());
    let Some(declared) = declared else { return Ok(known) };
    let unfit = declared.0.iter().enumerate().filter_map(|(place, (name, wanted))| {
        let field = Some(place);
        let Some(found) = known.get(name) else {
            let reason = format!("the schema has no field `{name}`");
            let list = || format!("it has: {}", known.names().collect::<Vec<_>>().join(", "));
            return Some(Unfit { field, reason, help: did_you_mean(name, known.names()).or_else(|| Some(list())) });
        };
        if becomes(found.base, wanted.base) {
            return None;
        }
        let reason = format!("`{name}` is declared as {wanted}, and is {found} in the schema");
        Some(Unfit { field, reason, help: Some(format!("declare it as {found}")) })
    });
    let unfit: Vec<Unfit> = unfit.collect();
    if unfit.is_empty() { Ok(declared.clone()) } else { Err(unfit) }
}

/// Tells whether a value of one type may fit another.
fn becomes(found: Base, wanted: Base) -> bool {
    let numbers = matches!((found, wanted), (Base::Integer, Base::Float));
    let moments = wanted == Base::Timestamp && matches!(found, Base::Integer | Base::Float | Base::String);
    found == wanted || wanted == Base::Any || found == Base::Any || numbers || moments
}

fn field_type(schema: &Schema, names: &NamesRef<'_>) -> FieldType {
    let base = match schema {
        Schema::Ref { name } => return names.get(name).map_or(ANYTHING, |schema| field_type(schema, names)),
        Schema::Union(union) => {
            let nullable = union.variants().contains(&Schema::Null);
            let others: Vec<&Schema> = union.variants().iter().filter(|branch| **branch != Schema::Null).collect();
            let base = match others.as_slice() {
                [only] => field_type(only, names).base,
                _ => Base::Any,
            };
            return FieldType { base, nullable };
        }
        Schema::Null => return ANYTHING,
        Schema::Boolean => Base::Boolean,
        Schema::Array(_) => Base::Array,
        Schema::Map(_) | Schema::Record(_) => Base::Object,
        other => match meaning(other) {
            Some(Meaning::Number) => Base::Integer,
            Some(Meaning::Float) => Base::Float,
            Some(Meaning::Millis | Meaning::Micros | Meaning::Nanos) => Base::Timestamp,
            Some(Meaning::Date) => Base::String,
            None if text(other).is_some() || matches!(other, Schema::Enum(_)) => Base::String,
            None => Base::Any,
        },
    };
    FieldType { base, nullable: false }
}

const ANYTHING: FieldType = FieldType { base: Base::Any, nullable: true };
