//! Lookups of one wave: asked at the same time, as none needs another's answer.

use super::{Advanced, Answers, Lookup, Window, asked::Asked, keys::Keys, window};
use crate::{
    clock::{Clock, Deadline},
    event::Decoded,
    pipeline::{Stubs, cpu},
    ports::{Item, Key, StoreError},
    report::{Decision, Reads},
    state,
};

/// What the lookups of a batch go by.
#[derive(Clone, Copy)]
pub(crate) struct Batch<'a> {
    pub lookups: &'a [Lookup],
    pub inputs: &'a [Decoded],
    pub clock: &'a Clock,
    pub stubs: &'a Stubs,
}

/// A wave whose keys are known, and some of its answers.
pub(crate) struct Wave {
    number: usize,
    /// By lookup of the wave.
    lookups: Vec<(Asked, Answering)>,
}

/// What is known of a lookup's keys.
enum Answering {
    Rows(Answers),
    /// Nothing before its store was asked.
    Window(Option<Vec<Result<Option<Item>, StoreError>>>),
}

impl Wave {
    /// Runs lookups from a wave on, as far as caches and stubs have all answers. Gives the first wave that has to ask a
    /// store, if there is one.
    pub fn from(
        mut number: usize,
        batch: Batch<'_>,
        decisions: &mut [Decision],
        windows: &mut Vec<Advanced>,
        reads: &mut Reads,
    ) -> Option<Wave> {
        let waves = batch.lookups.iter().map(|lookup| lookup.wave + 1).max().unwrap_or(0);
        while number < waves {
            let now = batch.clock.now();
            let known = of_wave(batch.lookups, number).map(|(_, lookup)| {
                let asked = Asked::collect(lookup, decisions);
                let stands_in = batch.stubs.given.contains_key(&*lookup.name);
                let answering = match lookup.window {
                    Some(_) if !stands_in => Answering::Window((asked.keys.len() == 0).then(Vec::new)),
                    _ => Answering::Rows(lookup.known(&asked.keys, batch.stubs, now)),
                };
                (asked, answering)
            });
            let wave = Wave { number, lookups: known.collect() };
            wave.lookups.iter().for_each(|(asked, answering)| answering.count(asked, reads));
            if !wave.lookups.iter().all(|(_, answering)| answering.is_complete()) {
                return Some(wave);
            }
            number = wave.apply(batch, decisions, windows);
        }
        None
    }

    /// Asks the stores for what is not known yet, all at the same time.
    pub async fn ask(&mut self, lookups: &[Lookup], clock: &Clock, deadline: Deadline) {
        let asks = of_wave(lookups, self.number).zip(&mut self.lookups).map(|((_, lookup), (asked, answering))| {
            let keys = &asked.keys;
            async move {
                match answering {
                    Answering::Rows(answers) => lookup.ask(keys, answers, clock, deadline).await,
                    Answering::Window(items) => {
                        *items = Some(state::read(&*lookup.store, &all(keys), deadline).await);
                    }
                }
            }
        });
        futures_util::future::join_all(asks).await;
    }

    /// Puts the answers into the records, and adds what windows came to. Gives the number of the next wave.
    pub fn apply(self, batch: Batch<'_>, decisions: &mut [Decision], windows: &mut Vec<Advanced>) -> usize {
        for ((place, lookup), (asked, answering)) in of_wave(batch.lookups, self.number).zip(self.lookups) {
            match (answering, &lookup.window) {
                (Answering::Window(items), Some(window)) => {
                    windows.push(see(batch, (place, lookup, window), &asked, items.unwrap_or_default(), decisions));
                }
                (Answering::Rows(answers), _) => rows(batch, lookup, &asked, &answers, decisions),
                (Answering::Window(_), None) => {}
            }
        }
        self.number + 1
    }
}

impl Answering {
    fn count(&self, asked: &Asked, reads: &mut Reads) {
        let known = match self {
            Answering::Rows(answers) => answers.iter().filter(|answer| answer.is_some()).count(),
            Answering::Window(_) => 0,
        };
        reads.cached += known;
        reads.asked += asked.keys.len() - known;
    }

    fn is_complete(&self) -> bool {
        match self {
            Answering::Rows(answers) => answers.iter().all(Option::is_some),
            Answering::Window(items) => items.is_some(),
        }
    }
}

fn rows(batch: Batch<'_>, lookup: &Lookup, asked: &Asked, answers: &Answers, decisions: &mut [Decision]) {
    let now = batch.clock.now();
    cpu::each_with(decisions, &asked.of, cpu::CHUNK, |decisions, places| {
        for (decision, place) in decisions.iter_mut().zip(places).filter(|(decision, _)| decision.error.is_none()) {
            lookup.apply(decision, place.map(|place| &answers[place]), now);
        }
    });
}

/// Lets the batch see a window.
fn see(
    batch: Batch<'_>,
    (place, lookup, window): (usize, &Lookup, &Window),
    asked: &Asked,
    items: Vec<Result<Option<Item>, StoreError>>,
    decisions: &mut [Decision],
) -> Advanced {
    let now = batch.clock.now();
    for (decision, key) in decisions.iter_mut().zip(&asked.of).filter(|(decision, _)| decision.error.is_none()) {
        match key.map(|key| &items[key]) {
            // Without a key it is left alone.
            None => lookup.apply(decision, None, now),
            Some(Err(error)) => decision.error = Some(lookup.failed(error.clone())),
            Some(Ok(_)) => {}
        }
    }
    let keys = all(&asked.keys).into_iter().zip(items.into_iter().map(|item| item.ok().flatten())).collect();
    window::Seeing { place, lookup, window, inputs: batch.inputs, now }.advance(keys, &asked.of, decisions)
}

fn all(keys: &Keys) -> Vec<Key> {
    (0..keys.len()).map(|place| keys.parts(place).to_key()).collect()
}

fn of_wave(lookups: &[Lookup], wave: usize) -> impl Iterator<Item = (usize, &Lookup)> {
    lookups.iter().enumerate().filter(move |(_, lookup)| lookup.wave == wave)
}
