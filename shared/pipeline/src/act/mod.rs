//! The fourth stroke: rules choose actions, actions become what a sink takes.

mod cloudevents;
pub(crate) mod limit;
pub(crate) mod once;

use std::{ops::Range, sync::Arc};

use bytes::Bytes;
use bytestring::ByteString;
use vrl::value::Value;

use crate::{
    config::{Format, Match},
    error::{Code, Error, Stage},
    expression::{Evaluator, Expression},
    identity::idempotency_key,
    ports::Outgoing,
    report::{Action, Decision},
};

pub(crate) use limit::{Limit, Limited};

/// The media types of what is sent.
pub(crate) const CONTENT_TYPES: [&str; 2] = [JSON, CLOUD_EVENT];
const JSON: &str = "application/json";
pub(crate) const CLOUD_EVENT: &str = "application/cloudevents+json";

/// The fourth stroke's rules.
pub(crate) struct Act {
    pub pipeline: String,
    pub matches: Match,
    pub rules: Vec<Rule>,
    /// The limits of all rules.
    pub limits: Vec<Limit>,
}

/// One rule.
pub(crate) struct Rule {
    pub name: Arc<str>,
    pub when: Option<Expression>,
    pub to: Arc<str>,
    pub format: Format,
    pub key: Option<Expression>,
    /// None: the whole record.
    pub data: Option<Expression>,
    /// The models it reads; without their predictions it does not match.
    pub models: Vec<Arc<str>>,
    pub once: bool,
    /// The places of its limits.
    pub limits: Range<usize>,
}

impl Act {
    /// Chooses a decision's actions. Runs on a CPU thread.
    ///
    /// # Errors
    /// Poison, naming the rule.
    pub fn choose(&self, decision: &mut Decision, evaluator: &mut Evaluator) -> Result<(), Error> {
        for rule in &self.rules {
            let ran = |model: &Arc<str>| decision.predictions.iter().any(|prediction| prediction.name == *model);
            if !rule.models.iter().all(ran) {
                continue;
            }
            let in_rule = |part: &str, reason: String| {
                Error::poison(Stage::Act, Code::RULE, format!("the rule `{}`, `{part}`: {reason}", rule.name))
            };
            if let Some(when) = &rule.when
                && !when.holds(&mut decision.record, evaluator).map_err(|reason| in_rule("when", reason))?
            {
                continue;
            }
            decision.candidates.push(rule.name.clone());
            if self.matches == Match::First && !decision.actions.is_empty() {
                continue;
            }
            let key = match &rule.key {
                Some(key) => key.text(&mut decision.record, evaluator).map_err(|reason| in_rule("key", reason))?,
                None => decision.record.facts().key.clone(),
            };
            let data = match &rule.data {
                Some(data) => {
                    data.eval(&mut decision.record, evaluator).map_err(|reason| in_rule("data", reason))?.into_owned()
                }
                None => decision.record.fields().clone(),
            };
            if has_infinity(&data) {
                return Err(in_rule("data", "a number is infinite, which JSON cannot say".to_owned()));
            }
            let mut limits = Vec::with_capacity(rule.limits.len());
            for place in rule.limits.clone() {
                let counted = self.limits[place].of(place, decision, evaluator);
                limits.extend(counted.map_err(|reason| in_rule("limit", reason))?);
            }
            let outgoing = self.outgoing(rule, decision, key, &data).map_err(|reason| in_rule("data", reason))?;
            decision.actions.push(Action {
                name: rule.name.clone(),
                to: rule.to.clone(),
                data,
                outgoing,
                taken: false,
                earlier: false,
                once: rule.once,
                limits,
                unsure: false,
            });
        }
        Ok(())
    }

    fn outgoing(
        &self,
        rule: &Rule,
        decision: &Decision,
        key: Option<ByteString>,
        data: &Value,
    ) -> Result<Outgoing, String> {
        let id: ByteString = idempotency_key(&self.pipeline, &decision.record.facts().id, &rule.name).into();
        let (content_type, body) = match rule.format {
            Format::Json => (JSON, serde_json::to_vec(data)),
            Format::CloudEvents => {
                (CLOUD_EVENT, cloudevents::encode(&self.pipeline, rule, decision, &id, key.as_deref(), data))
            }
        };
        Ok(Outgoing {
            key,
            content_type,
            attributes: vec![
                ("decision-id", decision.id.clone()),
                ("action", ByteString::from(&*rule.name)),
                ("pipeline", ByteString::from(self.pipeline.as_str())),
            ],
            body: Bytes::from(body.map_err(|error| error.to_string())?),
            id,
        })
    }
}

fn has_infinity(value: &Value) -> bool {
    match value {
        Value::Float(number) => number.is_infinite(),
        Value::Array(items) => items.iter().any(has_infinity),
        Value::Object(fields) => fields.values().any(has_infinity),
        _ => false,
    }
}
