//! From what the core explains to the picture of an event.

use std::time::Duration;

use chrono::{DateTime, SecondsFormat, Utc};
use fourstroke::{
    Value as Field,
    config::{Match, PipelineFile},
    error::Error,
    pipeline::{Asked, Condition, Considered, Explanation, Pipeline, Reached, Weighed},
    report::{Action, Decision, StrokeTimes},
};
use serde_json::Value;

use super::picture::{self, Acting, Failure, Pairs, Picture, Read, documented};

/// What all events of a body share.
pub struct Seen<'a> {
    pub file: &'a PipelineFile,
    pub pipeline: &'a Pipeline,
    pub decided_at: DateTime<Utc>,
    pub times: StrokeTimes,
}

impl Seen<'_> {
    /// Makes the picture of one event of so many.
    pub fn picture(&self, explained: Explanation, size: usize) -> Picture {
        let Explanation { decision, decoded, lookups, models, rules } = explained;
        let facts = decision.record.facts();
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let micros = |time: Duration| u64::try_from(time.as_micros()).unwrap_or(u64::MAX);
        let whole = self.file.act.matches;
        let replay = decision.replay.as_ref().map(|replay| picture::Replayed {
            decided_at: time(replay.decided_at),
            version: replay.version.to_string(),
        });
        Picture {
            decision_id: decision.id.to_string(),
            pipeline: self.pipeline.name().to_owned(),
            version: self.pipeline.version(),
            decided_at: time(self.decided_at),
            event: picture::EventSeen {
                id: facts.id.to_string(),
                key: facts.key.as_ref().map(ToString::to_string),
                time: facts.time.map(time),
                age_ms: facts.time.map(|time| self.decided_at.signed_duration_since(time).num_milliseconds()),
                size: Some(decision.body.len()),
                body: Some(String::from_utf8_lossy(&decision.body).into_owned()),
            },
            transform: transformed(&decision, decoded.as_ref()),
            enrich: lookups.into_iter().map(|asked| self.looked_up(asked, &decision)).collect(),
            infer: models.into_iter().map(|considered| asked(considered, &decision)).collect(),
            act: Acting {
                matches: Some(if whole == Match::First { "first" } else { "all" }),
                rules: rules.into_iter().map(|rule| weighed(rule, &decision)).collect(),
                actions: decision.actions.iter().map(|action| self.sending(action)).collect(),
            },
            outcome: decision
                .outcome
                .as_ref()
                .map(|told| picture::Told { decision_id: told.decision_id.clone(), label: told.label }),
            outcomes: None,
            replay,
            disposition: decision.disposition.as_str().to_owned(),
            error: decision.error.as_ref().map(failure),
            batch_size: size as u64,
            us: picture::Micros {
                transform: micros(self.times.transform),
                enrich: micros(self.times.enrich),
                infer: micros(self.times.infer),
                act: micros(self.times.act),
            },
        }
    }

    fn looked_up(&self, asked: Asked, decision: &Decision) -> picture::LookedUp {
        let config = self.file.enrich.iter().find(|config| *config.name.text == *asked.name);
        let seen = decision.lookups.iter().find(|seen| seen.name == asked.name);
        let value = seen.and_then(|_| decision.record.get(&asked.name)).map_or(Value::Null, json);
        let cache = config.and_then(|config| config.cache);
        let is_window = config.is_some_and(|config| config.window.is_some());
        picture::LookedUp {
            state: match (seen, asked.reached) {
                (Some(seen), _) if is_window && !seen.found => "empty",
                (Some(seen), _) => picture::lookup_state(seen.found, &value),
                (None, Reached::No) => "not-reached",
                (None, _) => "failed",
            },
            from: config.map(|config| config.from.text.clone()),
            key: Some(reads(asked.key)),
            // What a window has counted is never out of date.
            age_ms: seen.filter(|_| !is_window).map(|seen| u64::try_from(seen.age.as_millis()).unwrap_or(u64::MAX)),
            cache_ms: cache.map(|cache| u64::try_from(cache.ttl.as_millis()).unwrap_or(u64::MAX)),
            name: asked.name.to_string(),
            value,
        }
    }

    fn sending(&self, action: &Action) -> picture::Sending {
        let outgoing = &action.outgoing;
        let place = self.file.sinks.iter().find(|(name, _)| *name.text == *action.to);
        let attributes = outgoing.attributes.iter();
        picture::Sending {
            name: action.name.to_string(),
            to: action.to.to_string(),
            place: place.map(|(_, resource)| resource.shown()),
            key: outgoing.key.as_ref().map(ToString::to_string),
            idempotency_key: outgoing.id.to_string(),
            taken: None,
            earlier: action.earlier,
            content_type: Some(outgoing.content_type),
            attributes: Some(Pairs(attributes.map(|(name, value)| ((*name).to_owned(), (&**value).into())).collect())),
            data: json(&action.data),
            body: Some(String::from_utf8_lossy(&outgoing.body).into_owned()),
        }
    }
}

/// Tells the decoded fields from what the transform made of them.
fn transformed(decision: &Decision, decoded: Option<&Field>) -> picture::Transformed {
    let before = decoded.and_then(Field::as_object);
    let later = |name: &str| {
        decision.lookups.iter().any(|seen| *seen.name == *name)
            || decision.predictions.iter().any(|prediction| *prediction.name == *name)
    };
    let mut told = picture::Transformed { decoded: None, added: None, changed: None, removed: None, kept: None };
    let (Some(before), Some(after)) = (before, decision.record.fields().as_object()) else { return told };
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for (name, to) in after.iter().filter(|(name, _)| !later(name)) {
        match before.get(name) {
            None => added.push((name.to_string(), json(to))),
            Some(from) if from != to => {
                changed.push(picture::Changed { name: name.to_string(), from: json(from), to: json(to) });
            }
            Some(_) => {}
        }
    }
    told.removed = Some(before.keys().filter(|name| !after.contains_key(*name)).map(ToString::to_string).collect());
    told.decoded = Some(Pairs(before.iter().map(|(name, value)| (name.to_string(), json(value))).collect()));
    told.added = Some(Pairs(added));
    told.changed = Some(changed);
    told
}

fn asked(considered: Considered, decision: &Decision) -> picture::Asked {
    let said = decision.predictions.iter().find(|prediction| prediction.name == considered.name);
    let wanted = considered.when.as_ref().is_none_or(|when| when.value == Ok(true));
    picture::Asked {
        state: match (said, considered.reached) {
            (Some(_), _) => "ran",
            (None, Reached::No) => "not-reached",
            (None, Reached::Yes) if !wanted => "skipped",
            // Also where the deadline came first.
            (None, _) => "failed",
        },
        name: considered.name.to_string(),
        sha256: considered.sha256.to_string(),
        when: considered.when.map(tested),
        features: Pairs(considered.features.iter().map(|(name, value)| (name.to_string(), json(value))).collect()),
        prediction: said.map_or(Value::Null, |said| json(said.output.value())),
    }
}

fn weighed(rule: Weighed, decision: &Decision) -> picture::Weighed {
    let matches = rule.when.as_ref().is_none_or(|when| when.value == Ok(true));
    picture::Weighed {
        state: match rule.reached {
            Reached::No => "not-reached",
            Reached::Failed => "failed",
            Reached::Yes if decision.actions.iter().any(|action| action.name == rule.name) => "chosen",
            Reached::Yes if decision.held_back.contains(&rule.name) => "held-back",
            Reached::Yes if !rule.lacks.is_empty() => "no-prediction",
            Reached::Yes if matches => "candidate",
            Reached::Yes => "no-match",
        },
        name: rule.name.to_string(),
        when: rule.when.map(tested),
        lacks: rule.lacks.iter().map(ToString::to_string).collect(),
    }
}

fn tested(condition: Condition) -> picture::Tested {
    picture::Tested { text: condition.text, value: condition.value.ok(), reads: reads(condition.reads) }
}

fn reads(pairs: Vec<(String, Field)>) -> Vec<Read> {
    pairs.into_iter().map(|(text, value)| Read { text, value: json(&value) }).collect()
}

fn failure(error: &Error) -> Failure {
    let documented = documented(error.code.as_str());
    Failure {
        code: error.code.as_str().to_owned(),
        stage: Some(error.stage.as_str()),
        kind: Some(error.kind.as_str()),
        reason: Some(error.reason.clone()),
        meaning: documented.map(|(meaning, _)| meaning),
        what_to_do: documented.map(|(_, what_to_do)| what_to_do),
    }
}

/// A field as the decision log writes it.
fn json(value: &Field) -> Value {
    serde_json::to_value(value).unwrap_or_default()
}
