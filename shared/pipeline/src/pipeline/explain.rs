//! Why one event ended as it did: it is run as every event is, and what decided is looked at again afterwards. Nothing
//! after the transform changes what an earlier expression read, so it gives the same again.

use std::sync::Arc;

use vrl::value::Value;

use super::{Inner, Pipeline, Stubs, cpu, run_with};
use crate::{
    clock::Deadline,
    config::{Expr, PipelineFile},
    error::{Code, Stage},
    event::{Decoded, Event},
    expression::{Evaluator, Expression, paths_read},
    record::Record,
    report::{Decision, StrokeTimes},
    transform::Memory,
};

/// A body's events, explained.
#[derive(Clone, Debug)]
pub struct Explained {
    /// One per event of the body; at least one.
    pub events: Vec<Explanation>,
    /// The time all of them took in each stroke.
    pub times: StrokeTimes,
}

/// What decided about one event.
#[derive(Clone, Debug)]
pub struct Explanation {
    /// How it ended, with the record as it was in the end.
    pub decision: Decision,
    /// The fields before the transform; none where the body could not be decoded.
    pub decoded: Option<Value>,
    /// Every lookup, in the order of the file.
    pub lookups: Vec<Asked>,
    /// Every model, in the order of the file.
    pub models: Vec<Considered>,
    /// Every rule, in the order of the file.
    pub rules: Vec<Weighed>,
}

/// What became of a part of a stroke for one event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reached {
    /// It had its turn.
    Yes,
    /// The event failed here.
    Failed,
    /// The event had failed before.
    No,
}

/// A lookup and the key it was asked by.
#[derive(Clone, Debug)]
pub struct Asked {
    /// The lookup's name.
    pub name: Arc<str>,
    /// Whether it had its turn.
    pub reached: Reached,
    /// Per part of the key: its expression, and what it gave; null where there is none. Empty where it was not reached.
    pub key: Vec<(String, Value)>,
}

/// A model, and whether it was for this event.
#[derive(Clone, Debug)]
pub struct Considered {
    /// The model's name.
    pub name: Arc<str>,
    /// The digest of its bytes.
    pub sha256: Arc<str>,
    /// Whether it had its turn.
    pub reached: Reached,
    /// Its `when`, if it has one and was reached.
    pub when: Option<Condition>,
    /// Column by column what went in, or was to go in; empty where it was not asked.
    pub features: Vec<(Arc<str>, Value)>,
}

/// A rule, and what spoke for and against it.
#[derive(Clone, Debug)]
pub struct Weighed {
    /// The rule's name.
    pub name: Arc<str>,
    /// Whether it had its turn.
    pub reached: Reached,
    /// Its `when`, if it has one and was reached.
    pub when: Option<Condition>,
    /// The models it reads that did not run: without them it does not match.
    pub lacks: Vec<Arc<str>>,
}

/// A condition, what it came to, and what it read.
#[derive(Clone, Debug)]
pub struct Condition {
    /// The expression.
    pub text: String,
    /// What it came to, or why it came to nothing.
    pub value: Result<bool, String>,
    /// Each path it reads, once, with its value; null where there is none.
    pub reads: Vec<(String, Value)>,
}

impl Pipeline {
    /// Explains what this pipeline, built of this file, does with one event. It is sent and written where the pipeline's sinks
    /// are: to look only, build it with sinks that keep nothing.
    pub async fn explain(&self, file: &PipelineFile, event: Event, deadline: Deadline, stubs: Stubs) -> Explained {
        let (inner, file) = (self.live.serving(), file.clone());
        let batch = [Decoded::Event(event.clone())].into();
        let report = run_with(inner.clone(), batch, deadline, stubs).await;
        let (decisions, times) = (report.decisions, report.times);
        let events = cpu::run(move || {
            let parts = inner.transform.decoder.decode(&event, &mut Memory::default());
            let both = decisions.into_iter().zip(parts).map(|(decision, part)| {
                let decoded = part.fields.ok().map(|record| record.fields().clone());
                let record = decision.record.clone();
                Look { inner: &inner, file: &file, evaluator: Evaluator::default(), record }.explain(decision, decoded)
            });
            both.collect()
        })
        .await;
        Explained { events, times }
    }
}

/// A second look at one decision.
struct Look<'a> {
    inner: &'a Inner,
    file: &'a PipelineFile,
    evaluator: Evaluator,
    record: Record,
}

impl Look<'_> {
    fn explain(mut self, decision: Decision, decoded: Option<Value>) -> Explanation {
        let lookups = self.lookups(&decision);
        let models = self.models(&decision);
        let rules = self.rules(&decision);
        Explanation { decision, decoded, lookups, models, rules }
    }

    fn lookups(&mut self, decision: &Decision) -> Vec<Asked> {
        let mut asked = Vec::new();
        for (lookup, config) in self.inner.lookups.iter().zip(&self.file.enrich) {
            let reached = match failed_in(decision, Stage::Enrich) {
                _ if decision.lookups.iter().any(|seen| seen.name == lookup.name) => Reached::Yes,
                Some(name) if *name == *lookup.name => Reached::Failed,
                _ => Reached::No,
            };
            let mut key = Vec::new();
            if reached != Reached::No {
                let parts = lookup.keys.iter().zip(&config.key);
                key.extend(parts.map(|(part, expr)| (expr.text.clone(), self.value(part))));
            }
            asked.push(Asked { name: lookup.name.clone(), reached, key });
        }
        asked
    }

    fn models(&mut self, decision: &Decision) -> Vec<Considered> {
        let mut turn = Turn::new(decision, Stage::Infer);
        let mut considered = Vec::new();
        for (model, config) in self.inner.models.iter().zip(&self.file.infer) {
            let said = decision.predictions.iter().find(|prediction| prediction.name == model.name);
            let reached = turn.of(&model.name);
            let when = match reached {
                Reached::No => None,
                _ => self.condition(model.when.as_ref(), config.when.as_ref()),
            };
            let mut features = Vec::new();
            match said {
                Some(said) => {
                    features.extend(decision.features(said).map(|(name, value)| (name.into(), value.clone())))
                }
                None if reached == Reached::Failed && when.as_ref().is_none_or(|when| when.value == Ok(true)) => {
                    let columns = model.features.iter();
                    features.extend(columns.map(|column| (column.name.clone(), self.value(&column.expression))));
                }
                None => {}
            }
            let (name, sha256) = (model.name.clone(), model.sha256.clone());
            considered.push(Considered { name, sha256, reached, when, features });
        }
        considered
    }

    fn rules(&mut self, decision: &Decision) -> Vec<Weighed> {
        let mut turn = Turn::new(decision, Stage::Act);
        let ran = |model: &Arc<str>| decision.predictions.iter().any(|prediction| prediction.name == *model);
        let mut weighed = Vec::new();
        for (rule, config) in self.inner.act.rules.iter().zip(&self.file.act.rules) {
            let reached = turn.of(&rule.name);
            let (mut lacks, mut when) = (Vec::new(), None);
            if reached != Reached::No {
                lacks.extend(rule.models.iter().filter(|model| !ran(model)).cloned());
                // Without the model, what it says has no value to be shown.
                if lacks.is_empty() {
                    when = self.condition(rule.when.as_ref(), config.when.as_ref());
                }
            }
            weighed.push(Weighed { name: rule.name.clone(), reached, when, lacks });
        }
        weighed
    }

    fn condition(&mut self, compiled: Option<&Expression>, expr: Option<&Expr>) -> Option<Condition> {
        let (compiled, expr) = (compiled?, expr?);
        let value = compiled.holds(&mut self.record, &mut self.evaluator);
        let value_at = |path: &_| self.record.at(path).cloned().unwrap_or(Value::Null);
        let reads = paths_read(&expr.text).into_iter().map(|(text, path)| (text, value_at(&path))).collect();
        Some(Condition { text: expr.text.trim().to_owned(), value, reads })
    }

    /// Evaluates once more; null where that ended with an error, which the decision has.
    fn value(&mut self, expression: &Expression) -> Value {
        expression.eval(&mut self.record, &mut self.evaluator).map_or(Value::Null, |value| value.into_owned())
    }
}

/// Tells, part by part in the order of a stroke, which had its turn.
struct Turn<'a> {
    decision: &'a Decision,
    stage: Stage,
    over: bool,
}

impl Turn<'_> {
    fn new(decision: &Decision, stage: Stage) -> Turn<'_> {
        let over = decision.error.as_ref().is_some_and(|error| (error.stage as u8) < stage as u8);
        Turn { decision, stage, over }
    }

    fn of(&mut self, name: &str) -> Reached {
        if self.over {
            return Reached::No;
        }
        self.over = failed_in(self.decision, self.stage) == Some(name);
        if self.over { Reached::Failed } else { Reached::Yes }
    }
}

/// Names the lookup, model or rule that an event failed in: the first name an error of that stage quotes.
fn failed_in(decision: &Decision, stage: Stage) -> Option<&str> {
    let error = decision.error.as_ref().filter(|error| error.stage == stage)?;
    // Other errors of this stage name sinks, or the outcome.
    if stage == Stage::Act && error.code != Code::RULE {
        return None;
    }
    let quoted = error.reason.split('`').nth(1)?;
    // Of a model, one of its parts may be named; a rule's own name may have dots.
    if stage == Stage::Infer { quoted.split('.').next() } else { Some(quoted) }
}
