//! One thing that happened, as it arrived: bytes and what the platform said about them. Decoding bodies is
//! `transform`'s job.

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, Utc};

/// Attributes or headers the platform delivered beside the body, in its order.
pub type Attributes = Vec<(ByteString, ByteString)>;

/// Holds one event as a trigger or source gives it.
///
/// ```
/// use fourstroke::event::Event;
/// let event = Event::new("orders.jsonl:1", r#"{"amount": 3}"#);
/// assert!(event.stable_id && event.group.is_none());
/// ```
#[derive(Clone, Debug, PartialEq)]
pub struct Event {
    /// The platform's id, the same whenever the event is delivered again.
    pub id: ByteString,
    /// False where the platform has no such id and one was made up.
    pub stable_id: bool,
    /// The platform's partition or ordering key.
    pub key: Option<ByteString>,
    /// The part of the stream that is delivered in order (shard, partition, message group); none: it stands alone.
    pub group: Option<ByteString>,
    /// Where in its group it stands, where the platform tells: a whole number in digits that grows.
    pub position: Option<ByteString>,
    /// The platform's record it came in together with others of its group: they are delivered again together.
    pub bundle: Option<ByteString>,
    /// When the platform says it happened.
    pub time: Option<DateTime<Utc>>,
    /// What came beside the body.
    pub attributes: Attributes,
    /// The body, untouched; usually a slice of the payload's buffer.
    pub body: Bytes,
}

impl Event {
    /// Makes an event with a stable id and a body, and nothing else.
    pub fn new(id: impl Into<ByteString>, body: impl Into<Bytes>) -> Event {
        Event {
            id: id.into(),
            stable_id: true,
            key: None,
            group: None,
            position: None,
            bundle: None,
            time: None,
            attributes: Attributes::new(),
            body: body.into(),
        }
    }

    /// Puts the event into a group.
    pub fn in_group(mut self, group: impl Into<ByteString>) -> Event {
        self.group = Some(group.into());
        self
    }

    /// Returns the attribute of that name, compared without case as headers are.
    pub fn attribute(&self, name: &str) -> Option<&ByteString> {
        self.attributes.iter().find(|(key, _)| key.eq_ignore_ascii_case(name)).map(|(_, value)| value)
    }
}

/// Holds what one record of a payload turned out to be. One bad record never fails its batch.
#[derive(Clone, Debug, PartialEq)]
pub enum Decoded {
    /// An event.
    Event(Event),
    /// A record that could not be taken apart: its position as the event's id, its raw bytes as the body.
    Undecodable {
        /// Position, group and raw bytes.
        event: Event,
        /// Why it could not be taken apart.
        reason: String,
    },
}

impl Decoded {
    /// Returns the event, or the position and raw bytes of what should have been one.
    pub fn event(&self) -> &Event {
        match self {
            Decoded::Event(event) | Decoded::Undecodable { event, .. } => event,
        }
    }
}

impl From<Event> for Decoded {
    fn from(event: Event) -> Decoded {
        Decoded::Event(event)
    }
}
