//! Which service a payload comes from, found without reading all of it.

use std::fmt;

use fourstroke_adapters::{dynamodb::DynamoDbTrigger, kinesis::KinesisTrigger, sns::SnsTrigger, sqs::SqsTrigger};
use fourstroke_runtime::lambda::Source;
use serde::de::{DeserializeSeed, Deserializer, Error, IgnoredAny, MapAccess, SeqAccess, Visitor};

/// Recognises a payload: by what its first record says of itself, or by what an envelope has.
pub fn recognise(payload: &[u8]) -> Source {
    let mut seen = Seen::default();
    // It ends with an error once it has seen enough.
    let look = Look { at: At::Envelope, seen: &mut seen };
    drop(look.deserialize(&mut serde_json::Deserializer::from_slice(payload)));
    match seen {
        Seen { source: Some(source), .. } => source,
        Seen { detail: true, detail_type: true, .. } => Source::EventBridge,
        _ => Source::Direct,
    }
}

/// Knows the service by the name it gives itself in a record.
fn named(name: &str) -> Option<Source> {
    match name {
        KinesisTrigger::EVENT_SOURCE => Some(Source::Kinesis),
        DynamoDbTrigger::EVENT_SOURCE => Some(Source::DynamoDb),
        SqsTrigger::EVENT_SOURCE => Some(Source::Sqs),
        SnsTrigger::EVENT_SOURCE => Some(Source::Sns),
        _ => None,
    }
}

#[derive(Default)]
struct Seen {
    source: Option<Source>,
    detail: bool,
    detail_type: bool,
}

/// Walks a payload until it is known.
struct Look<'a> {
    at: At,
    seen: &'a mut Seen,
}

#[derive(Clone, Copy)]
enum At {
    Envelope,
    Records,
    /// `requestContext`, which has `http` in payload format 2.0.
    Request,
}

impl<'de> DeserializeSeed<'de> for Look<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<(), D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Look<'_> {
    type Value = ();

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an invocation")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<(), A::Error> {
        let Look { at, seen } = self;
        while let Some(key) = map.next_key::<String>()? {
            match (at, key.as_str()) {
                (At::Envelope, "Records") => map.next_value_seed(Look { at: At::Records, seen })?,
                (At::Envelope, "requestContext") => map.next_value_seed(Look { at: At::Request, seen })?,
                (At::Request, "http") => seen.source = Some(Source::FunctionUrl),
                (At::Request, "httpMethod" | "elb") => seen.source = Some(Source::OtherHttp),
                (At::Envelope, "detail") => seen.detail = true,
                (At::Envelope, "detail-type") => seen.detail_type = true,
                // SNS writes it with a capital.
                (At::Records, "eventSource" | "EventSource") => seen.source = named(&map.next_value::<String>()?),
                _ => drop(map.next_value::<IgnoredAny>()?),
            }
            if seen.source.is_some() || (seen.detail && seen.detail_type) {
                return Err(A::Error::custom("enough was seen"));
            }
            if matches!((at, key.as_str()), (At::Envelope, "detail" | "detail-type")) {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut records: A) -> Result<(), A::Error> {
        // The others are of the same service.
        records.next_element_seed(Look { at: At::Records, seen: self.seen })?;
        Err(A::Error::custom("enough was seen"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn payloads_are_recognised_by_what_they_say_of_themselves() {
        let known: [(&str, Source); 13] = [
            (r#"{"Records":[{"kinesis":{},"eventSource":"aws:kinesis"}, nonsense"#, Source::Kinesis),
            (r#"{"Records":[{"eventSource":"aws:dynamodb"}]}"#, Source::DynamoDb),
            (r#"{"Records":[{"eventSource":"aws:sqs"}]}"#, Source::Sqs),
            (r#"{"Records":[{"EventSource":"aws:sns","Sns":{}}]}"#, Source::Sns),
            (r#"{"version":"0","detail-type":"Order","source":"shop","detail":{}}"#, Source::EventBridge),
            (r#"{"detail":{"a":[1]},"detail-type":"Order"}"#, Source::EventBridge),
            (r#"{"version":"2.0","requestContext":{"stage":"x","http":{"method":"POST"}}}"#, Source::FunctionUrl),
            (r#"{"requestContext":{"httpMethod":"POST"}}"#, Source::OtherHttp),
            (r#"{"requestContext":{"elb":{"targetGroupArn":"arn"}}}"#, Source::OtherHttp),
            (r#"{"detail":{}}"#, Source::Direct),
            (r#"{"Records":[{"eventSource":"aws:s3"}]}"#, Source::Direct),
            (r#"{"Records":[]}"#, Source::Direct),
            ("[1, 2]", Source::Direct),
        ];
        for (payload, source) in known {
            assert_eq!(recognise(payload.as_bytes()), source, "{payload}");
        }
    }
}
