//! From an entry of the decision log to the picture of an event.

use serde::Deserialize;
use serde_json::Value;

use crate::explain::picture::{
    Acting, Asked, EventSeen, Failure, LookedUp, Micros, Pairs, Picture, Replayed, Sending, Told, Transformed, Turned,
    Weighed, documented, lookup_state,
};

/// An entry, as far as it is shown. What an entry lacks, as one of another version may, is empty.
#[derive(Default, Deserialize)]
#[serde(default)]
pub struct Entry {
    pub decision_id: String,
    pub event_id: String,
    pub decided_at: String,
    key: Option<String>,
    event_time: Option<String>,
    event_age_ms: Option<i64>,
    pipeline: String,
    version: String,
    record: Value,
    enriched: Pairs<Enriched>,
    features: Pairs<Pairs>,
    predictions: Pairs,
    model: Vec<Model>,
    candidates: Vec<String>,
    actions: Vec<Action>,
    held_back: Vec<String>,
    replay: Option<Replayed>,
    disposition: String,
    code: Option<String>,
    batch_size: u64,
    us: Micros,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Enriched {
    value: Value,
    found: bool,
    age_ms: Option<u64>,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Model {
    name: String,
    sha256: String,
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Action {
    name: String,
    to: String,
    key: Option<String>,
    idempotency_key: String,
    taken: Option<bool>,
    earlier: bool,
    data: Value,
}

/// A line of the log that says how an earlier decision turned out.
#[derive(Clone, Deserialize, PartialEq)]
pub struct Outcome {
    pub outcome_of: String,
    label: bool,
    #[serde(default)]
    delay_ms: Option<i64>,
    #[serde(default)]
    pub event_id: String,
    #[serde(default)]
    event_time: Option<String>,
}

impl Entry {
    /// Makes the picture, with those of the outcomes that are of this decision, or that this event tells; what the log does
    /// not hold stays out of it.
    pub fn picture(self, outcomes: &[Outcome]) -> Picture {
        let told = outcomes.iter().find(|outcome| outcome.event_id == self.event_id);
        let turned = outcomes.iter().filter(|outcome| outcome.outcome_of == self.decision_id).map(Outcome::turned);
        let turned = turned.collect();
        let chosen = |name: &String| self.actions.iter().any(|action| action.name == *name);
        let rules = self.candidates.iter().map(|name| Weighed {
            state: match chosen(name) {
                true => "chosen",
                false if self.held_back.contains(name) => "held-back",
                false => "candidate",
            },
            name: name.clone(),
            when: None,
            lacks: Vec::new(),
        });
        let rules = rules.collect();
        let sha256 = |name: &str| {
            let model = self.model.iter().find(|model| model.name == *name);
            model.map(|model| model.sha256.clone()).unwrap_or_default()
        };
        let mut features = self.features.0;
        let mut asked = |(name, prediction): (String, Value)| {
            let place = features.iter().position(|(of, _)| *of == name);
            Asked {
                sha256: sha256(&name),
                state: "ran",
                when: None,
                features: place.map(|place| features.swap_remove(place).1).unwrap_or_default(),
                prediction,
                name,
            }
        };
        Picture {
            infer: self.predictions.0.into_iter().map(&mut asked).collect(),
            decision_id: self.decision_id,
            pipeline: self.pipeline,
            version: self.version,
            decided_at: self.decided_at,
            event: EventSeen {
                id: self.event_id,
                key: self.key,
                time: self.event_time,
                age_ms: self.event_age_ms,
                size: None,
                body: None,
            },
            transform: Transformed {
                decoded: None,
                added: None,
                changed: None,
                removed: None,
                kept: Some(self.record),
            },
            enrich: self.enriched.0.into_iter().map(looked_up).collect(),
            act: Acting { matches: None, rules, actions: self.actions.into_iter().map(sent).collect() },
            outcome: told.map(|told| Told { decision_id: told.outcome_of.clone(), label: told.label }),
            outcomes: Some(turned),
            replay: self.replay,
            disposition: self.disposition,
            error: self.code.map(failure),
            batch_size: self.batch_size,
            us: self.us,
        }
    }
}

impl Outcome {
    fn turned(&self) -> Turned {
        let Outcome { label, delay_ms, event_id, event_time, .. } = self.clone();
        Turned { label, delay_ms, event_id, event_time }
    }
}

fn looked_up((name, seen): (String, Enriched)) -> LookedUp {
    LookedUp {
        state: lookup_state(seen.found, &seen.value),
        name,
        from: None,
        key: None,
        age_ms: seen.age_ms,
        cache_ms: None,
        value: seen.value,
    }
}

fn sent(action: Action) -> Sending {
    Sending {
        name: action.name,
        to: action.to,
        place: None,
        key: action.key,
        idempotency_key: action.idempotency_key,
        taken: action.taken,
        earlier: action.earlier,
        content_type: None,
        attributes: None,
        data: action.data,
        body: None,
    }
}

fn failure(code: String) -> Failure {
    let documented = documented(&code);
    Failure {
        code,
        stage: None,
        kind: None,
        reason: None,
        meaning: documented.map(|(meaning, _)| meaning),
        what_to_do: documented.map(|(_, what_to_do)| what_to_do),
    }
}
