//! A JSON object as it is written: its keys in their order, its numbers digit by digit.

use std::{borrow::Cow, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

/// Holds each key with the JSON of its value.
pub(super) struct JsonObject<'a>(pub(super) Vec<(String, &'a RawValue)>);

impl<'de> Deserialize<'de> for JsonObject<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<JsonObject<'de>, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = JsonObject<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<JsonObject<'de>, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(JsonObject(members))
    }
}

/// Makes of a value what stands in a cell: text as it is, nothing of null, compact JSON of anything else.
pub(super) fn cell(value: &RawValue) -> Result<Cow<'_, str>, serde_json::Error> {
    let json = value.get();
    Ok(match json.as_bytes() {
        [b'"', ..] => Cow::Owned(serde_json::from_str(json)?),
        [b'n', ..] => Cow::Borrowed(""),
        [b'{' | b'[', ..] => Cow::Owned(compact(json)),
        _ => Cow::Borrowed(json),
    })
}

/// Leaves out the whitespace between tokens. Parsing and writing anew would change numbers and the order of keys.
fn compact(json: &str) -> String {
    let (mut quoted, mut escaped) = (false, false);
    let kept = json.chars().filter(|c| {
        let kept = quoted || !c.is_ascii_whitespace();
        quoted ^= *c == '"' && !escaped;
        escaped = quoted && *c == '\\' && !escaped;
        kept
    });
    kept.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_become_cells() {
        let cases = [
            (r#""a \" b\n\u00e4""#, "a \" b\nä"),
            ("null", ""),
            ("true", "true"),
            ("1.50", "1.50"),
            ("12345678901234567890123e-2", "12345678901234567890123e-2"),
            (r#"{ "b" : [ 1.0 , "x \\" ], "a" :" \" " }"#, r#"{"b":[1.0,"x \\"],"a":" \" "}"#),
            ("[ ]", "[]"),
        ];
        for (json, text) in cases {
            let json = format!("{{ \"x\" : {json} }}");
            let object: JsonObject<'_> = serde_json::from_str(&json).unwrap();
            assert_eq!(cell(object.0[0].1).unwrap(), text, "{json}");
        }
    }
}
