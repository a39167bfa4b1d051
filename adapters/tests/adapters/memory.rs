use std::{
    collections::HashSet,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use bytestring::ByteString;
use fourstroke::{
    event::{Decoded, Event},
    ports::{Payload, Source, Store},
    testkit::{HandClock, retry_from, sink, source, store, trigger},
};
use fourstroke_adapters::memory::{MemorySink, MemorySource, MemoryStore, MemoryTrigger, Settlements};

#[tokio::test(flavor = "multi_thread")]
async fn store_keeps_the_contract() {
    let clock = HandClock::default();
    let memory = Arc::new(MemoryStore::new(clock.clock()));
    store::suite(memory, &clock, store::Capabilities::default()).await;
}

#[tokio::test]
async fn an_item_expires_by_the_clock_it_was_given() {
    let clock = HandClock::default();
    store::expiry(&MemoryStore::new(clock.clock()), &clock).await;
    assert!(MemoryStore::new(clock.clock()).list("nobody").await.unwrap().is_empty());
}

#[tokio::test(flavor = "multi_thread")]
async fn sink_keeps_the_contract() {
    let memory = Arc::new(MemorySink::default());
    let bodies = async || memory.taken().into_iter().map(|item| item.body).collect();
    sink::suite(memory.clone(), bodies, sink::Capabilities::default()).await;
}

#[tokio::test]
async fn source_keeps_the_contract() {
    let events = || -> Vec<Decoded> {
        let bad = Decoded::Undecodable { event: Event::new("3", "no").in_group("g"), reason: "made up".to_owned() };
        vec![Event::new("1", "a").in_group("g").into(), Event::new("2", "b").in_group("g").into(), bad]
    };
    let expected =
        vec![source::Expected::event("a"), source::Expected::event("b"), source::Expected::undecodable("no")];
    let can = source::Capabilities { ends: true, replays: true, grouped: true };
    for batch in [1, 2, 1_000] {
        let open = async || Box::new(MemorySource::new(events()).in_batches_of(batch)) as Box<dyn Source>;
        source::suite(open, std::slice::from_ref(&expected), can).await;
    }
}

/// A queue made of a list: what one source settled, the next does not give.
#[tokio::test]
async fn a_source_settles_just_what_a_report_covers() {
    let expected = vec!["a", "b", "c", "d", "e"].into_iter().map(|body| vec![source::Expected::event(body)]);
    let expected: Vec<_> = expected.collect();
    let can = source::Capabilities { ends: true, replays: false, grouped: false };
    for batch in [1, 2, 1_000] {
        let settled = Mutex::new(Vec::<Settlements>::new());
        let open = async || {
            let mut settled = settled.lock().unwrap();
            let gone: HashSet<ByteString> = settled.iter().flat_map(Settlements::ids).collect();
            let events = ["a", "b", "c", "d", "e"].map(|id| Event::new(id, id));
            let left = events.into_iter().filter(|event| !gone.contains(&event.id));
            let memory = MemorySource::new(left).in_batches_of(batch);
            settled.push(memory.settlements());
            Box::new(memory) as Box<dyn Source>
        };
        source::suite(open, &expected, can).await;
    }
}

#[tokio::test]
async fn what_is_asked_for_again_is_not_settled() {
    let mut memory = MemorySource::new(["a", "b", "c"].map(|id| Event::new(id, "{}").in_group("g")));
    let settlements = memory.settlements();
    let batch = memory.next().await.unwrap().unwrap();
    batch.acknowledge.settle(&retry_from(batch.events, &[1])).await.unwrap();
    assert_eq!((settlements.batches(), settlements.ids()), (1, vec![ByteString::from("a")]));
}

#[test]
fn trigger_keeps_the_contract() {
    let payload = |records: &[trigger::Raw]| {
        let line = |(n, raw): (usize, &trigger::Raw)| match raw.bad {
            true => format!("only one part {n}\n").into_bytes(),
            false => [format!("id-{n}\t{}\t", raw.group).as_bytes(), &raw.body, b"\n"].concat(),
        };
        let body: Vec<u8> = records.iter().enumerate().flat_map(line).collect();
        Payload { body: Bytes::from(body), attributes: Vec::new() }
    };
    // The made-up platform replays each group from the id named in the reply.
    let asked = |reply: &Vec<ByteString>, decoded: &[Decoded]| {
        let place = |id| decoded.iter().position(|decoded| decoded.event().id == id);
        let group = |place: usize| decoded[place].event().group.clone();
        let mut again: Vec<usize> = reply
            .iter()
            .flat_map(|id| {
                let first = place(id.clone()).expect("a reply names events of the payload");
                let same =
                    move |other: &usize| *other == first || (group(first).is_some() && group(*other) == group(first));
                (first..decoded.len()).filter(same)
            })
            .collect();
        again.dedup();
        again
    };
    for groups in [1, 3] {
        let can = trigger::Capabilities { groups, records: 9, bad_records: true, replay: trigger::Replay::Each };
        trigger::suite(&MemoryTrigger, payload, asked, can);
    }
    let alone = |records: &[trigger::Raw]| {
        let ungrouped: Vec<_> =
            records.iter().cloned().map(|raw| trigger::Raw { group: String::new(), ..raw }).collect();
        payload(&ungrouped)
    };
    let can = trigger::Capabilities { groups: 0, records: 9, bad_records: true, replay: trigger::Replay::Each };
    trigger::suite(&MemoryTrigger, alone, asked, can);
}
