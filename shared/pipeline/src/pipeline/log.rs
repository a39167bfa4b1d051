//! The decision log: one entry per event that ended. Its schema is what later trains, replays and explains.

use bytes::Bytes;
use chrono::{DateTime, SecondsFormat, Utc};
use serde::{Serialize, Serializer, ser::SerializeMap};
use vrl::{
    path::{OwnedSegment, OwnedTargetPath},
    value::{ObjectMap, Value},
};

use crate::{
    infer::Inference,
    pipeline::Inner,
    ports::Outgoing,
    record::Written,
    report::{Decision, Disposition, Prediction, StrokeTimes},
};

/// The schema's version.
const VERSION: u32 = 1;

/// What all entries of a batch share.
pub(crate) struct Batch<'a> {
    pipeline: &'a str,
    version: &'a str,
    models: &'a [Inference],
    kept: &'a Kept,
    decided_at: DateTime<Utc>,
    decided_at_text: String,
    size: usize,
    times: StrokeTimes,
}

/// What entries keep of the record.
pub(crate) enum Kept {
    /// Top-level fields, by name.
    Fields(Vec<String>),
    Paths(Vec<OwnedTargetPath>),
}

impl Kept {
    pub fn new(mut paths: Vec<OwnedTargetPath>) -> Kept {
        let field = |path: &OwnedTargetPath| match path.path.segments.as_slice() {
            [OwnedSegment::Field(name)] => Some(name.to_string()),
            _ => None,
        };
        match paths.iter().map(field).collect::<Option<Vec<String>>>() {
            Some(mut names) => {
                names.sort_unstable();
                names.dedup();
                Kept::Fields(names)
            }
            None => {
                paths.dedup();
                Kept::Paths(paths)
            }
        }
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    v: u32,
    decision_id: &'a str,
    event_id: &'a str,
    key: Option<&'a str>,
    event_time: Option<String>,
    decided_at: &'a str,
    event_age_ms: Option<i64>,
    pipeline: &'a str,
    version: &'a str,
    record: KeptOf<'a>,
    enriched: Enriched<'a>,
    features: Features<'a>,
    predictions: Predictions<'a>,
    model: Vec<Model<'a>>,
    candidates: Vec<&'a str>,
    actions: Vec<Action<'a>>,
    /// 1.0 until a policy chooses by chance.
    propensity: f64,
    policy: Option<&'a str>,
    held_back: [&'a str; 0],
    disposition: &'a str,
    code: Option<&'a str>,
    batch_size: usize,
    us: Micros,
}

#[derive(Serialize)]
struct Model<'a> {
    name: &'a str,
    sha256: &'a str,
}

#[derive(Serialize)]
struct Action<'a> {
    name: &'a str,
    to: &'a str,
    key: Option<&'a str>,
    idempotency_key: &'a str,
    data: &'a Value,
}

#[derive(Serialize)]
struct Micros {
    transform: u64,
    enrich: u64,
    infer: u64,
    act: u64,
}

impl<'a> Batch<'a> {
    pub fn new(pipeline: &'a Inner, decided_at: DateTime<Utc>, size: usize, times: StrokeTimes) -> Batch<'a> {
        const NOTHING: &Kept = &Kept::Fields(Vec::new());
        Batch {
            pipeline: &pipeline.name,
            version: &pipeline.version,
            models: &pipeline.models,
            kept: pipeline.log.as_ref().map_or(NOTHING, |(_, kept)| kept),
            decided_at,
            decided_at_text: text_of(decided_at),
            size,
            times,
        }
    }

    /// Makes the entries of those decisions that are not to be asked for again. Their bodies share one buffer.
    pub fn entries(&self, decisions: &[Decision]) -> Vec<Outgoing> {
        const USUAL: usize = 1024;
        let mut buffer = Vec::with_capacity(decisions.len() * USUAL);
        let ended = decisions.iter().filter(|decision| decision.disposition != Disposition::Retry);
        let ends: Vec<(&Decision, usize)> = ended
            .map(|decision| {
                // Text, numbers and finite floats only: this cannot fail.
                let _ = serde_json::to_writer(&mut buffer, &self.entry(decision));
                (decision, buffer.len())
            })
            .collect();
        let buffer = Bytes::from(buffer);
        let mut start = 0;
        let entries = ends.into_iter().map(|(decision, end)| {
            let body = buffer.slice(start..end);
            start = end;
            Outgoing {
                id: decision.id.clone(),
                key: decision.record.facts().key.clone(),
                content_type: "application/json",
                attributes: vec![("decision-id", decision.id.clone())],
                body,
            }
        });
        entries.collect()
    }

    fn entry<'d>(&'d self, decision: &'d Decision) -> Entry<'d> {
        let facts = decision.record.facts();
        let sha256 = |prediction: &Prediction| {
            self.models.iter().find(|model| model.name == prediction.name).map_or("", |model| &*model.sha256)
        };
        let micros = |duration: std::time::Duration| u64::try_from(duration.as_micros()).unwrap_or(u64::MAX);
        Entry {
            v: VERSION,
            decision_id: &decision.id,
            event_id: &facts.id,
            key: facts.key.as_deref(),
            event_time: facts.time.map(text_of),
            decided_at: &self.decided_at_text,
            event_age_ms: facts.time.map(|time| self.decided_at.signed_duration_since(time).num_milliseconds()),
            pipeline: self.pipeline,
            version: self.version,
            record: KeptOf(self.kept, decision),
            enriched: Enriched(decision),
            features: Features(&decision.predictions),
            predictions: Predictions(&decision.predictions),
            model: decision
                .predictions
                .iter()
                .map(|prediction| Model { name: &prediction.name, sha256: sha256(prediction) })
                .collect(),
            candidates: decision.candidates.iter().map(|name| &**name).collect(),
            actions: decision
                .actions
                .iter()
                .map(|action| Action {
                    name: &action.name,
                    to: &action.to,
                    key: action.outgoing.key.as_deref(),
                    idempotency_key: &action.outgoing.id,
                    data: &action.data,
                })
                .collect(),
            propensity: 1.0,
            policy: None,
            held_back: [],
            disposition: decision.disposition.as_str(),
            code: decision.error.as_ref().map(|error| error.code.as_str()),
            batch_size: self.size,
            us: Micros {
                transform: micros(self.times.transform),
                enrich: micros(self.times.enrich),
                infer: micros(self.times.infer),
                act: micros(self.times.act),
            },
        }
    }
}

fn text_of(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::Millis, true)
}

/// The kept part of one record.
struct KeptOf<'a>(&'a Kept, &'a Decision);

impl Serialize for KeptOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let record = &self.1.record;
        match self.0 {
            Kept::Fields(names) => {
                serializer.collect_map(names.iter().filter_map(|name| Some((name, record.written(name)?))))
            }
            Kept::Paths(paths) => {
                let mut kept = Value::Object(ObjectMap::new());
                for path in paths {
                    if let Some(value) = record.at(path) {
                        kept.insert(&path.path, value.clone());
                    }
                }
                kept.serialize(serializer)
            }
        }
    }
}

/// What each lookup gave, as the later strokes saw it, and how old it was.
struct Enriched<'a>(&'a Decision);

#[derive(Serialize)]
struct SeenValue<'a> {
    value: Option<Written<'a>>,
    found: bool,
    age_ms: u64,
}

impl Serialize for Enriched<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = serializer.serialize_map(Some(self.0.lookups.len()))?;
        for seen in &self.0.lookups {
            let age_ms = u64::try_from(seen.age.as_millis()).unwrap_or(u64::MAX);
            map.serialize_entry(
                &*seen.name,
                &SeenValue { value: self.0.record.written(&seen.name), found: seen.found, age_ms },
            )?;
        }
        map.end()
    }
}

/// By model, by column, what went in.
struct Features<'a>(&'a [Prediction]);

struct Row<'a>(&'a Prediction);

impl Serialize for Features<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|prediction| (&*prediction.name, Row(prediction))))
    }
}

impl Serialize for Row<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.columns.iter().map(|name| &**name).zip(&self.0.features))
    }
}

/// By model, what came out.
struct Predictions<'a>(&'a [Prediction]);

impl Serialize for Predictions<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_map(self.0.iter().map(|prediction| (&*prediction.name, &**prediction.output)))
    }
}
