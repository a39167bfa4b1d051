//! What tests let lookups find and models say.

use vrl::value::Value;

use super::Wiring;
use crate::{
    config::{Mistake, did_you_mean},
    enrich::Lookup,
    infer::Inference,
};

impl Wiring<'_> {
    /// Checks that what tests let lookups find fits the store's fields.
    pub fn givens(&mut self, lookups: &[Lookup]) {
        for (name, value) in self.file.tests.iter().flat_map(|test| &test.given) {
            let Some(lookup) = lookups.iter().find(|lookup| *lookup.name == *name.text) else { continue };
            if let Err(reason) = lookup.shape.accepts(value) {
                let message = format!("`{}` cannot find this: {reason}", name.text);
                self.mistakes.push(Mistake::new(name.span.clone(), message));
            }
        }
    }

    /// Checks that what tests let models say is something they can say.
    pub fn stubs(&mut self, models: &[Inference]) {
        for (name, value) in self.file.tests.iter().flat_map(|test| &test.predict) {
            let Some(model) = models.iter().find(|model| *model.name == *name.text) else { continue };
            let kind = model.outputs.kind();
            let fields =
                kind.as_object().map(|object| object.known().keys().map(ToString::to_string).collect::<Vec<_>>());
            let known = fields.unwrap_or_default();
            let said = value.as_object().map(|object| object.keys().map(|key| key.to_string()).collect::<Vec<_>>());
            match said {
                None => {
                    let message =
                        format!("what `{}` says must be a mapping, such as {{ probability: 0.8 }}", name.text);
                    self.mistakes.push(Mistake::new(name.span.clone(), message));
                }
                Some(said) => {
                    for field in said.iter().filter(|field| !known.contains(field)) {
                        let message = format!("`{}` never says `{field}`", name.text);
                        let help = did_you_mean(field, known.iter().map(String::as_str))
                            .unwrap_or_else(|| format!("it says: {}", known.join(", ")));
                        self.mistakes.push(Mistake::new(name.span.clone(), message).help(help));
                    }
                }
            }
        }
    }
}

/// Makes whole numbers floats where a model's field is one, as people write `1` for `1.0`.
pub(crate) fn fit_prediction(model: &Inference, value: Value) -> Value {
    let kind = model.outputs.kind();
    let Value::Object(said) = value else { return value };
    let fitted = said.into_iter().map(|(name, value)| {
        let float = kind.as_object().and_then(|object| object.known().get(&name.to_string().into()).cloned());
        match (float, &value) {
            (Some(float), Value::Integer(number)) if float.is_float() => {
                (name, Value::from_f64_or_zero(*number as f64))
            }
            _ => (name, value),
        }
    });
    Value::Object(fitted.collect())
}
