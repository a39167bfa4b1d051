//! The breaker of `on_error.stop_above`: when too many of the last events are poison, events are held until a batch gets
//! through again. It is told the time and never waits; its lock is taken a few times per batch, never per event.

mod window;

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

pub(super) use window::Fate;
use window::Window;

use crate::{clock::Backoff, config::StopAbove, report::BreakerChange};

/// The first and the longest wait between two probes.
const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// Where a batch stops going on.
#[derive(Debug, PartialEq)]
pub(super) struct Cut {
    /// The first of its events to be held.
    pub place: usize,
    /// Set where this batch tripped it.
    pub change: Option<BreakerChange>,
}

/// One pipeline's breaker in one process.
#[derive(Debug)]
pub(super) struct Breaker {
    limit: StopAbove,
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    phase: Phase,
    /// The waits between probes. They begin anew only when a whole window was decided in between: what trips it at once
    /// again, such as a sink that refuses everything or batches of one event, is held for longer each time.
    backoff: Backoff,
    /// The poison of batches that write it down right now and have not settled: it counts already.
    writing: u64,
}

#[derive(Debug)]
enum Phase {
    Closed(Window),
    Open {
        since: Instant,
        probe_at: Instant,
    },
    /// One batch tries whether it gets through.
    Probing {
        since: Instant,
    },
}

/// A batch that runs. Dropped unsettled, its events are asked for again: it counts for nothing.
#[derive(Debug)]
pub(super) struct Turn {
    breaker: Arc<Breaker>,
    mark: Mark,
    entered: Instant,
}

/// What the state remembers a batch for.
#[derive(Debug, Default)]
struct Mark {
    probe: bool,
    /// Its part of [`State::writing`].
    writing: u64,
}

impl Breaker {
    pub fn new(limit: StopAbove) -> Breaker {
        Breaker { limit, state: Mutex::new(State::new()) }
    }

    /// Lets a batch run, or says that its events are to be held.
    pub fn enter(self: &Arc<Self>, now: Instant) -> Option<Turn> {
        let mark = self.lock().enter(now)?;
        Some(Turn { breaker: self.clone(), mark, entered: now })
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Turn {
    /// Says from where on a batch is held, before its poison is written down; again when more poison is known.
    pub fn judge<'a>(&mut self, fates: impl Iterator<Item = Fate<'a>> + Clone, now: Instant) -> Option<Cut> {
        self.breaker.lock().judge(self.breaker.limit, &mut self.mark, fates, now)
    }

    /// Counts how the batch's events ended.
    pub fn settle<'a>(mut self, fates: impl Iterator<Item = Fate<'a>> + Clone, now: Instant) -> Option<BreakerChange> {
        self.breaker.lock().settle(self.breaker.limit, std::mem::take(&mut self.mark), fates, now)
    }
}

impl Drop for Turn {
    fn drop(&mut self) {
        let mark = std::mem::take(&mut self.mark);
        if mark.probe || mark.writing > 0 {
            self.breaker.lock().leave(self.breaker.limit, mark, self.entered);
        }
    }
}

impl State {
    fn new() -> State {
        State { phase: Phase::Closed(Window::default()), backoff: Backoff::new(FIRST, LONGEST), writing: 0 }
    }

    fn enter(&mut self, now: Instant) -> Option<Mark> {
        match self.phase {
            Phase::Closed(_) => Some(Mark::default()),
            Phase::Open { since, probe_at } if now >= probe_at => {
                self.phase = Phase::Probing { since };
                Some(Mark { probe: true, writing: 0 })
            }
            Phase::Open { .. } | Phase::Probing { .. } => None,
        }
    }

    fn judge<'a>(
        &mut self,
        limit: StopAbove,
        mark: &mut Mark,
        fates: impl Iterator<Item = Fate<'a>> + Clone,
        now: Instant,
    ) -> Option<Cut> {
        self.writing -= std::mem::take(&mut mark.writing);
        let (mut ahead, others) = match &self.phase {
            Phase::Closed(_) if !fates.clone().any(Fate::is_poison) => return None,
            Phase::Closed(window) => (window.clone(), self.writing),
            Phase::Probing { .. } if mark.probe && !above(limit, fates.clone()) => (Window::default(), 0),
            Phase::Probing { .. } if mark.probe => return self.judge_failed(limit, mark, fates, now),
            // Another batch tripped it meanwhile.
            Phase::Open { .. } | Phase::Probing { .. } => return Some(Cut { place: 0, change: None }),
        };
        let mut before = 0;
        for (place, fate) in fates.enumerate() {
            ahead.push(fate, limit.of_last);
            if !fate.is_poison() {
                continue;
            }
            if ahead.poison() + others > limit.allowed(limit.of_last) {
                let change = matches!(self.phase, Phase::Closed(_)).then(|| ahead.tripped(limit, others));
                self.write(mark, before);
                self.open(limit, mark, now);
                return Some(Cut { place, change });
            }
            before += 1;
        }
        self.write(mark, before);
        None
    }

    /// Lets a little of a failed probe through: what its share allows, and one event at least. It may be all there is to
    /// probe with, as in a worker that goes on only behind it: bit by bit it gets past its poison.
    fn judge_failed<'a>(
        &mut self,
        limit: StopAbove,
        mark: &mut Mark,
        fates: impl Iterator<Item = Fate<'a>> + Clone,
        now: Instant,
    ) -> Option<Cut> {
        let decided = fates.clone().filter(|fate| fate.is_decided()).count() as u64;
        let most = limit.allowed(decided.min(limit.of_last)).max(1);
        let mut before = 0;
        for (place, _) in fates.enumerate().filter(|(_, fate)| fate.is_poison()) {
            if before == most {
                self.write(mark, before);
                self.open(limit, mark, now);
                return Some(Cut { place, change: None });
            }
            before += 1;
        }
        self.write(mark, before);
        None
    }

    fn write(&mut self, mark: &mut Mark, poison: u64) {
        mark.writing = poison;
        self.writing += poison;
    }

    fn settle<'a>(
        &mut self,
        limit: StopAbove,
        mark: Mark,
        fates: impl Iterator<Item = Fate<'a>> + Clone,
        now: Instant,
    ) -> Option<BreakerChange> {
        let Phase::Closed(window) = &mut self.phase else { return self.settle_probe(limit, mark, fates, now) };
        self.writing -= mark.writing;
        for fate in fates {
            window.push(fate, limit.of_last);
            // What the good events that are asked for again would have pushed out is still in the window.
            if window.poison() > limit.allowed(limit.of_last) {
                let change = window.tripped(limit, 0);
                self.open(limit, &mut Mark::default(), now);
                return Some(change);
            }
        }
        None
    }

    /// Closes after a probe of which something was decided, and not too much of it was poison.
    fn settle_probe<'a>(
        &mut self,
        limit: StopAbove,
        mark: Mark,
        fates: impl Iterator<Item = Fate<'a>> + Clone,
        now: Instant,
    ) -> Option<BreakerChange> {
        let decided = fates.clone().any(Fate::is_decided);
        match self.phase {
            Phase::Probing { since } if mark.probe && decided && !above(limit, fates.clone()) => {
                self.writing -= mark.writing;
                let mut window = Window::default();
                fates.for_each(|fate| window.push(fate, limit.of_last));
                self.phase = Phase::Closed(window);
                Some(BreakerChange::Closed { after: now.duration_since(since) })
            }
            _ => {
                self.leave(limit, mark, now);
                None
            }
        }
    }

    /// Forgets a batch.
    fn leave(&mut self, limit: StopAbove, mut mark: Mark, now: Instant) {
        self.writing -= mark.writing;
        if mark.probe {
            self.open(limit, &mut mark, now);
        }
    }

    /// Holds events from now on, or for longer.
    fn open(&mut self, limit: StopAbove, mark: &mut Mark, now: Instant) {
        mark.probe = false;
        let since = match &self.phase {
            Phase::Closed(window) => {
                if window.seen >= limit.of_last {
                    self.backoff = Backoff::new(FIRST, LONGEST);
                }
                now
            }
            Phase::Open { since, .. } | Phase::Probing { since } => *since,
        };
        self.phase = Phase::Open { since, probe_at: now + self.backoff.delay() };
    }
}

/// Tells whether more of a batch's decided events are poison than the share allows.
fn above<'a>(limit: StopAbove, fates: impl Iterator<Item = Fate<'a>>) -> bool {
    let (mut decided, mut poison) = (0, 0);
    for fate in fates {
        decided += u64::from(fate.is_decided());
        poison += u64::from(fate.is_poison());
    }
    poison > limit.allowed(decided)
}

#[cfg(test)]
mod tests;
