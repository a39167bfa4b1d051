//! Every way three workers can meet over one event: a crash, leases that end, deliveries that come again, answers that get
//! lost, a deploy in between. The transitions are the pipeline's own (`protocol.rs`), the store's conditions are modelled.

use std::collections::{HashMap, VecDeque};

use super::{Claim, End, Found, Sending, claim, end};

const WORKERS: usize = 3;
/// An attempt has a token of its own; beyond that many, a way is not followed further.
const ATTEMPTS: u8 = 6;

#[derive(Clone, Debug, PartialEq, Eq, Hash)]
struct State {
    entry: Option<Stored>,
    workers: [Phase; WORKERS],
    /// Deliveries that nobody has taken.
    waiting: u8,
    /// The version that is deployed decides what is to be done.
    deployed: u8,
    attempts: u8,
    /// The last token and version given.
    token: u8,
    puts: u8,
    /// How often it was done, and as which version decided.
    effects: u8,
    done_as: Option<u8>,
    /// Something happened that makes a second effect possible: an answer got lost, or a lease ended, behind an effect or while
    /// it was on its way.
    excused: bool,
    left: Left,
}

/// How often the world may still misbehave.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Left {
    crashes: u8,
    leases: u8,
    redeliveries: u8,
    deploys: u8,
    faults: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Stored {
    decided_as: u8,
    token: u8,
    first_attempt: bool,
    leased: bool,
    done: bool,
    version: u8,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Phase {
    Idle,
    /// Has decided, and puts; or has put, and did not hear of it.
    Claiming {
        token: u8,
        version: u8,
    },
    /// Has seen an entry that is open.
    TakingOver {
        token: u8,
        version: u8,
        seen: u8,
    },
    /// Holds the entry of that version, and what it was decided as; `over`: its lease has ended since.
    Ready {
        token: u8,
        held: u8,
        decided_as: u8,
        over: bool,
    },
    /// Has looked at its lease, and sends.
    Sending {
        token: u8,
        held: u8,
        decided_as: u8,
    },
    Settling {
        token: u8,
        held: u8,
        sending: Sending,
    },
}

impl State {
    fn found(&self, token: u8) -> Found {
        match self.entry {
            None => Found::Nothing,
            Some(entry) if entry.done => Found::Done,
            Some(entry) if entry.token == token => Found::Mine,
            Some(entry) if entry.leased => Found::Leased,
            Some(_) => Found::Open,
        }
    }

    fn put(&mut self, entry: Stored) {
        self.puts += 1;
        self.entry = Some(Stored { version: self.puts, ..entry });
    }

    fn retry(&mut self, worker: usize) {
        self.waiting += 1;
        self.workers[worker] = Phase::Idle;
    }

    /// Takes note of one effect.
    fn act(&mut self, decided_as: u8) {
        assert!(self.done_as.is_none_or(|before| before == decided_as), "done as two decisions: {self:?}");
        self.done_as = Some(decided_as);
        self.effects += 1;
        assert!(self.effects == 1 || self.excused, "done twice without need: {self:?}");
    }

    /// Every next state.
    fn next(&self) -> Vec<State> {
        let mut next = Vec::new();
        for worker in 0..WORKERS {
            self.step(worker, &mut next);
            if self.left.crashes > 0 && self.workers[worker] != Phase::Idle {
                let mut crashed = self.clone();
                crashed.left.crashes -= 1;
                crashed.excused |= matches!(self.workers[worker], Phase::Settling { sending: Sending::Taken, .. });
                crashed.retry(worker);
                next.push(crashed);
            }
        }
        if self.left.redeliveries > 0 {
            let mut again = self.clone();
            again.left.redeliveries -= 1;
            again.waiting += 1;
            next.push(again);
        }
        if self.left.deploys > 0 {
            let mut deployed = self.clone();
            deployed.left.deploys -= 1;
            deployed.deployed += 1;
            next.push(deployed);
        }
        next.extend(self.lease_ends());
        next
    }

    fn lease_ends(&self) -> Option<State> {
        let entry = self.entry.filter(|entry| entry.leased && !entry.done)?;
        let holds = |phase: &Phase| match phase {
            Phase::Ready { token, .. }
            | Phase::Sending { token, .. }
            | Phase::Settling { token, .. }
            | Phase::Claiming { token, .. } => *token == entry.token,
            Phase::Idle | Phase::TakingOver { .. } => false,
        };
        let held = self.workers.iter().any(holds);
        // Of one that is gone the lease always ends.
        if held && self.left.leases == 0 {
            return None;
        }
        let mut ended = self.clone();
        ended.left.leases -= u8::from(held);
        ended.entry = Some(Stored { leased: false, ..entry });
        for phase in &mut ended.workers {
            match phase {
                Phase::Ready { token, over, .. } if *token == entry.token => *over = true,
                Phase::Sending { token, .. } | Phase::Settling { token, sending: Sending::Taken, .. }
                    if *token == entry.token =>
                {
                    ended.excused = true;
                }
                _ => {}
            }
        }
        Some(ended)
    }

    fn step(&self, worker: usize, next: &mut Vec<State>) {
        let mut state = self.clone();
        match self.workers[worker] {
            Phase::Idle => {
                if self.waiting == 0 || self.attempts == ATTEMPTS {
                    return;
                }
                state.waiting -= 1;
                state.attempts += 1;
                state.token += 1;
                state.workers[worker] = Phase::Claiming { token: state.token, version: state.deployed };
                next.push(state);
            }
            Phase::Claiming { token, version } => match claim(self.found(token)) {
                Claim::Begin => {
                    let entry = Stored {
                        decided_as: version,
                        token,
                        first_attempt: true,
                        leased: true,
                        done: false,
                        version: 0,
                    };
                    state.put(entry);
                    state.held(worker, token, version, next);
                }
                Claim::Act => {
                    state.ready(worker, token);
                    next.push(state);
                }
                Claim::TakeOver => {
                    let seen = self.entry.map_or(0, |entry| entry.version);
                    state.workers[worker] = Phase::TakingOver { token, version, seen };
                    next.push(state);
                }
                Claim::Wait => {
                    state.retry(worker);
                    next.push(state);
                }
                Claim::Skip => {
                    state.workers[worker] = Phase::Idle;
                    next.push(state);
                }
            },
            Phase::TakingOver { token, version, seen } => match self.entry {
                Some(entry) if entry.version == seen => {
                    state.put(Stored { token, first_attempt: false, leased: true, ..entry });
                    state.held(worker, token, version, next);
                }
                _ => {
                    state.workers[worker] = Phase::Claiming { token, version };
                    next.push(state);
                }
            },
            Phase::Ready { token, held, decided_as, over } => {
                state.workers[worker] = if over {
                    Phase::Settling { token, held, sending: Sending::Not }
                } else {
                    Phase::Sending { token, held, decided_as }
                };
                next.push(state);
            }
            Phase::Sending { token, held, decided_as } => self.send(worker, token, held, decided_as, next),
            Phase::Settling { token, held, sending } => {
                let Some(entry) = self.entry.filter(|entry| entry.version == held) else {
                    return state.settled(worker, sending, next);
                };
                assert_eq!(entry.token, token, "only what was put by this attempt has that version");
                match end([sending], entry.first_attempt) {
                    End::Done => {
                        assert!(self.effects > 0, "marked without an effect: {self:?}");
                        state.put(Stored { done: true, ..entry });
                    }
                    End::GiveBack => state.put(Stored { leased: false, ..entry }),
                    End::Remove => {
                        assert_eq!(self.effects, 0, "forgotten although it may have happened: {self:?}");
                        state.entry = None;
                    }
                }
                state.settled(worker, sending, next);
            }
        }
    }

    /// A put was done; its answer may get lost.
    fn held(mut self, worker: usize, token: u8, version: u8, next: &mut Vec<State>) {
        if self.left.faults > 0 {
            let mut lost = self.clone();
            lost.left.faults -= 1;
            lost.workers[worker] = Phase::Claiming { token, version };
            next.push(lost);
        }
        self.ready(worker, token);
        next.push(self);
    }

    /// The worker holds the entry; its lease may have ended before it heard.
    fn ready(&mut self, worker: usize, token: u8) {
        if let Some(Stored { version, decided_as, leased, .. }) = self.entry {
            self.workers[worker] = Phase::Ready { token, held: version, decided_as, over: !leased };
        }
    }

    fn send(&self, worker: usize, token: u8, held: u8, decided_as: u8, next: &mut Vec<State>) {
        let mut taken = self.clone();
        taken.act(decided_as);
        let mut end = |state: &State, sending, fault| {
            let mut state = state.clone();
            if fault && state.left.faults == 0 {
                return;
            }
            state.left.faults -= u8::from(fault);
            state.workers[worker] = Phase::Settling { token, held, sending };
            next.push(state);
        };
        end(&taken, Sending::Taken, false);
        taken.excused = true;
        end(&taken, Sending::Unknown, true);
        end(self, Sending::Not, true);
        end(self, Sending::Unknown, true);
    }

    fn settled(mut self, worker: usize, sending: Sending, next: &mut Vec<State>) {
        match sending {
            Sending::Taken => self.workers[worker] = Phase::Idle,
            Sending::Not | Sending::Unknown => self.retry(worker),
        }
        next.push(self);
    }

    /// Gives states that differ in nothing that matters one form: workers are alike, and of tokens and versions only those in
    /// use matter, and which of them are the same.
    fn plain(mut self) -> State {
        let (mut tokens, mut versions) = (vec![0], vec![0]);
        self.each_number(&mut |token, version| {
            tokens.push(*token);
            versions.extend(version.map(|version| *version));
        });
        for used in [&mut tokens, &mut versions] {
            used.sort_unstable();
            used.dedup();
        }
        let rank = |used: &[u8], number: u8| used.partition_point(|used| *used < number) as u8;
        self.each_number(&mut |token, version| {
            *token = rank(&tokens, *token);
            if let Some(version) = version {
                *version = rank(&versions, *version);
            }
        });
        (self.token, self.puts) = (tokens.len() as u8, versions.len() as u8);
        self.workers.sort_unstable();
        self
    }

    fn each_number(&mut self, each: &mut dyn FnMut(&mut u8, Option<&mut u8>)) {
        if let Some(entry) = &mut self.entry {
            each(&mut entry.token, Some(&mut entry.version));
        }
        for phase in &mut self.workers {
            match phase {
                Phase::Idle => {}
                Phase::Claiming { token, .. } => each(token, None),
                Phase::TakingOver { token, seen, .. } => each(token, Some(seen)),
                Phase::Ready { token, held, .. }
                | Phase::Sending { token, held, .. }
                | Phase::Settling { token, held, .. } => each(token, Some(held)),
            }
        }
    }

    fn is_over(&self) -> bool {
        self.waiting == 0 && self.workers.iter().all(|phase| *phase == Phase::Idle)
    }
}

#[test]
fn nothing_is_lost_and_nothing_is_done_twice_without_need() {
    let start = State {
        entry: None,
        workers: [Phase::Idle; WORKERS],
        waiting: 1,
        deployed: 1,
        attempts: 0,
        token: 0,
        puts: 0,
        effects: 0,
        done_as: None,
        excused: false,
        left: Left { crashes: 1, leases: 2, redeliveries: 2, deploys: 1, faults: 1 },
    };
    let mut known: HashMap<State, usize> = HashMap::from([(start.clone(), 0)]);
    let mut queue = VecDeque::from([start]);
    let mut before: Vec<Vec<usize>> = vec![Vec::new()];
    let mut ends = Vec::new();
    let (mut over, mut twice) = (0, 0);
    while let Some(state) = queue.pop_front() {
        let number = known[&state];
        if state.is_over() {
            assert!(state.effects > 0, "lost: {state:?}");
            over += 1;
            twice += usize::from(state.effects > 1);
        }
        if state.is_over() || state.attempts == ATTEMPTS {
            ends.push(number);
        }
        for next in state.next().into_iter().map(State::plain) {
            let place = known.len();
            let place = *known.entry(next.clone()).or_insert_with(|| {
                queue.push_back(next);
                before.push(Vec::new());
                place
            });
            before[place].push(number);
        }
    }
    // Wherever they are, there is a way to the end: nobody waits for ever.
    let mut reaches = vec![false; known.len()];
    while let Some(number) = ends.pop() {
        if !std::mem::replace(&mut reaches[number], true) {
            ends.extend(&before[number]);
        }
    }
    assert!(reaches.iter().all(|reaches| *reaches), "some wait for ever");
    assert!(over > 1_000, "{over} ends of {} states: too few to tell anything", known.len());
    assert!(twice > 0, "a lost answer must be able to send twice, or the model does not tell");
    println!("{} states, {over} ends, {twice} of them with a second effect that could not be prevented", known.len());
}
