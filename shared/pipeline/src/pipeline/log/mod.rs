//! The decision log: one entry per event that ended. Its schema is what later trains, replays and explains.

mod json;

use std::time::Duration;

use bytes::Bytes;
use bytestring::ByteString;
use chrono::{DateTime, SecondsFormat, Utc};
use vrl::{
    path::{OwnedSegment, OwnedTargetPath},
    value::{ObjectMap, Value},
};

use crate::{
    identity,
    pipeline::Inner,
    ports::Outgoing,
    record::{Said, Written},
    report::{Action, Decision, Disposition, Joined, Prediction, Seen, StrokeTimes},
};
use json::Json;

/// How an entry begins: the schema's version, and up to the decision's id.
const START: &str = "{\"v\":1,\"decision_id\":\"";

/// What all entries of a batch share.
pub(crate) struct Batch<'a> {
    pipeline: &'a Inner,
    decided_at: DateTime<Utc>,
    /// From `decided_at` up to the colon of `event_age_ms`.
    decided: String,
    /// From `pipeline` up to the colon of `record`.
    built: String,
    /// From `batch_size` on.
    end: String,
}

/// What entries keep of the record.
pub(crate) enum Kept {
    /// Top-level fields, by name.
    Fields(Vec<String>),
    Paths(Vec<OwnedTargetPath>),
}

impl Kept {
    pub fn new(paths: Vec<OwnedTargetPath>) -> Kept {
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
            None => Kept::Paths(paths),
        }
    }
}

impl<'a> Batch<'a> {
    pub fn new(pipeline: &'a Inner, decided_at: DateTime<Utc>, size: usize, times: StrokeTimes) -> Batch<'a> {
        let micros = |duration: Duration| duration.as_micros();
        let decided = decided_at.to_rfc3339_opts(SecondsFormat::Millis, true);
        let StrokeTimes { transform, enrich, infer, act, .. } = times;
        Batch {
            pipeline,
            decided_at,
            decided: format!(",\"decided_at\":\"{decided}\",\"event_age_ms\":"),
            built: format!(",\"pipeline\":\"{}\",\"version\":\"{}\",\"record\":", pipeline.name, pipeline.version),
            end: format!(
                ",\"batch_size\":{size},\"us\":{{\"transform\":{},\"enrich\":{},\"infer\":{},\"act\":{}}}}}",
                micros(transform),
                micros(enrich),
                micros(infer),
                micros(act)
            ),
        }
    }

    /// Makes the entries of those decisions that are not to be asked for again.
    pub fn entries(&self, decisions: &[Decision]) -> Vec<Outgoing> {
        // Few enough for the allocator to keep their buffer and give it again.
        const SHARE_A_BUFFER: usize = 32;
        let mut entries = Vec::with_capacity(decisions.len());
        decisions.chunks(SHARE_A_BUFFER).for_each(|decisions| self.add(decisions, &mut entries));
        entries
    }

    fn add(&self, decisions: &[Decision], entries: &mut Vec<Outgoing>) {
        const USUAL: usize = 1536;
        let mut buffer = Vec::with_capacity(decisions.len() * USUAL);
        let ended = decisions.iter().filter(|decision| decision.disposition != Disposition::Retry);
        let ends: Vec<usize> = ended
            .clone()
            .map(|decision| {
                self.entry(decision, &mut Json(&mut buffer));
                buffer.len()
            })
            .collect();
        let buffer = Bytes::from(buffer);
        let mut start = 0;
        for (decision, end) in ended.zip(ends) {
            let body = buffer.slice(start..end);
            start = end;
            // The entry holds the id already.
            let id = ByteString::try_from(body.slice(START.len()..START.len() + decision.id.len()));
            let key = decision.record.facts().key.clone();
            entries.push(outgoing(id.unwrap_or_else(|_| decision.id.clone()), key, body));
            entries.extend(self.outcome(decision));
        }
    }

    /// Makes the entry that joins an outcome to its decision; none where that was not found, or too long ago.
    fn outcome(&self, decision: &Decision) -> Option<Outgoing> {
        let outcome = decision.outcome.as_ref()?;
        let delay = match outcome.joined {
            Joined::Unasked => None,
            Joined::Found { delay_ms } => Some(delay_ms),
            Joined::Late | Joined::Unknown => return None,
        };
        let facts = decision.record.facts();
        let mut buffer = Vec::new();
        let mut json = Json(&mut buffer);
        json.raw("{\"v\":1,\"outcome_of\":");
        json.text(&outcome.decision_id);
        json.raw(if outcome.label { ",\"label\":true" } else { ",\"label\":false" });
        json.raw(",\"delay_ms\":");
        json.any(&delay);
        json.raw(",\"event_id\":");
        json.text(&facts.id);
        json.raw(",\"event_time\":");
        match facts.time {
            Some(time) => json.time(time),
            None => json.raw("null"),
        }
        json.raw(",\"pipeline\":");
        json.text(&self.pipeline.name);
        json.raw("}");
        // Of the decision it is of and the event that tells it: other events may tell more.
        let id = identity::hash(&[outcome.decision_id.as_bytes(), decision.id.as_bytes()]);
        Some(outgoing(id.into(), facts.key.clone(), buffer.into()))
    }

    /// Writes one entry. The pipeline's name and version hold nothing that JSON escapes, nor do digests and codes.
    fn entry(&self, decision: &Decision, json: &mut Json<'_>) {
        let (facts, predictions) = (decision.record.facts(), &decision.predictions);
        json.raw(START);
        json.raw(&decision.id);
        json.raw("\",\"event_id\":");
        json.text(&facts.id);
        json.raw(",\"key\":");
        json.text_or_null(facts.key.as_deref());
        json.raw(",\"event_time\":");
        match facts.time {
            Some(time) => json.time(time),
            None => json.raw("null"),
        }
        json.raw(&self.decided);
        json.any(&facts.time.map(|time| self.decided_at.signed_duration_since(time).num_milliseconds()));
        json.raw(&self.built);
        self.kept(decision, json);
        json.raw(",\"enriched\":");
        json.object(decision.lookups.iter().map(|seen| (&*seen.name, seen)), |json, seen| {
            enriched(decision, seen, json)
        });
        json.raw(",\"features\":");
        json.object(by_model(predictions), |json, prediction| {
            json.raw("{");
            for (place, (feature, value)) in decision.columns(prediction).enumerate() {
                json.raw(if place > 0 { "," } else { "" });
                json.raw(&feature.json);
                json.value(value);
            }
            json.raw("}");
        });
        json.raw(",\"predictions\":");
        json.object(by_model(predictions), |json, prediction| said(&prediction.output, json));
        json.raw(",\"model\":");
        json.list(predictions, |json, prediction| self.model(prediction, json));
        json.raw(",\"candidates\":");
        json.list(&decision.candidates, |json, name| json.text(name));
        json.raw(",\"actions\":");
        json.list(&decision.actions, |json, action| write_action(action, json));
        // Propensity is 1 until a policy chooses by chance.
        json.raw(",\"propensity\":1.0,\"policy\":null,\"held_back\":");
        json.list(&decision.held_back, |json, name| json.text(name));
        if let Some(replay) = &decision.replay {
            json.raw(",\"replay\":{\"decided_at\":");
            json.time(replay.decided_at);
            json.raw(",\"version\":");
            json.text(&replay.version);
            json.raw("}");
        }
        json.raw(",\"disposition\":\"");
        json.raw(decision.disposition.as_str());
        json.raw("\",\"code\":");
        json.text_or_null(decision.error.as_ref().map(|error| error.code.as_str()));
        json.raw(&self.end);
    }

    fn kept(&self, decision: &Decision, json: &mut Json<'_>) {
        let record = &decision.record;
        match &self.pipeline.log {
            None => json.raw("{}"),
            Some((_, Kept::Fields(names))) => {
                let there = names.iter().filter_map(|name| Some((name.as_str(), record.written(name)?)));
                json.object(there, |json, field| written(&field, json));
            }
            Some((_, Kept::Paths(paths))) => {
                let mut kept = Value::Object(ObjectMap::new());
                for path in paths {
                    if let Some(value) = record.at(path) {
                        kept.insert(&path.path, value.clone());
                    }
                }
                json.value(&kept);
            }
        }
    }

    fn model(&self, prediction: &Prediction, json: &mut Json<'_>) {
        let model = self.pipeline.models.iter().find(|model| model.name == prediction.name);
        json.raw("{\"name\":");
        json.text(&prediction.name);
        json.raw(",\"sha256\":\"");
        json.raw(model.map_or("", |model| &model.sha256));
        json.raw("\"}");
    }
}

fn outgoing(id: ByteString, key: Option<ByteString>, body: Bytes) -> Outgoing {
    Outgoing { id, key, content_type: "application/json", attributes: Vec::new(), body }
}

fn by_model(predictions: &[Prediction]) -> impl Iterator<Item = (&str, &Prediction)> {
    predictions.iter().map(|prediction| (&*prediction.name, prediction))
}

fn written(field: &Written<'_>, json: &mut Json<'_>) {
    match field {
        Written::Own(value) => json.value(value),
        Written::Shared(shared) => json.raw(shared.json()),
        Written::Said(output) => said(output, json),
    }
}

fn said(output: &Said, json: &mut Json<'_>) {
    let Some((values, after)) = output.json() else { return json.value(output.value()) };
    for (before, value) in values {
        json.raw(before);
        json.value(value);
    }
    json.raw(after);
}

/// Writes what a lookup gave, as the later strokes saw it, and how old it was.
fn enriched(decision: &Decision, seen: &Seen, json: &mut Json<'_>) {
    json.raw("{\"value\":");
    match decision.record.written(&seen.name) {
        Some(field) => written(&field, json),
        None => json.raw("null"),
    }
    json.raw(if seen.found { ",\"found\":true,\"age_ms\":" } else { ",\"found\":false,\"age_ms\":" });
    json.any(&u64::try_from(seen.age.as_millis()).unwrap_or(u64::MAX));
    json.raw("}");
}

fn write_action(action: &Action, json: &mut Json<'_>) {
    json.raw("{\"name\":");
    json.text(&action.name);
    json.raw(",\"to\":");
    json.text(&action.to);
    json.raw(",\"key\":");
    json.text_or_null(action.outgoing.key.as_deref());
    json.raw(",\"idempotency_key\":");
    json.text(&action.outgoing.id);
    json.raw(if action.taken { ",\"taken\":true" } else { ",\"taken\":false" });
    json.raw(if action.earlier { ",\"earlier\":true,\"data\":" } else { ",\"data\":" });
    json.value(&action.data);
    json.raw("}");
}
