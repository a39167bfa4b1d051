//! Windows.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
    time::Duration,
};

use chrono::{DateTime, Utc};
use rand::{RngExt, SeedableRng, rngs::StdRng};
use serde_json::json;
use tokio::task::JoinSet;
use vrl::value::Value;

use super::{
    Extent,
    place::{Place, event, run},
};
use crate::{
    code::{Counting, Lookup, Rule},
    config::Give,
    event::{Decoded, Event},
    pipeline::Pipeline,
    ports::Store,
    report::Disposition,
    testkit::{
        HandClock,
        faults::{Fault, Faults, Op},
        unique,
    },
};

const LATE: u64 = 3_600;
const OVER: [(&str, i64); 2] = [("10m", 600_000), ("3h", 10_800_000)];

async fn opened(place: &Place, name: &str) -> Pipeline {
    let counting = Counting::over("10m 3h", &Give::ALL).value(".x").late(Duration::from_secs(LATE));
    let strokes = place
        .strokes(name, "1")
        .enrich(Lookup::window("lately", "state", [".key"], counting))
        .rule(Rule::new("go", "out").when("exists(.x) && .x != null"));
    place.open(strokes).await
}

/// An event as it is known to the recomputation.
#[derive(Clone, Debug)]
struct Known {
    id: String,
    at: i64,
    key: String,
    x: Option<f64>,
    /// Its place in an ordered group; none: it has no group.
    line: Option<usize>,
}

impl Known {
    fn delivered(&self, group: &str) -> Decoded {
        let at = DateTime::from_timestamp_millis(self.at).expect("a time").to_rfc3339();
        let body = json!({ "id": self.id, "key": self.key, "at": at, "x": self.x });
        let mut event = Event::new(self.id.clone(), body.to_string());
        if let Some(line) = self.line {
            event = event.in_group(group.to_owned());
            event.position = Some(line.to_string().into());
        }
        event.into()
    }
}

/// Says what an event sees of those that are counted, one by one.
fn recomputed(counted: &[Known], event: &Known) -> BTreeMap<String, Value> {
    let mut fields = BTreeMap::new();
    for (name, over) in OVER {
        let width = (over + 59) / 60;
        let sees = |one: &&Known| {
            one.key == event.key
                && one.at < event.at
                && one.at.div_euclid(width) > event.at.div_euclid(width) - 60
                && one.x.is_some()
        };
        let mut seen: Vec<&Known> = counted.iter().filter(sees).collect();
        // Those of one time in the order they came.
        seen.sort_by_key(|one| one.at);
        let values: Vec<f64> = seen.iter().filter_map(|one| one.x).collect();
        let float = Value::from_f64_or_zero;
        let some = |number: f64| if values.is_empty() { Value::Null } else { float(number) };
        let (count, sum) = (values.len() as i64, values.iter().sum::<f64>());
        let distinct = values.iter().map(|value| value.to_bits()).collect::<BTreeSet<_>>().len() as i64;
        for (give, value) in [
            ("count", Value::Integer(count)),
            ("sum", float(sum)),
            ("mean", some(sum / count as f64)),
            ("min", some(values.iter().copied().fold(f64::INFINITY, f64::min))),
            ("max", some(values.iter().copied().fold(f64::NEG_INFINITY, f64::max))),
            ("last", values.last().map_or(Value::Null, |last| float(*last))),
            ("distinct", Value::Integer(distinct)),
        ] {
            fields.insert(format!("{give}_{name}"), value);
        }
    }
    fields
}

/// Checks, by chance, that what events see of a window is what a recomputation over all that are counted gives: events come
/// late and again, some are asked for again, batches are of any size.
pub async fn a_window_agrees_with_a_recomputation(store: Arc<dyn Store>, clock: &HandClock, extent: Extent) {
    let mut compared = 0;
    for seed in 0..extent.seeds {
        let mut chance = StdRng::seed_from_u64(seed);
        let sent =
            Faults::plan(|attempt| (attempt.body.ends_with(b"13.0}") && attempt.nth == 1).then_some(Fault::Before));
        let place = Place { sent, ..Place::new(store.clone(), clock) };
        let (pipeline, group) = (opened(&place, &unique("window")).await, unique("group"));
        let subjects: Vec<String> = (0..2).map(|nth| unique(&format!("{nth}"))).collect();
        // Nothing is far ahead of the clock: it would not be counted.
        let start = clock.now().timestamp_millis() - 6 * 3_600_000;
        let mut stream: Vec<Known> = Vec::new();
        for nth in 0..120_i64 {
            // Up to 8 minutes late, in steps that often are the same time.
            let at = start + nth * 90_000 - chance.random_range(0..16) * 30_000;
            stream.push(Known {
                id: format!("{group}-{nth}"),
                at,
                key: subjects[chance.random_range(0..2)].clone(),
                x: chance.random_bool(0.8).then(|| f64::from(chance.random_range(-3..15))),
                line: chance.random_bool(0.5).then_some(nth as usize),
            });
        }
        let (mut counted, mut next): (Vec<Known>, usize) = (Vec::new(), 0);
        let mut again: Vec<Known> = Vec::new();
        while next < stream.len() || !again.is_empty() {
            let size = chance.random_range(1..12).min(stream.len() - next);
            let mut batch = std::mem::take(&mut again);
            // What has a group comes again in its order, however old it is; what has none, soon.
            if chance.random_bool(0.4) {
                let from = chance.random_range(0..=next);
                let upto = (from + 5).min(next);
                batch.extend(stream[from..upto].iter().filter(|one| one.line.is_some()).cloned());
                let newest = stream[..next].iter().map(|one| one.at).max().unwrap_or(start);
                let soon = stream[..next].iter().filter(|one| one.line.is_none() && one.at > newest - 100_000);
                batch.extend(soon.cloned());
            }
            batch.extend(stream[next..next + size].iter().cloned());
            next += size;
            let deadline =
                crate::clock::Deadline::after(Duration::from_millis(if chance.random_bool(0.3) { 20 } else { 30_000 }));
            let report =
                pipeline.run(batch.iter().map(|one| one.delivered(&group)).collect::<Vec<_>>(), deadline).await;

            let mut seen = counted.clone();
            for (one, decision) in batch.iter().zip(&report.decisions) {
                // What comes again much later sees what is left.
                let newest = seen.iter().filter(|known| known.key == one.key).map(|known| known.at).max();
                let is_late = newest.is_some_and(|newest| one.at <= newest - LATE as i64 * 1_000);
                if let Some(Value::Object(fields)) = decision.record.get("lately").filter(|_| !is_late) {
                    compared += 1;
                    for (name, expected) in recomputed(&seen, one) {
                        let given = fields.get(name.as_str()).expect("the field is given");
                        assert_eq!(*given, expected, "seed {seed}: {name} of {one:?}");
                    }
                }
                if seen.iter().all(|known| known.id != one.id) {
                    seen.push(one.clone());
                }
                if decision.disposition == Disposition::Retry {
                    again.push(one.clone());
                } else if counted.iter().all(|known| known.id != one.id) {
                    counted.push(one.clone());
                }
            }
        }
    }
    assert!(compared > 100 * extent.seeds, "{compared} events tell too little");
}

/// Checks that many workers at the same time lose no count, and that a batch reads once and writes once.
pub async fn workers_lose_no_count(store: Arc<dyn Store>, clock: &HandClock, extent: Extent) {
    let (place, name) = (Place::new(store, clock), unique("counts"));
    let (subject, start) = (unique("subject"), clock.now() - chrono::TimeDelta::hours(1));
    let mut workers = Vec::new();
    for _ in 0..extent.workers {
        workers.push(opened(&place, &name).await);
    }
    let at = |second: i64| (start + chrono::TimeDelta::seconds(second)).to_rfc3339();
    let rounds = extent.rounds.div_ceil(5);
    for round in 0..rounds {
        let mut running = JoinSet::new();
        for (nth, worker) in workers.iter().cloned().enumerate() {
            let id = format!("{round}-{nth}");
            let one = event("p", json!({ "id": id, "key": subject, "at": at(round as i64), "x": 1.0 }));
            running.spawn(async move { run(&worker, vec![one]).await });
        }
        while let Some(report) = running.join_next().await {
            assert_eq!(report.expect("a worker panicked").count(Disposition::Acted), 1);
        }
    }
    let asks = json!({ "id": "last", "key": subject, "at": at(rounds as i64), "x": 1.0 });
    let report = run(&workers[0], vec![event("p", asks)]).await;
    let count = report.decisions[0].record.find("lately.count_3h").cloned();
    assert_eq!(
        count,
        Some(Value::Integer((rounds * extent.workers) as i64)),
        "no count is lost, none is counted twice"
    );

    for count in [100, 1_000] {
        let place = Place { stored: Faults::none(), ..place.clone() };
        let pipeline = opened(&place, &name).await;
        let prefix = unique("trips");
        let one = |nth: usize| {
            let key = format!("{prefix}{}", nth % 3);
            event("p", json!({ "id": format!("{prefix}-{nth}"), "key": key, "at": Utc::now().to_rfc3339(), "x": 1.0 }))
        };
        drop(run(&pipeline, (0..count).map(one).collect()).await);
        let calls = |op| place.stored.counts(op).calls;
        assert_eq!((calls(Op::Get), calls(Op::Put)), (1, 1), "read, then written");
    }
}
