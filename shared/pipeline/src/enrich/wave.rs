//! Lookups of one wave: asked at the same time, as none needs another's answer.

use super::{Answers, Lookup, asked::Asked};
use crate::{
    clock::{Clock, Deadline},
    pipeline::{Stubs, cpu},
    report::Decision,
};

/// A wave whose keys are known, and some of its answers.
pub(crate) struct Wave {
    number: usize,
    /// By lookup of the wave.
    lookups: Vec<(Asked, Answers)>,
}

impl Wave {
    /// Runs lookups from a wave on, as far as caches and stubs have all answers. Gives the first wave that has to ask a
    /// store, if there is one.
    pub fn from(
        mut number: usize,
        lookups: &[Lookup],
        decisions: &mut [Decision],
        clock: &Clock,
        stubs: &Stubs,
    ) -> Option<Wave> {
        let waves = lookups.iter().map(|lookup| lookup.wave + 1).max().unwrap_or(0);
        while number < waves {
            let now = clock.now();
            let known = of_wave(lookups, number).map(|lookup| {
                let asked = Asked::collect(lookup, decisions);
                let answers = lookup.known(&asked.keys, stubs, now);
                (asked, answers)
            });
            let wave = Wave { number, lookups: known.collect() };
            if wave.lookups.iter().any(|(_, answers)| answers.iter().any(Option::is_none)) {
                return Some(wave);
            }
            number = wave.apply(lookups, decisions, clock);
        }
        None
    }

    /// Asks the stores for what is not known yet, all at the same time.
    pub async fn ask(&mut self, lookups: &[Lookup], clock: &Clock, deadline: Deadline) {
        let asks = of_wave(lookups, self.number)
            .zip(&mut self.lookups)
            .map(|(lookup, (asked, answers))| lookup.ask(&asked.keys, answers, clock, deadline));
        futures_util::future::join_all(asks).await;
    }

    /// Puts the answers into the records. Gives the number of the next wave.
    pub fn apply(self, lookups: &[Lookup], decisions: &mut [Decision], clock: &Clock) -> usize {
        let now = clock.now();
        for (lookup, (asked, answers)) in of_wave(lookups, self.number).zip(&self.lookups) {
            cpu::each_with(decisions, &asked.of, cpu::CHUNK, |decisions, places| {
                for (decision, place) in
                    decisions.iter_mut().zip(places).filter(|(decision, _)| decision.error.is_none())
                {
                    lookup.apply(decision, place.map(|place| &answers[place]), now);
                }
            });
        }
        self.number + 1
    }
}

fn of_wave(lookups: &[Lookup], wave: usize) -> impl Iterator<Item = &Lookup> {
    lookups.iter().filter(move |lookup| lookup.wave == wave)
}
