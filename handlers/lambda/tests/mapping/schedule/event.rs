//! What a producer sends, and what is due of it.

use serde_json::json;

use crate::model::{Place, Stream};

/// What an event is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// To be acted on.
    Act,
    /// To be acted on once.
    ActOnce,
    /// No rule wants it.
    Passes,
    NoJson,
    NoAmount,
    WrongAmount,
    /// An aggregated record that cannot be taken apart.
    Torn,
}

impl Kind {
    pub fn acts(self) -> bool {
        matches!(self, Kind::Act | Kind::ActOnce)
    }

    pub fn is_poison(self) -> bool {
        !matches!(self, Kind::Act | Kind::ActOnce | Kind::Passes)
    }

    /// The bytes of one; `looks_up`: its customer is asked for.
    pub fn body(self, name: &str, key: &str, looks_up: bool, padding: usize) -> Vec<u8> {
        let account = looks_up.then_some(name);
        let mut body =
            json!({ "id": name, "of": key, "amount": 42.5, "once": self == Kind::ActOnce, "account": account });
        match self {
            Kind::Act | Kind::ActOnce => {}
            Kind::Passes => body["amount"] = json!(1.5),
            Kind::NoJson | Kind::Torn => return format!("{name}, and no JSON").into_bytes(),
            Kind::NoAmount => drop(body.as_object_mut().expect("an object").remove("amount")),
            Kind::WrongAmount => body["amount"] = json!("much"),
        }
        if padding > 0 {
            body["note"] = json!("x".repeat(padding));
        }
        body.to_string().into_bytes()
    }
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event {
    pub kind: Kind,
    pub place: Place,
    /// Where it stands in an aggregated record.
    pub part: Option<usize>,
    pub key: String,
    pub body: Vec<u8>,
    pub looks_up: bool,
}

impl Event {
    /// Its id in the stream, without the stream's name.
    pub fn id(&self) -> String {
        let id = format!("/{}/{}", Stream::shard_id(self.place.0), Stream::sequence_number(self.place));
        match self.part {
            Some(part) => format!("{id}/{part}"),
            None => id,
        }
    }
}
