//! Kinds of poison: lines that can never be decided, each rotten in its own way.

use serde_json::{Map, Value, json};

/// Holds one kind of poison.
pub struct Kind {
    pub name: &'static str,
    /// The code its dead letter must have.
    pub code: &'static str,
    /// Its body can be read, so that it has the event's own id, and fails in a later stroke.
    pub readable: bool,
    /// Makes a line of a boarding event.
    pub make: fn(Map<String, Value>, &mut Dice) -> Vec<u8>,
}

/// All kinds.
pub const KINDS: [Kind; 15] = [
    unreadable("cut off", "FS-D001", |event, dice| {
        let mut line = line(event);
        line.truncate(dice.below(line.len() - 1) + 1);
        line
    }),
    unreadable("a field is missing", "FS-D002", |event, _| line(without(event, "carrier"))),
    unreadable("a field is null", "FS-D002", |event, _| line(with(event, "origin", Value::Null))),
    unreadable("a field has another type", "FS-D003", |event, _| line(with(event, "type", json!(["boarding"])))),
    unreadable("no time", "FS-D003", |event, _| line(with(event, "at", "half past five"))),
    unreadable("an empty id", "FS-D006", |event, _| line(with(event, "id", ""))),
    unreadable("a lone surrogate", "FS-D001", |event, _| instead(event, br#""\ud800""#)),
    unreadable("a NUL in a text", "FS-D001", |event, _| instead(event, b"\"U\0\"")),
    unreadable("not UTF-8", "FS-D001", |event, _| instead(event, b"\"\xff\xfe\"")),
    unreadable("a number beyond all", "FS-D001", |event, _| instead(event, b"1e999")),
    unreadable("a field twice", "FS-D001", |event, _| instead(event, br#""UA","carrier":"AA""#)),
    unreadable("too deep", "FS-D004", |event, dice| {
        let depth = 200 + dice.below(5_000);
        instead(event, &[vec![b'['; depth], vec![b']'; depth]].concat())
    }),
    unreadable("only blanks", "FS-D001", |_, dice| vec![b' '; dice.below(9) + 1]),
    unreadable("no text at all", "FS-D001", |_, dice| {
        // Neither a line end, nor what a compressed body begins with.
        (0..=dice.below(300)).map(|_| 128 | dice.below(128) as u8).collect()
    }),
    Kind {
        name: "no feature for the model",
        code: "FS-I002",
        readable: true,
        make: |event, _| line(with(event, "distance", Value::Null)),
    },
];

const fn unreadable(
    name: &'static str,
    code: &'static str,
    make: fn(Map<String, Value>, &mut Dice) -> Vec<u8>,
) -> Kind {
    Kind { name, code, readable: false, make }
}

fn line(event: Map<String, Value>) -> Vec<u8> {
    Value::Object(event).to_string().into_bytes()
}

fn with(mut event: Map<String, Value>, field: &str, value: impl Into<Value>) -> Map<String, Value> {
    event.insert(field.to_owned(), value.into());
    event
}

fn without(mut event: Map<String, Value>, field: &str) -> Map<String, Value> {
    event.remove(field);
    event
}

/// Writes an event with these bytes as its carrier, whatever they are.
fn instead(event: Map<String, Value>, carrier: &[u8]) -> Vec<u8> {
    let mut line = line(without(event, "carrier"));
    line.pop();
    line.extend_from_slice(b",\"carrier\":");
    line.extend_from_slice(carrier);
    line.push(b'}');
    line
}

/// Gives numbers that look like chance and are the same each time (SplitMix64).
pub struct Dice(pub u64);

impl Dice {
    /// Returns a number below another, which is not 0.
    pub fn below(&mut self, end: usize) -> usize {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        ((z ^ (z >> 31)) % end as u64) as usize
    }
}
