//! One event's way through the strokes, as programs and people read it: seen by a run of its own, or taken from the decision
//! log. What the log does not hold is null.

use std::{fmt, marker::PhantomData};

use serde::{
    Deserialize, Deserializer, Serialize, Serializer,
    de::{MapAccess, Visitor},
};
use serde_json::Value;

/// The version of this shape.
pub const VERSION: u32 = 1;

#[derive(Serialize)]
pub struct Picture {
    pub decision_id: String,
    pub pipeline: String,
    pub version: String,
    pub decided_at: String,
    pub event: EventSeen,
    pub transform: Transformed,
    pub enrich: Vec<LookedUp>,
    pub infer: Vec<Asked>,
    pub act: Acting,
    pub outcome: Option<Told>,
    /// Of the decision log: how the decision turned out, as later events told.
    pub outcomes: Option<Vec<Turned>>,
    /// Set where the actions are those that were chosen for an earlier delivery.
    pub replay: Option<Replayed>,
    pub disposition: String,
    pub error: Option<Failure>,
    /// How many events shared the times.
    pub batch_size: u64,
    pub us: Micros,
}

#[derive(Serialize)]
pub struct EventSeen {
    pub id: String,
    pub key: Option<String>,
    pub time: Option<String>,
    pub age_ms: Option<i64>,
    pub size: Option<usize>,
    /// The body as text; what is not UTF-8 is replaced.
    pub body: Option<String>,
}

#[derive(Serialize)]
pub struct Transformed {
    /// The fields before the transform; null where the body could not be decoded.
    pub decoded: Option<Pairs>,
    pub added: Option<Pairs>,
    pub changed: Option<Vec<Changed>>,
    pub removed: Option<Vec<String>>,
    /// Of the decision log: what `log.keep` keeps.
    pub kept: Option<Value>,
}

#[derive(Serialize)]
pub struct Changed {
    pub name: String,
    pub from: Value,
    pub to: Value,
}

#[derive(Serialize)]
pub struct LookedUp {
    pub name: String,
    /// `found`; `default` or `null` where that stands in; `empty`, a window that has counted nothing; `failed`; `not-reached`.
    pub state: &'static str,
    /// The store.
    pub from: Option<String>,
    /// Per part of the key: the expression and what it gave.
    pub key: Option<Vec<Read>>,
    pub age_ms: Option<u64>,
    /// How long the cache may hold an answer; null where there is none.
    pub cache_ms: Option<u64>,
    pub value: Value,
}

#[derive(Serialize)]
pub struct Asked {
    pub name: String,
    pub sha256: String,
    /// `ran`; `skipped` where its `when` was false; `failed`; `not-reached`.
    pub state: &'static str,
    pub when: Option<Tested>,
    pub features: Pairs,
    pub prediction: Value,
}

#[derive(Serialize)]
pub struct Acting {
    /// `first` or `all`.
    #[serde(rename = "match")]
    pub matches: Option<&'static str>,
    /// Every rule; of the decision log: those that matched.
    pub rules: Vec<Weighed>,
    pub actions: Vec<Sending>,
}

#[derive(Serialize)]
pub struct Weighed {
    pub name: String,
    /// `chosen`; `held-back` by a limit; `candidate` where it matched and an earlier one was first; `no-match`;
    /// `no-prediction`; `failed`; `not-reached`.
    pub state: &'static str,
    pub when: Option<Tested>,
    /// The models it reads that did not run.
    pub lacks: Vec<String>,
}

#[derive(Serialize)]
pub struct Tested {
    pub text: String,
    /// Null where it ended with an error.
    pub value: Option<bool>,
    pub reads: Vec<Read>,
}

#[derive(Serialize)]
pub struct Read {
    pub text: String,
    pub value: Value,
}

#[derive(Serialize)]
pub struct Sending {
    /// The rule.
    pub name: String,
    /// The sink.
    pub to: String,
    /// Where that is; values of variables are not shown.
    pub place: Option<String>,
    pub key: Option<String>,
    pub idempotency_key: String,
    /// Of the decision log: whether the sink took it.
    pub taken: Option<bool>,
    /// Whether it was done for an earlier delivery, and is not sent again.
    pub earlier: bool,
    pub content_type: Option<&'static str>,
    pub attributes: Option<Pairs>,
    pub data: Value,
    /// Exactly what is sent.
    pub body: Option<String>,
}

#[derive(Serialize)]
pub struct Told {
    /// The decision it is about.
    pub decision_id: String,
    pub label: bool,
}

/// How a decision turned out.
#[derive(Serialize)]
pub struct Turned {
    pub label: bool,
    /// How much later than what was decided about it happened; null where no store remembers decisions.
    pub delay_ms: Option<i64>,
    /// The event that told it.
    pub event_id: String,
    pub event_time: Option<String>,
}

/// When, and by which version of the pipeline, actions were chosen for an earlier delivery.
#[derive(Deserialize, Serialize)]
pub struct Replayed {
    pub decided_at: String,
    pub version: String,
}

#[derive(Serialize)]
pub struct Failure {
    pub code: String,
    pub stage: Option<&'static str>,
    pub kind: Option<&'static str>,
    pub reason: Option<String>,
    pub meaning: Option<&'static str>,
    pub what_to_do: Option<&'static str>,
}

#[derive(Clone, Copy, Default, Deserialize, Serialize)]
#[serde(default)]
pub struct Micros {
    pub transform: u64,
    pub enrich: u64,
    pub infer: u64,
    pub act: u64,
}

/// Says what a lookup gave: what it found, or what stood in.
pub fn lookup_state(found: bool, value: &Value) -> &'static str {
    match (found, value) {
        (true, _) => "found",
        (false, Value::Null) => "null",
        (false, _) => "default",
    }
}

/// What docs/ERRORS.md says of a code: what happened, and what to do.
pub fn documented(code: &str) -> Option<(&'static str, &'static str)> {
    const DOCS: &str = include_str!("../../../../docs/ERRORS.md");
    let row = DOCS.lines().find_map(|line| line.strip_prefix("| ")?.strip_prefix(code)?.strip_prefix(" | "))?;
    row.trim_end_matches([' ', '|']).split_once(" | ")
}

/// An object whose fields keep their order.
pub struct Pairs<V = Value>(pub Vec<(String, V)>);

impl<V> Default for Pairs<V> {
    fn default() -> Self {
        Pairs(Vec::new())
    }
}

impl<V: Serialize> Serialize for Pairs<V> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|(name, value)| (name, value)))
    }
}

impl<'de, V: Deserialize<'de>> Deserialize<'de> for Pairs<V> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Fields<V>(PhantomData<V>);
        impl<'de, V: Deserialize<'de>> Visitor<'de> for Fields<V> {
            type Value = Pairs<V>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Pairs<V>, A::Error> {
                let mut pairs = Vec::new();
                while let Some(pair) = map.next_entry()? {
                    pairs.push(pair);
                }
                Ok(Pairs(pairs))
            }
        }
        deserializer.deserialize_map(Fields(PhantomData))
    }
}
