//! A mapping without a function: a test says how each invocation ends.

use std::time::Duration;

use crate::model::{Mapping, Outcome, Place, Record, Settings, Shard, Stream};

/// A stream of one shard whose records have these partition keys, and came in at these seconds.
pub fn stream(records: &[(&str, u64)]) -> Stream {
    let record = |(number, (key, second)): (usize, &(&str, u64))| Record {
        partition_key: (*key).to_owned(),
        data: format!("record {number}").into_bytes(),
        arrived: Duration::from_secs(*second),
    };
    let records = records.iter().enumerate().map(record).collect();
    Stream {
        name: "recorded".to_owned(),
        shards: vec![Shard { parents: Vec::new(), records }],
        retention: Duration::from_secs(86_400),
        began_ms: 1_764_000_000_000,
    }
}

/// Runs a mapping from that moment on until nothing is left to do; an invocation takes no time. Gives what was invoked.
pub fn run(
    mapping: &mut Mapping<'_>,
    from: Duration,
    mut function: impl FnMut(&[Place]) -> Outcome,
) -> Vec<Vec<usize>> {
    mapping.advance(from);
    let mut invoked = Vec::new();
    loop {
        for invocation in mapping.poll() {
            invoked.push(invocation.places.iter().map(|(_, number)| *number).collect());
            mapping.settle(invocation.id, function(&invocation.places));
        }
        match mapping.next_due() {
            Some(due) => mapping.advance(due),
            None => return invoked,
        }
    }
}

/// The same with a new mapping; gives what was given up, too.
pub fn run_all<'a>(
    settings: Settings,
    stream: &'a Stream,
    function: impl FnMut(&[Place]) -> Outcome,
) -> (Vec<Vec<usize>>, Mapping<'a>) {
    let mut mapping = Mapping::new(settings, stream);
    (run(&mut mapping, Duration::ZERO, function), mapping)
}
