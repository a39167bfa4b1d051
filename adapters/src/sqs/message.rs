//! An item as a message: what SQS takes as text, attributes, group and deduplication id.

use aws_sdk_sqs::{
    error::BuildError,
    types::{MessageAttributeValue, SendMessageBatchRequestEntry},
};
use fourstroke::{
    error::Kind,
    identity::sha256,
    ports::{Outgoing, SendError, Sent},
};

const STRING: &str = "String";
/// More of them lie outside the message, where a queue that is read by Lambda, or SNS, cannot see them.
const MOST_ATTRIBUTES: usize = 10;

/// Returns the body as the text it must be.
fn text(item: &Outgoing) -> Result<&str, String> {
    match std::str::from_utf8(&item.body) {
        Err(_) => Err("a body that is no UTF-8 cannot be a message of SQS".to_owned()),
        Ok("") => Err("an empty body cannot be a message of SQS".to_owned()),
        Ok(text) => match text.chars().find(|&c| !is_taken(c)) {
            Some(c) => Err(format!("a body with {c:?} cannot be a message of SQS")),
            None => Ok(text),
        },
    }
}

/// What an item counts towards a call's size: its body, and names, types and values of its attributes.
pub(super) fn weight(item: &Outgoing) -> usize {
    let each = |(name, value): (&str, String)| name.len() + STRING.len() + value.len();
    item.body.len() + attributes(item).map(each).sum::<usize>()
}

/// Makes the message of an item, whose place in its call is its id there.
///
/// # Errors
/// Poison: its body is empty, no UTF-8, or has a character SQS would replace or refuse.
pub(super) fn of(place: usize, item: &Outgoing, fifo: bool) -> Result<SendMessageBatchRequestEntry, SendError> {
    let message = text(item).and_then(|text| {
        let built = build(place, item, text, fifo);
        built.map_err(|error| error.to_string())
    });
    message.map_err(|reason| SendError { kind: Kind::Poison, sent: Sent::No, reason })
}

fn build(place: usize, item: &Outgoing, text: &str, fifo: bool) -> Result<SendMessageBatchRequestEntry, BuildError> {
    let mut entry = SendMessageBatchRequestEntry::builder().id(place.to_string()).message_body(text);
    for (name, value) in attributes(item) {
        let value = MessageAttributeValue::builder().data_type(STRING).string_value(value).build()?;
        entry = entry.message_attributes(name, value);
    }
    if fifo {
        // An item without a key has no order to keep: a group of its own.
        let group = item.key.as_ref().unwrap_or(&item.id);
        entry = entry.message_group_id(token(group)).message_deduplication_id(token(&item.id));
    }
    entry.build()
}

/// The item's id and media type, then its own attributes, as far as SQS takes them.
fn attributes(item: &Outgoing) -> impl Iterator<Item = (&str, String)> {
    let own = item.attributes.iter().map(|(name, value)| (*name, &**value));
    [("idempotency-key", &*item.id), ("content-type", item.content_type)]
        .into_iter()
        .chain(own.filter(|(name, _)| is_name(name)))
        .filter(|(_, value)| !value.is_empty())
        .take(MOST_ATTRIBUTES)
        .map(|(name, value)| (name, value.chars().map(|c| if is_taken(c) { c } else { '\u{fffd}' }).collect()))
}

/// The characters of
/// [SendMessageBatch](https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html): those of
/// XML 1.0.
fn is_taken(c: char) -> bool {
    matches!(c, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}

fn is_name(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.'))
}

/// Returns a text as a group or deduplication id: at most 128 letters, digits and signs, else its SHA-256.
fn token(text: &str) -> String {
    let fits = (1..=128).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { text.to_owned() } else { sha256(text.as_bytes()) }
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;

    use super::*;

    fn item(id: &str, key: Option<&str>, body: impl Into<Bytes>) -> Outgoing {
        Outgoing {
            id: id.into(),
            key: key.map(Into::into),
            content_type: "application/json",
            attributes: vec![
                ("decision-id", "d1".into()),
                ("no name", "x".into()),
                ("action", "a\0".into()),
                ("e", "".into()),
            ],
            body: body.into(),
        }
    }

    #[test]
    fn a_body_is_text_without_what_sqs_would_change() {
        for fine in ["x", " ", "größer 🦀\t\r\n", "\u{d7ff}\u{e000}\u{fffd}\u{10ffff}"] {
            assert_eq!(of(0, &item("1", None, fine), true).unwrap().message_body(), fine);
        }
        for bad in [&b""[..], b"\xff", b"a\0", b"\x1b[31m", "\u{fffe}".as_bytes(), "\u{ffff}".as_bytes()] {
            let error = of(0, &item("1", None, bad), true).unwrap_err();
            assert_eq!((error.kind, error.sent), (Kind::Poison, Sent::No), "{bad:?}");
        }
    }

    #[test]
    fn a_message_says_what_its_item_is() {
        let message = of(7, &item("i1", Some("k1"), "body"), true).unwrap();
        assert_eq!((message.id(), message.message_body()), ("7", "body"));
        assert_eq!((message.message_group_id(), message.message_deduplication_id()), (Some("k1"), Some("i1")));
        let attributes = message.message_attributes().unwrap();
        let value = |name: &str| attributes[name].string_value().unwrap();
        assert_eq!(attributes.len(), 4);
        assert_eq!((value("idempotency-key"), value("content-type")), ("i1", "application/json"));
        assert_eq!((value("decision-id"), value("action")), ("d1", "a\u{fffd}"));
        let standard = of(0, &item("i1", Some("k1"), "body"), false).unwrap();
        assert_eq!((standard.message_group_id(), standard.message_deduplication_id()), (None, None));
    }

    #[test]
    fn what_cannot_be_a_group_s_name_is_hashed() {
        let group = |id: &str, key| {
            let message = of(0, &item(id, key, "b"), true).unwrap();
            message.message_group_id().unwrap().to_owned()
        };
        assert_eq!(group("i1", None), "i1");
        assert_eq!(group("i1", Some("a!~")), "a!~");
        for odd in ["ключ", "two words", "", &"x".repeat(129)] {
            assert_eq!(group("i1", Some(odd)), sha256(odd.as_bytes()));
        }
    }
}
