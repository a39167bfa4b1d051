//! Lets a batch see a window: which events ask under which key, and what of them is counted.

use std::{sync::Arc, time::Duration};

use bytestring::ByteString;
use chrono::{DateTime, TimeDelta, Utc};

use super::{AHEAD, Advanced, Advancing, Ask, KEYS, Position, Window, start};
use crate::{
    enrich::Lookup,
    error::{Code, Error, Stage},
    event::{Decoded, Event},
    expression::Evaluator,
    identity::digest64,
    pipeline::cpu,
    ports::{Item, Key},
    record::Said,
    report::{Decision, Seen},
};

/// A batch that sees a window.
pub(in crate::enrich) struct Seeing<'a> {
    /// The lookup's place.
    pub place: usize,
    pub lookup: &'a Lookup,
    pub window: &'a Window,
    pub inputs: &'a [Decoded],
    pub now: DateTime<Utc>,
}

impl Seeing<'_> {
    /// Lets each event see what came before it, and counts it. `of` tells each decision's key.
    pub fn advance(
        &self,
        keys: Vec<(Key, Option<Item>)>,
        of: &[Option<usize>],
        decisions: &mut [Decision],
    ) -> Advanced {
        let window = self.window;
        let mut states: Vec<Option<Advancing>> =
            keys.into_iter().map(|(key, item)| Advancing::new(window, key, item.as_ref())).collect();
        self.ask(&mut states, of, decisions);
        cpu::map_mut(&mut states, KEYS, |states| states.iter_mut().flatten().for_each(|state| state.advance(window)));
        for state in states.iter_mut().flatten() {
            for ask in &mut state.asks {
                let (decision, name) = (&mut decisions[ask.decision], self.lookup.name.clone());
                let said = Said::new(window.names.clone(), std::mem::take(&mut ask.sees));
                decision.record.say(self.lookup.place, Arc::new(said));
                decision.lookups.push(Seen { name, found: ask.found, age: Duration::ZERO });
            }
        }
        Advanced { lookup: self.place, keys: states.into_iter().flatten().collect() }
    }

    /// Notes, under each key, which events ask in the order of the batch, and what of them is counted.
    fn ask(&self, states: &mut [Option<Advancing>], of: &[Option<usize>], decisions: &mut [Decision]) {
        let (mut evaluator, mut groups) = (Evaluator::default(), Groups::default());
        let late = TimeDelta::try_milliseconds(self.window.plan.late).unwrap_or(AHEAD.1);
        let latest = self.now + late.clamp(AHEAD.0, AHEAD.1);
        let name = &self.lookup.name;
        // Which event of its body one is.
        let mut part = (usize::MAX, 0);
        for (number, key) in of.iter().enumerate() {
            let decision = &mut decisions[number];
            part = if part.0 == decision.input { (part.0, part.1 + 1) } else { (decision.input, 0) };
            let Some(key) = key.filter(|_| decision.error.is_none()) else { continue };
            let Some(state) = &mut states[key] else {
                let reason = format!("`{name}`, what is kept in its store for this key");
                decision.error = Some(Error::poison(Stage::Enrich, Code::STATE_DAMAGED, reason));
                continue;
            };
            let time = decision.record.facts().time.unwrap_or(self.now);
            let at = time.timestamp_millis();
            match self.window.counted(name, decision, at, &mut evaluator) {
                Ok(counted) => {
                    let event = self.inputs[decision.input].event();
                    let counted = counted.filter(|_| time <= latest);
                    let counted = counted.map(|counted| (counted, groups.position(event, part.1)));
                    let id = start(&decision.id);
                    state.asks.push(Ask { decision: number, at, id, counted, found: false, sees: Vec::new() });
                }
                Err(error) => decision.error = Some(error),
            }
        }
    }
}

/// Remembers a group's digest: most events of a batch are of one.
#[derive(Default)]
struct Groups {
    last: Option<(ByteString, u64)>,
}

impl Groups {
    fn position(&mut self, event: &Event, part: usize) -> Option<Position> {
        let (group, number) = (event.group.as_ref()?, event.position.as_ref()?);
        let digest = match &self.last {
            Some((known, digest)) if known == group => *digest,
            _ => {
                let digest = digest64(&[group.as_bytes()]);
                self.last = Some((group.clone(), digest));
                digest
            }
        };
        // The events of one body stand behind each other.
        Some(Position { group: digest, number: format!("{number}{part:06}").into() })
    }
}
