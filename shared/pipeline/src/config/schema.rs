//! The JSON Schema of the pipeline file, for editors.

/// Returns the JSON Schema (draft 2020-12) of `pipeline.yaml`.
///
/// ```
/// let schema: serde_json::Value = serde_json::from_str(fourstroke::config::schema()).unwrap();
/// assert_eq!(schema["title"], "fourstroke pipeline");
/// ```
pub fn schema() -> &'static str {
    include_str!("schema.json")
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, path::Path};

    use serde_json::Value;

    use super::*;
    use crate::config::{on_error, parse, resources, state, strokes, tests_section, yaml};

    /// The file is read by hand-written code; this holds the schema to the same keys.
    #[test]
    fn schema_and_reader_know_the_same_keys() {
        let schema: Value = serde_json::from_str(schema()).expect("the schema is JSON");
        let sections: [(&str, &[&str]); 17] = [
            ("", parse::TOP),
            ("/$defs/resourceObject", resources::RESOURCE),
            ("/properties/event", parse::EVENT),
            ("/properties/outcome", parse::OUTCOME),
            ("/properties/log", parse::LOG),
            ("/properties/on_error", on_error::ON_ERROR),
            ("/properties/slo", parse::SLO),
            ("/$defs/lookup", strokes::LOOKUP),
            ("/$defs/cache", strokes::CACHE),
            ("/$defs/window", state::WINDOW),
            ("/$defs/model", strokes::MODEL),
            ("/properties/act", strokes::ACT),
            ("/$defs/rule", strokes::RULE),
            ("/$defs/limit", state::LIMIT),
            ("/$defs/once", state::ONCE),
            ("/$defs/test", tests_section::TEST),
            ("/$defs/expect", tests_section::EXPECT),
        ];
        for (place, keys) in sections {
            let section = schema.pointer(place).unwrap_or_else(|| panic!("the schema has no {place}"));
            let known: BTreeSet<&str> =
                section["properties"].as_object().expect("properties").keys().map(String::as_str).collect();
            assert_eq!(known, keys.iter().copied().collect(), "at {place}");
            assert_eq!(section["additionalProperties"], false, "at {place}");
        }
    }

    #[test]
    fn every_example_is_valid() {
        let schema: Value = serde_json::from_str(schema()).expect("the schema is JSON");
        let validator = jsonschema::validator_for(&schema).expect("the schema is a schema");
        let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
        let mut seen = 0;
        for directory in std::fs::read_dir(examples).expect("there are examples") {
            let path = directory.expect("a directory").path().join("pipeline.yaml");
            // Some are in Rust.
            let Ok(text) = std::fs::read_to_string(&path) else { continue };
            let text: std::sync::Arc<str> = text.into();
            let file = yaml::read(&text).unwrap_or_else(|mistake| panic!("{}: {mistake:?}", path.display()));
            let file = serde_json::to_value(file.value()).expect("JSON");
            let errors: Vec<String> =
                validator.iter_errors(&file).map(|error| format!("{}: {error}", error.instance_path())).collect();
            assert!(errors.is_empty(), "{}: {errors:#?}", path.display());
            seen += 1;
        }
        assert!(seen > 0);
    }
}
