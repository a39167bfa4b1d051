//! Where what came out differs from what was expected, path by path.

use fourstroke::{Value as Field, types::timestamp};
use serde::Serialize;
use serde_json::Value;

/// One place where something else came out.
#[derive(Debug, PartialEq, Serialize)]
pub struct Difference {
    /// The place, such as `data.seats`.
    pub path: String,
    /// What was expected there.
    pub expected: Value,
    /// What is there; none: nothing.
    pub got: Option<Value>,
}

/// Notes where `got` lacks something of `expected`, or has something else. Objects may hold more than is expected;
/// arrays may not.
pub fn compare(path: &str, expected: &Value, got: Option<&Value>, differences: &mut Vec<Difference>) {
    match (expected, got) {
        (Value::Object(expected), Some(Value::Object(got))) => {
            for (name, expected) in expected {
                compare(&format!("{path}.{name}"), expected, got.get(name), differences);
            }
        }
        (Value::Array(expected), Some(Value::Array(got))) if expected.len() == got.len() => {
            for (place, (expected, got)) in expected.iter().zip(got).enumerate() {
                compare(&format!("{path}[{place}]"), expected, Some(got), differences);
            }
        }
        (expected, Some(got)) if same(expected, got) => {}
        (Value::Null, None) => {}
        (expected, got) => {
            differences.push(Difference { path: path.to_owned(), expected: expected.clone(), got: got.cloned() })
        }
    }
}

/// Compares scalars: 1 and 1.0 are the same, and so is a moment however it is written. Whole numbers are compared exactly:
/// they may be ids.
fn same(expected: &Value, got: &Value) -> bool {
    let whole = |value: &Value| value.is_i64() || value.is_u64();
    if whole(expected) && whole(got) {
        return expected == got;
    }
    if let (Some(expected), Some(got)) = (expected.as_f64(), got.as_f64()) {
        // What a person writes down has fewer digits than what came out.
        const CLOSE: f64 = 1e-9;
        return (expected - got).abs() <= CLOSE * expected.abs().max(1.0);
    }
    if let (Value::String(expected), Value::String(got)) = (expected, got) {
        let moment = |text: &str| timestamp(&Field::from(text));
        return expected == got || moment(expected).is_some_and(|expected| Some(expected) == moment(got));
    }
    expected == got
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn paths(expected: Value, got: Value) -> Vec<String> {
        let mut differences = Vec::new();
        compare("data", &expected, Some(&got), &mut differences);
        differences.into_iter().map(|difference| difference.path).collect()
    }

    #[test]
    fn every_difference_is_named_by_its_path() {
        let expected = json!({ "a": { "b": 1, "c": [1, 2] }, "d": "x" });
        assert_eq!(paths(expected, json!({ "a": { "b": 2, "c": [1, 3] } })), ["data.a.b", "data.a.c[1]", "data.d"]);
    }

    #[test]
    fn what_is_not_expected_is_not_looked_at_but_arrays_must_be_whole() {
        assert_eq!(paths(json!({ "a": 1 }), json!({ "a": 1, "b": 2 })), [""; 0]);
        assert_eq!(paths(json!([1]), json!([1, 2])), ["data"]);
    }

    #[test]
    fn numbers_and_moments_are_compared_by_what_they_mean() {
        assert_eq!(paths(json!([1, 0.3]), json!([1.0, 0.1 + 0.2])), [""; 0]);
        assert_eq!(paths(json!(9_007_199_254_740_993_i64), json!(9_007_199_254_740_992_i64)), ["data"]);
        assert_eq!(paths(json!([10_000_000_000_i64, -1]), json!([10_000_000_001_i64, -1])), ["data[0]"]);
        assert_eq!(paths(json!("2013-11-02T17:00:00Z"), json!("2013-11-02T17:00:00.000+00:00")), [""; 0]);
        assert_eq!(paths(json!(null), json!(0)), ["data"]);
    }
}
