//! The model does what AWS documents beyond what was recorded; `model/mod.rs` names the pages.

use std::time::Duration;

use serde_json::{Value, json};

use crate::{
    model::{Condition, Mapping, Outcome, Place, Settings, Shard, Stream},
    scripted::{run, run_all, stream},
};

fn well(_: &[Place]) -> Outcome {
    Outcome::Answered(Value::Null)
}

fn fails_with(bad: usize) -> impl FnMut(&[Place]) -> Outcome {
    move |places| if places.contains(&(0, bad)) { Outcome::FunctionError } else { Outcome::Answered(Value::Null) }
}

#[test]
fn halving_isolates_a_record_and_uses_up_no_attempt() {
    let stream = stream(&[("a", 0); 8]);
    let settings =
        Settings { bisect_batch_on_function_error: true, maximum_retry_attempts: Some(1), ..Settings::default() };
    let (invoked, mapping) = run_all(settings, &stream, fails_with(5));
    let all: Vec<Vec<usize>> =
        vec![(0..8).collect(), (0..4).collect(), (4..8).collect(), vec![4, 5], vec![4], vec![5], vec![5], vec![6, 7]];
    assert_eq!(invoked, all);
    let [given_up] = mapping.discarded() else { panic!() };
    assert_eq!((&given_up.places[..], given_up.invocations), (&[(0, 5)][..], 2));
    assert_eq!(given_up.condition, Condition::RetryAttemptsExhausted { function_error: true });
}

#[test]
fn without_halving_the_whole_batch_is_given_up() {
    let stream = stream(&[("a", 0); 4]);
    let settings = Settings { batch_size: 2, maximum_retry_attempts: Some(2), ..Settings::default() };
    let (invoked, mapping) = run_all(settings, &stream, fails_with(1));
    assert_eq!(invoked, [[0, 1], [0, 1], [0, 1], [2, 3]], "the shard goes on behind it");
    assert_eq!(mapping.discarded()[0].places, [(0, 0), (0, 1)]);
}

#[test]
fn with_both_a_batch_is_cut_where_the_answer_says() {
    let stream = stream(&[("a", 0); 6]);
    let settings =
        Settings { bisect_batch_on_function_error: true, report_batch_item_failures: true, ..Settings::default() };
    let mut answers = vec![
        json!(null),
        json!({ "batchItemFailures": [
        { "itemIdentifier": Stream::sequence_number((0, 4)) },
        { "itemIdentifier": Stream::sequence_number((0, 2)) },
    ] }),
    ];
    let (invoked, mapping) = run_all(settings, &stream, |_| Outcome::Answered(answers.pop().unwrap()));
    assert_eq!(invoked, [(0..6).collect::<Vec<_>>(), (2..6).collect()], "from the lowest number on, in one piece");
    assert_eq!(mapping.checkpoint(0), 6);
}

#[test]
fn an_answer_is_not_read_unless_it_is_set_to_report() {
    let stream = stream(&[("a", 0); 2]);
    let answer = json!({ "batchItemFailures": [{ "itemIdentifier": Stream::sequence_number((0, 0)) }] });
    let (invoked, mapping) = run_all(Settings::default(), &stream, |_| Outcome::Answered(answer.clone()));
    assert_eq!((invoked, mapping.checkpoint(0)), (vec![vec![0, 1]], 2), "what failed is passed over");
}

#[test]
fn a_lane_holds_only_its_own_keys_and_the_checkpoint() {
    // `a` and `b` go different ways.
    let stream = stream(&[("a", 0), ("b", 0), ("a", 1), ("b", 1)]);
    let settings = Settings { batch_size: 1, parallelization_factor: 2, ..Settings::default() };
    let mut mapping = Mapping::new(settings, &stream);
    let first = mapping.poll();
    assert_eq!(first.iter().map(|one| one.places.clone()).collect::<Vec<_>>(), [[(0, 0)], [(0, 1)]], "side by side");
    // The first of them goes on and on.
    mapping.settle(first[1].id, well(&[]));
    let invoked = run(&mut mapping, Duration::from_secs(1), well);
    assert_eq!((invoked, mapping.checkpoint(0)), (vec![vec![3]], 0), "behind `a` nothing of `a`, and no checkpoint");
    // A poller that begins at the checkpoint sends `b` again.
    mapping.replace_pollers(0);
    let mut invoked = run(&mut mapping, Duration::from_secs(2), well);
    invoked.sort_unstable();
    assert_eq!((invoked, mapping.checkpoint(0)), (vec![vec![0], vec![1], vec![2], vec![3]], 4));
    assert!(mapping.settle(first[0].id, Outcome::FunctionError).is_empty(), "the old one's end means nothing");
}

#[test]
fn a_window_collects_until_it_is_over_or_the_batch_is_full() {
    let stream = stream(&[("a", 0), ("a", 3), ("a", 4), ("a", 5), ("a", 7)]);
    let settings = Settings { batch_size: 3, maximum_batching_window: Duration::from_secs(5), ..Settings::default() };
    let mut mapping = Mapping::new(settings, &stream);
    assert!(mapping.poll().is_empty());
    assert_eq!(mapping.next_due(), Some(Duration::from_secs(4)), "full with the third");
    assert_eq!(run(&mut mapping, Duration::ZERO, well), [vec![0, 1, 2], vec![3, 4]]);
    assert_eq!(mapping.now(), Duration::from_secs(10), "five seconds behind the fourth");
}

#[test]
fn a_payload_has_six_megabytes() {
    let mut stream = stream(&[("a", 0); 10]);
    stream.shards[0].records.iter_mut().for_each(|record| record.data = vec![7; 1_000_000]);
    // In base64 each has 1.33 MB: four are as much as fits.
    let settings = Settings { maximum_batching_window: Duration::from_secs(60), ..Settings::default() };
    let (invoked, mapping) = run_all(settings, &stream, |places| {
        assert!(stream.payload(places.iter().copied()).len() <= 6 * 1024 * 1024);
        Outcome::Answered(Value::Null)
    });
    assert_eq!(invoked, [(0..4).collect::<Vec<_>>(), (4..8).collect(), vec![8, 9]]);
    assert_eq!(
        mapping.now(),
        Duration::from_secs(60),
        "a full payload does not wait for the window, the last one does"
    );
}

#[test]
fn throttling_uses_up_no_attempt() {
    let stream = stream(&[("a", 0)]);
    let settings = Settings { maximum_retry_attempts: Some(0), ..Settings::default() };
    let mut ends = vec![well(&[]), Outcome::NotInvoked, Outcome::NotInvoked];
    let (invoked, mapping) = run_all(settings, &stream, |_| ends.pop().unwrap());
    assert_eq!((invoked.len(), mapping.discarded().len()), (3, 0));
}

#[test]
fn what_the_stream_no_longer_keeps_is_gone() {
    let stream = Stream { retention: Duration::from_secs(3600), ..stream(&[("a", 0), ("a", 3000)]) };
    let (_, mapping) = run_all(Settings { batch_size: 1, ..Settings::default() }, &stream, fails_with(0));
    assert_eq!((mapping.expired(), mapping.discarded().len()), (&[(0, 0)][..], 0), "it blocked the shard for an hour");
    assert!(mapping.now() > Duration::from_secs(3600));
}

#[test]
fn children_begin_when_their_parents_have_ended() {
    let mut stream = stream(&[("a", 0), ("a", 0)]);
    let child = Shard { parents: vec![0], records: stream.shards[0].records.clone() };
    stream.shards.extend([child.clone(), child]);
    let settings = Settings { batch_size: 1, ..Settings::default() };
    let mut mapping = Mapping::new(settings, &stream);
    let mut shards = Vec::new();
    let invoked = run(&mut mapping, Duration::ZERO, |places| {
        shards.push(places[0].0);
        well(places)
    });
    assert_eq!((invoked.len(), &shards[..2]), (6, &[0, 0][..]));
}
