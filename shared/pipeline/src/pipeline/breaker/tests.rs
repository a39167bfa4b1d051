//! The breaker against a list of everything that was decided.

use proptest::prelude::*;

use super::*;
use crate::error::{Code, Error, Stage};

const LIMIT: StopAbove = StopAbove { percent: 20.0, of_last: 10 };

/// Longer than any wait between probes.
const LONG: Duration = Duration::from_secs(61);

fn poison() -> Error {
    Error::poison(Stage::Decode, Code::MALFORMED, "garbage")
}

/// `p` poison, `g` good, `u` undecided.
fn fates<'a>(text: &'a str, error: &'a Error) -> impl Iterator<Item = Fate<'a>> + Clone {
    text.chars().map(move |c| match c {
        'p' => Fate::Poison(error),
        'g' => Fate::Good,
        _ => Fate::Undecided,
    })
}

/// A breaker, and a clock that only moves by hand.
struct Hand {
    breaker: Arc<Breaker>,
    now: Instant,
    error: Error,
}

impl Hand {
    fn new(limit: StopAbove) -> Hand {
        Hand { breaker: Arc::new(Breaker::new(limit)), now: Instant::now(), error: poison() }
    }

    fn enter(&self) -> Option<Turn> {
        self.breaker.enter(self.now)
    }

    fn judge(&self, turn: &mut Turn, known: &str) -> Option<usize> {
        turn.judge(fates(known, &self.error), self.now).map(|cut| cut.place)
    }

    fn settle(&self, turn: Turn, ended: &str) -> Option<BreakerChange> {
        turn.settle(fates(ended, &self.error), self.now)
    }

    /// Runs a batch that ends as it was known to: how many of its events go on; none if it is held at once.
    fn run(&self, batch: &str) -> Option<usize> {
        let mut turn = self.enter()?;
        let through = self.judge(&mut turn, batch).unwrap_or(batch.len());
        let ended: String = batch.chars().enumerate().map(|(at, c)| if at < through { c } else { 'u' }).collect();
        self.settle(turn, &ended);
        Some(through)
    }

    fn wait(&mut self, time: Duration) {
        self.now += time;
    }
}

#[test]
fn it_trips_at_the_event_that_is_one_too_many_and_needs_no_full_window() {
    let hand = Hand::new(LIMIT);
    assert_eq!(hand.run("gpgpg"), Some(5));
    assert_eq!(hand.run("ggpg"), Some(2));
    assert_eq!(hand.run("g"), None, "it is open");
}

#[test]
fn what_left_the_window_counts_no_more_and_what_is_undecided_does_not_yet() {
    let hand = Hand::new(LIMIT);
    assert_eq!(hand.run("pp"), Some(2));
    assert_eq!(hand.run("gggggggguuuuuuuu"), Some(16));
    assert_eq!(hand.run("p"), Some(1), "the first has left");
    assert_eq!(hand.run("p"), Some(1), "the second has left");
    assert_eq!(hand.run("p"), Some(0));
}

#[test]
fn it_tells_the_most_frequent_code_and_the_last_such_reason() {
    let hand = Hand::new(LIMIT);
    let error = |code, reason: &str| Error::poison(Stage::Decode, code, reason);
    let errors = [error(Code::FIELD_TYPE, "first"), error(Code::MALFORMED, "other"), error(Code::FIELD_TYPE, "second")];
    let batch = || errors.iter().map(Fate::Poison);
    let cut = hand.enter().unwrap().judge(batch(), hand.now).unwrap();
    let change =
        BreakerChange::Tripped { poison: 3, of: 3, limit: LIMIT, most: Code::FIELD_TYPE, reason: "second".to_owned() };
    assert_eq!(cut, Cut { place: 2, change: Some(change) });
}

#[test]
fn one_probe_at_a_time_and_none_before_its_time() {
    let mut hand = Hand::new(LIMIT);
    assert_eq!(hand.run("ppp"), Some(2));
    hand.wait(FIRST / 2 - Duration::from_millis(1));
    assert!(hand.enter().is_none(), "too early");
    hand.wait(FIRST / 2 + Duration::from_millis(1));
    let probe = hand.enter().expect("the first wait is over");
    hand.wait(LONG);
    assert!(hand.enter().is_none(), "a probe is on its way");
    let closed = hand.settle(probe, "ggggp");
    assert!(matches!(closed, Some(BreakerChange::Closed { after }) if after > LONG), "{closed:?}");
    assert_eq!(hand.run("pp"), Some(1), "the window began with the probe");
}

#[test]
fn a_probe_that_is_dropped_fails_and_the_next_one_has_its_turn() {
    let mut hand = Hand::new(LIMIT);
    hand.run("ppp");
    hand.wait(LONG);
    drop(hand.enter().expect("a probe"));
    assert!(hand.enter().is_none(), "not at once");
    hand.wait(LONG);
    assert!(hand.enter().is_some());
}

#[test]
fn waits_double_while_probes_fail_and_while_it_trips_again_at_once() {
    let mut hand = Hand::new(LIMIT);
    hand.run("ppp");
    for failed in ["pg", "uu", "pppppp"] {
        hand.wait(LONG);
        assert!(hand.run(failed).is_some(), "{failed}");
    }
    // Waited so far: 1, 2, 4; now it is at least 4 of 8.
    hand.wait(Duration::from_millis(3_999));
    assert_eq!(hand.run("g"), None);
    hand.wait(LONG);
    assert_eq!(hand.run("g"), Some(1));
    assert_eq!(hand.run("ppp"), Some(2), "it trips again, long before a whole window");
    hand.wait(Duration::from_millis(7_999));
    assert_eq!(hand.run("g"), None, "at least 8 of 16");
    hand.wait(LONG);
    assert_eq!(hand.run("gggggggggg"), Some(10), "a whole window");
    hand.run("ppp");
    hand.wait(FIRST);
    assert_eq!(hand.run("g"), Some(1), "the waits begin anew");
}

#[test]
fn a_probe_whose_actions_are_refused_does_not_close_it() {
    let mut hand = Hand::new(LIMIT);
    hand.run("ppp");
    hand.wait(LONG);
    let mut probe = hand.enter().unwrap();
    assert_eq!(hand.judge(&mut probe, "gggg"), None);
    assert_eq!(hand.judge(&mut probe, "gppg"), Some(2), "known once they were sent");
    assert_eq!(hand.settle(probe, "gpug"), None, "the probe has failed");
    assert!(hand.enter().is_none());
}

#[test]
fn a_probe_larger_than_the_window_is_cut_where_its_poison_gathers() {
    let mut hand = Hand::new(LIMIT);
    hand.run("ppp");
    hand.wait(LONG);
    assert_eq!(hand.run("ggggggggggggggggggppp"), Some(20), "3 of 21 are no fifth, but the last 3 of 10 are more");
    assert!(hand.enter().is_none());
}

#[test]
fn failed_probes_get_past_their_poison_bit_by_bit() {
    let mut hand = Hand::new(LIMIT);
    let mut left = format!("{}g", "p".repeat(20));
    let mut letters = Vec::new();
    while let Some(through) = hand.run(&left) {
        letters.push(left[..through].matches('p').count());
        left.drain(..through);
        hand.wait(LONG);
        if left.is_empty() {
            break;
        }
    }
    assert_eq!(
        letters,
        [2, 2, 2, 2, 2, 2, 1, 1, 1, 1, 1, 1, 1, 1],
        "a fifth of the window, of what is left, and then one"
    );
    assert_eq!(hand.run("ggggg"), Some(5), "it is through, and so is what follows");
    assert!(hand.enter().is_some_and(|turn| !turn.mark.probe), "closed");
}

#[test]
fn poison_that_another_batch_writes_down_counts_already() {
    let hand = Hand::new(LIMIT);
    let (mut one, mut other) = (hand.enter().unwrap(), hand.enter().unwrap());
    assert_eq!(hand.judge(&mut one, "pp"), None);
    assert_eq!(hand.judge(&mut other, "gp"), Some(1));
    let mut late = Turn { breaker: hand.breaker.clone(), mark: Mark::default(), entered: hand.now };
    assert_eq!(hand.judge(&mut late, "g"), Some(0), "it ran before it tripped, and has not acted yet");

    let hand = Hand::new(LIMIT);
    let (mut one, mut other) = (hand.enter().unwrap(), hand.enter().unwrap());
    assert_eq!(hand.judge(&mut one, "pp"), None);
    drop(one);
    assert_eq!(hand.judge(&mut other, "gp"), None, "what was dropped was not written");
}

#[test]
fn an_event_that_others_would_have_pushed_out_trips_it_when_they_are_not_decided() {
    let hand = Hand::new(LIMIT);
    hand.run("pp");
    let mut turn = hand.enter().unwrap();
    assert_eq!(hand.judge(&mut turn, "ggggggggggp"), None);
    assert!(matches!(hand.settle(turn, "uuuuuuuuuup"), Some(BreakerChange::Tripped { poison: 3, of: 3, .. })));
}

/// Everything decided since it closed last; none: it is open.
struct Naive(Option<Vec<bool>>);

impl Naive {
    /// How many events go on; none if the batch is held at once.
    fn run(&mut self, limit: StopAbove, batch: &str, rested: bool) -> Option<usize> {
        let probe = self.0.is_none();
        if probe && !rested {
            return None;
        }
        let count = |wanted: &str| batch.chars().filter(|c| wanted.contains(*c)).count() as u64;
        if probe && count("p") * 100 > (limit.percent * count("pg") as f64) as u64 {
            let most = limit.allowed(count("pg").min(limit.of_last)).max(1) as usize;
            return Some(batch.match_indices('p').nth(most).map_or(batch.len(), |(at, _)| at));
        }
        let mut decided = self.0.take().unwrap_or_default();
        for (at, c) in batch.chars().enumerate().filter(|(_, c)| *c != 'u') {
            decided.push(c == 'p');
            let last = decided.iter().rev().take(limit.of_last as usize);
            let poison = last.filter(|poison| **poison).count() as f64;
            if c == 'p' && poison * 100.0 > limit.percent * limit.of_last as f64 {
                return Some(at);
            }
        }
        let nothing = probe && count("pg") == 0;
        self.0 = (!nothing).then_some(decided);
        Some(batch.len())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_does_what_a_list_of_everything_says(
        percent in 1u32..100,
        of_last in 10u64..40,
        steps in prop::collection::vec(("[gggggpu]{1,30}|p{1,6}|g{1,30}", prop::bool::weighted(0.3)), 1..40),
    ) {
        let limit = StopAbove { percent: f64::from(percent), of_last };
        prop_assume!(limit.allowed(of_last) > 0);
        let (mut hand, mut naive) = (Hand::new(limit), Naive(Some(Vec::new())));
        for (batch, rested) in steps {
            if rested {
                hand.wait(LONG);
            }
            prop_assert_eq!(hand.run(&batch), naive.run(limit, &batch, rested), "{}", batch);
            let closed = matches!(hand.breaker.lock().phase, Phase::Closed(_));
            prop_assert_eq!(closed, naive.0.is_some(), "{}", batch);
            prop_assert_eq!(hand.breaker.lock().writing, 0);
        }
    }
}
