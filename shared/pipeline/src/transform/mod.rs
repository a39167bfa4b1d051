//! The first stroke: bytes to typed fields, the event's own facts, and the program that brings them into shape.

mod decode;

use std::{
    panic::{AssertUnwindSafe, catch_unwind},
    sync::Arc,
};

use bytestring::ByteString;
use vrl::value::Value;

pub(crate) use decode::{Avro, Decoder, Memory, Shape, Unfit};

use crate::{
    error::{Code, Error, Stage},
    event::{Decoded, Event},
    expression::{Change, Evaluator, Expression},
    identity::decision_id,
    record::{Facts, Record},
    report::{Decision, Disposition},
    types::{FieldType, timestamp},
};

/// A transform written in Rust. An error makes the event poison; so does a panic.
pub type RustTransform = Arc<dyn Fn(&mut Record) -> Result<(), String> + Send + Sync>;

/// What the first stroke does with a decoded record.
pub(crate) enum Step {
    Nothing,
    Vrl(Change),
    /// A function, and the fields it must have set: their places, names and types.
    Rust(RustTransform, Vec<(usize, String, FieldType)>),
}

/// The first stroke.
pub(crate) struct Transform {
    pub pipeline: String,
    pub decoder: Decoder,
    pub id: Option<Expression>,
    pub key: Option<Expression>,
    pub time: Option<Expression>,
    pub step: Step,
    /// How many lookups follow, to make room for what they give.
    pub lookups: usize,
}

impl Transform {
    /// Makes the decisions of one input: one, or several where the body holds several events.
    pub fn run(
        &self,
        input: usize,
        decoded: &Decoded,
        memory: &mut Memory,
        evaluator: &mut Evaluator,
        out: &mut Vec<Decision>,
    ) {
        let event = decoded.event();
        if let Decoded::Undecodable { reason, .. } = decoded {
            let error = Error::poison(Stage::Decode, Code::UNDECODABLE, reason.clone());
            let facts = facts(event, event.id.clone());
            out.push(self.decision(input, facts, event.body.clone(), self.empty(), Some(error)));
            return;
        }
        let parts = self.decoder.decode(event, memory);
        let several = parts.len() > 1;
        for (place, part) in parts.into_iter().enumerate() {
            let id = if several { format!("{}/{}", event.id, place + 1).into() } else { event.id.clone() };
            let mut facts = facts(event, id);
            if let Some(told) = part.told {
                told.over(&mut facts);
            }
            let (record, error) = match part.fields {
                Ok(record) => (record, None),
                Err(error) => (self.empty(), Some(error)),
            };
            let mut decision = self.decision(input, facts, part.body, record, error);
            if decision.error.is_none() {
                decision.error = self.shape(&mut decision.record, evaluator).err();
            }
            decision.id = decision_id(&self.pipeline, &decision.record.facts().id).into();
            out.push(decision);
        }
    }

    fn decision(
        &self,
        input: usize,
        facts: Facts,
        body: bytes::Bytes,
        mut record: Record,
        error: Option<Error>,
    ) -> Decision {
        *record.facts_mut() = facts;
        Decision {
            id: ByteString::new(),
            input,
            body,
            record,
            lookups: Vec::with_capacity(self.lookups),
            predictions: Vec::new(),
            candidates: Vec::new(),
            actions: Vec::new(),
            held_back: Vec::new(),
            replay: None,
            outcome: None,
            disposition: Disposition::Passed,
            error,
        }
    }

    fn empty(&self) -> Record {
        Record::new(self.decoder.shape.layout.clone())
    }

    /// Sets the event's own facts from the file's expressions, then runs the program. All three expressions see the
    /// platform's facts.
    fn shape(&self, record: &mut Record, evaluator: &mut Evaluator) -> Result<(), Error> {
        let id_error = |reason: String| Error::poison(Stage::Decode, Code::EVENT_ID, reason);
        let time_error = |reason: String| Error::poison(Stage::Decode, Code::EVENT_TIME, reason);
        let id = match &self.id {
            None => None,
            Some(id) => {
                let id = id.text(record, evaluator).map_err(|reason| id_error(format!("`event.id`: {reason}")))?;
                let given = id.filter(|id| !id.is_empty());
                Some(given.ok_or_else(|| id_error("`event.id` gives nothing".to_owned()))?)
            }
        };
        let key = match &self.key {
            None => None,
            Some(key) => {
                Some(key.text(record, evaluator).map_err(|reason| id_error(format!("`event.key`: {reason}")))?)
            }
        };
        let time = match &self.time {
            None => None,
            Some(time) => {
                let value =
                    time.eval(record, evaluator).map_err(|reason| time_error(format!("`event.time`: {reason}")))?;
                let unreadable = || {
                    let found = crate::types::describe(&value);
                    time_error(format!("`event.time` gives {found}, neither RFC 3339 nor epoch"))
                };
                if value.is_null() { None } else { Some(timestamp(&value).ok_or_else(unreadable)?) }
            }
        };
        let facts = record.facts_mut();
        facts.id = id.unwrap_or_else(|| std::mem::take(&mut facts.id));
        facts.key = key.unwrap_or_else(|| facts.key.take());
        facts.time = time.or(facts.time);
        let changed = match &self.step {
            Step::Nothing => Ok(()),
            Step::Vrl(program) => program.run(record, evaluator),
            Step::Rust(function, adds) => catch_unwind(AssertUnwindSafe(|| function(record)))
                .unwrap_or_else(|_| Err("the transform panicked".to_owned()))
                .and_then(|()| adds.iter().try_for_each(|add| fit(record, add))),
        };
        changed.map_err(|reason| Error::poison(Stage::Transform, Code::TRANSFORM, reason))
    }
}

/// Makes a field that a Rust transform set fit its type: the compiler of expressions believes it.
fn fit(record: &mut Record, (place, name, declared): &(usize, String, FieldType)) -> Result<(), String> {
    let value = declared.fit(record.take(*place).unwrap_or(Value::Null));
    record.set(*place, value.map_err(|found| format!("the transform left `{name}` as {found}"))?);
    Ok(())
}

/// What the platform says about an event.
fn facts(event: &Event, id: ByteString) -> Facts {
    Facts { id, key: event.key.clone(), time: event.time, attributes: event.attributes.clone() }
}
