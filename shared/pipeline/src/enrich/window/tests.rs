//! What windows keep is bounded, and what they give of many values is nearly right. That they agree with a recomputation is
//! shown through pipelines, in `tests/windows.rs`.

use super::{
    distinct::digest,
    history::{Counted, History, Plan, Position, Worth},
    write,
};

const HOUR: i64 = 3_600_000;

fn plan(distinct: bool) -> Plan {
    Plan { over: vec![HOUR, 24 * HOUR], late: 600_000, distinct }
}

fn text(value: usize) -> Worth {
    Worth::Text(format!("customer {value}").into())
}

fn value(of: usize) -> u64 {
    digest(&text(of))
}

#[test]
fn distinct_is_exact_up_to_a_thousand_and_nearly_so_beyond() {
    for (values, error) in [(10, 0), (1_000, 0), (2_000, 200), (50_000, 5_000)] {
        let plan = plan(true);
        let mut history = History::new(&plan);
        // Each value twice, over ten hours.
        for number in 0..values * 2 {
            let at = (number as i64) * 10 * HOUR / (values as i64 * 2);
            history.count(
                &plan,
                Counted { at, id: number as u64, worth: text(number % values), value: value(number % values) },
                None,
            );
        }
        let day = history.at(&plan, 1, 10 * HOUR + 1, None).distinct;
        assert!(day.abs_diff(values as u64) <= error, "{day} of {values}");
        let hour = history.at(&plan, 0, 10 * HOUR + 1, None).distinct;
        // An hour is covered to a sixtieth.
        let error = 1 + values as u64 / 5 / 60 + error / 2;
        assert!(hour.abs_diff(values as u64 / 5) <= error, "{hour} of {}", values / 5);
    }
}

#[test]
fn what_is_kept_under_a_key_is_bounded() {
    let plan = Plan { over: vec![60_000, HOUR, 24 * HOUR, 7 * 24 * HOUR], late: 600_000, distinct: true };
    for step in [10, 1_000, 20_000, 400_000] {
        let mut history = History::new(&plan);
        let mut largest = 0;
        for number in 0..6_000_i64 {
            let position = Position { group: number as u64 % 500, number: number.to_string().into() };
            let worth = Worth::Text(format!("{number:0>256}").into());
            let counted = Counted { at: number * step, id: number as u64, value: digest(&worth), worth };
            history.count(&plan, counted, Some(&position));
            // Also on the way: what was exact becomes sketches at some moment.
            if number % 97 == 0 || (1_000..1_020).contains(&number) {
                largest = largest.max(write(&history).len());
            }
        }
        assert!(largest < 350 << 10, "{largest} bytes do not fit into every store");
    }
}

#[test]
fn what_is_folded_early_is_never_seen_too_early() {
    let plan = Plan { over: vec![HOUR], late: 600_000, distinct: false };
    let mut history = History::new(&plan);
    // More than are kept one by one, all in one bucket, the later half of them at one time.
    for number in 0..4_000_u64 {
        let at = (number.min(2_000) * 10) as i64;
        history.count(&plan, Counted { at, id: number, worth: Worth::Number(at as f64), value: 0 }, None);
    }
    let sees = history.at(&plan, 0, 20_000, None).sums;
    assert_eq!((sees.count, sees.max), (2_000, 19_990.0), "just what is before it");
    let late = history.at(&plan, 0, 19_995, None).sums;
    assert!(late.count <= 2_000 && late.max < 19_995.0, "{late:?} is not before it");
    assert_eq!(history.at(&plan, 0, 20_001, None).sums.count, 4_000);
}

#[test]
fn a_window_that_changes_keeps_the_durations_it_had() {
    let (one, other) = (plan(false), Plan { over: vec![24 * HOUR, 3 * HOUR], late: 600_000, distinct: false });
    let mut history = History::new(&one);
    for number in 0..100 {
        history.count(
            &one,
            Counted { at: number * 60_000, id: number as u64, worth: Worth::Number(1.0), value: 0 },
            None,
        );
    }
    let history = history.fit(&other);
    assert_eq!(history.at(&other, 0, 2 * HOUR, None).sums.count, 100, "the day was covered before");
    assert_eq!(history.at(&other, 1, 2 * HOUR, None).sums.count, 11, "three hours begin with the latest events");
}

#[test]
fn order_of_a_group_tells_what_is_old_and_counted() {
    let plan = plan(false);
    let mut history = History::new(&plan);
    let mut count = |at: i64, id: u64, number: &str| {
        let position = Position { group: 7, number: number.into() };
        history.count(&plan, Counted { at, id, worth: Worth::Nothing, value: 0 }, Some(&position))
    };
    assert!(count(0, 1, "9"));
    assert!(count(HOUR, 2, "10"), "and 9 is in a bucket from now on");
    assert!(!count(0, 1, "9"), "its id is gone, its place tells");
    assert!(count(1, 3, "49590338271490256608559692538361571095921575989136588898"), "longer than any integer type");
    assert!(!count(1, 3, "49590338271490256608559692538361571095921575989136588898"));
}
