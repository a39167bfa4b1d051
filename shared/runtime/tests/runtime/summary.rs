//! What a run's summary says.

use std::time::Duration;

use fourstroke::{
    clock::{Clock, Deadline},
    config::SloConfig,
    event::Decoded,
    pipeline::{Builder, Reload},
    report::{Report, StrokeTimes},
    testkit::faults::{Fault, Faults, Op},
};
use fourstroke_runtime::{End, OutcomeCount, Summary, Tally, UnkeptCount};
use serde_json::json;

use crate::world::{PIPELINE, World, acting, event};

async fn summary(faults: Faults, events: Vec<Decoded>) -> Summary {
    let pipeline = World::new(faults).pipeline().await;
    let mut tally = Tally::new(&World::file(), &pipeline, Clock::system());
    tally.add(&pipeline.run(events, Deadline::after(Duration::from_secs(10))).await);
    tally.finish(&End::Source)
}

fn decided(id: &str, at: &str, probability: f64) -> Decoded {
    event(json!({ "id": id, "type": "asked", "at": at, "x": probability }))
}

fn told(id: &str, at: &str, of: &str, good: bool) -> Decoded {
    event(json!({ "id": id, "type": "told", "at": at, "of": of, "good": good }))
}

#[tokio::test(start_paused = true)]
async fn events_are_counted_by_type_and_disposition() {
    let mut events = acting(2);
    events.push(event(json!({ "id": "p", "type": "news" })));
    events.push(event(json!({ "type": "news" })));
    let summary = summary(Faults::none(), events).await;
    let row = |place: usize| (summary.types[place].r#type.as_str(), summary.types[place].events);
    assert_eq!((row(0), row(1)), (("-", 3), ("news", 1)), "an event that was not decoded has no type");
    assert_eq!(summary.dispositions["acted"], 2);
    assert_eq!(summary.dispositions["dead-lettered"], 1);
    assert_eq!((summary.actions[0].name.as_str(), summary.actions[0].taken), ("go", 2));
    assert_eq!((summary.errors[0].code, summary.errors[0].events), ("FS-D002", 1));
    assert_eq!(summary.log.as_ref().unwrap().written, 4);
    assert_eq!(summary.dead_letters.written, 1);
    assert!(summary.failed());
    let page = summary.to_string();
    for part in ["events by type", "dead-lettered", "go → out (memory:)", "FS-D002: 1 events; the first: "] {
        assert!(page.contains(part), "{part:?} is not in\n{page}");
    }
}

#[tokio::test(start_paused = true)]
async fn what_was_not_taken_is_no_action_and_fails_the_run() {
    let summary = summary(Faults::plan(|_| Some(Fault::Before)), acting(3)).await;
    assert_eq!((summary.actions[0].taken, summary.dispositions["retry"]), (0, 3));
    assert_eq!(summary.log.as_ref().unwrap().written, 0);
    assert!(summary.failed());
}

#[tokio::test(start_paused = true)]
async fn an_action_taken_beside_a_refused_one_is_counted() {
    let text = PIPELINE.replace("act:\n", "act:\n  match: all\n").replace(
        "'{ \"id\": .id }' }\n",
        "'{ \"id\": .id }' }\n    - { name: note, to: notes, data: '{ \"id\": .id }' }\n",
    );
    let file = World::parse(&text.replace("sinks: {", "sinks: { notes: \"memory:\","));
    let world = World::new(Faults::plan(|_| Some(Fault::Poison)));
    let pipeline = Builder::new(file.clone()).open(&world).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let mut tally = Tally::new(&file, &pipeline, Clock::system());
    tally.add(&pipeline.run(acting(1), Deadline::after(Duration::from_secs(10))).await);
    let summary = tally.finish(&End::Source);
    let taken: Vec<_> = summary.actions.iter().map(|rule| (rule.name.as_str(), rule.taken)).collect();
    assert_eq!((taken, summary.dispositions["dead-lettered"]), (vec![("go", 0), ("note", 1)], 1));
}

#[tokio::test(start_paused = true)]
async fn a_good_run_has_not_failed_and_its_json_holds_what_it_did() {
    let summary = summary(Faults::none(), acting(3)).await;
    assert!(!summary.failed());
    let json = serde_json::to_value(&summary).unwrap();
    assert_eq!(json["dispositions"]["acted"], 3);
    assert_eq!(json["types"][0]["type"], "-");
    assert!(json["latency_us"]["whole"]["p99"].as_u64() >= json["latency_us"]["whole"]["p50"].as_u64());
}

#[tokio::test(start_paused = true)]
async fn the_page_tells_of_models_that_were_replaced_and_refused() {
    let file = World::parse(&PIPELINE.replace("positive: 1,", "positive: 1, reload: 1h,"));
    let pipeline = World::new(Faults::none()).pipeline().await;
    let mut tally = Tally::new(&file, &pipeline, Clock::system());
    let refused = Reload::Refused { model: "m".to_owned(), reason: "no model".to_owned(), serving: "b".to_owned() };
    let serving = Reload::Serving { model: "m".to_owned(), sha256: "b".to_owned() };
    tally.add(&Report { reloads: vec![serving, refused.clone(), refused], ..Report::default() });
    let page = tally.finish(&End::Source).to_string();
    let line = "models        replaced once; refused 2 times, at last: the model `m` was not replaced, b goes on deciding: no model\n";
    assert!(page.contains(line), "{page}");
}

#[tokio::test(start_paused = true)]
async fn types_that_rotten_input_makes_up_do_not_pile_up() {
    let events = (0..1000).map(|n| event(json!({ "id": format!("e{n}"), "type": format!("type {n}") }))).collect();
    let summary = summary(Faults::none(), events).await;
    assert!(summary.types.len() <= 41, "{}", summary.types.len());
    assert_eq!(summary.types.iter().map(|row| row.events).sum::<u64>(), 1000);
}

#[tokio::test(start_paused = true)]
async fn an_event_older_than_the_limit_misses_it() {
    let events = vec![decided("old", "2013-10-01T00:00:00Z", 0.1), event(json!({ "id": "no time", "x": 0.1 }))];
    let summary = summary(Faults::none(), events).await;
    assert_eq!((summary.slo[0].name, summary.slo[0].limit_ms, summary.slo[0].missed), ("event_age", 1000, 1));
}

#[tokio::test(start_paused = true)]
async fn waits_between_tries_count_for_the_limit_to_decide_in() {
    let mut file = World::file();
    file.slo = SloConfig { decide: Some(Duration::from_millis(100)), event_age: Some(Duration::MAX) };
    let pipeline = World::new(Faults::none()).pipeline().await;
    let mut tally = Tally::new(&file, &pipeline, Clock::system());
    let mut report = pipeline.run(acting(2), Deadline::after(Duration::from_secs(10))).await;
    report.times = StrokeTimes { whole: Duration::from_millis(150), ..StrokeTimes::default() };
    tally.add(&report);
    let summary = tally.finish(&End::Source);
    assert_eq!(summary.slo.iter().map(|slo| slo.missed).collect::<Vec<_>>(), [2, 0]);
    assert!(summary.to_string().contains("slo event_age within"), "the longest limit can be shown");
}

#[tokio::test(start_paused = true)]
async fn what_came_with_an_event_does_not_steer_the_terminal() {
    let events = vec![event(json!({ "id": "1", "type": "\u{1b}[2Jnews" })), event(json!({ "\u{1b}[2J": 1 }))];
    let page = summary(Faults::none(), events).await.to_string();
    assert!(!page.contains('\u{1b}') && page.contains(r"\u{1b}[2Jnews"), "{page}");
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_joined_once_and_in_time() {
    let summary = summary(
        Faults::none(),
        vec![
            decided("a", "2013-10-01T10:00:00Z", 0.9),
            decided("b", "2013-10-01T10:00:00Z", 0.2),
            decided("c", "2013-10-01T10:00:00Z", 0.3),
            told("1", "2013-10-01T10:30:00Z", "a", true),
            told("2", "2013-10-01T10:31:00Z", "a", false),
            told("3", "2013-10-01T11:00:00Z", "b", false),
            told("4", "2013-10-01T11:00:01Z", "c", true),
            told("5", "2013-10-01T11:00:02Z", "nobody", true),
        ],
    )
    .await;
    let scores = summary.scores.as_ref().expect("the model is scored");
    assert_eq!((scores.outcomes_joined, scores.outcomes_that_happened), (2, 1));
    assert_eq!((scores.outcomes_late_or_unknown, scores.decisions_without_outcome), (3, 1));
    assert_eq!(scores.models[0].auc, Some(1.0));
    assert_eq!(scores.baselines[0].auc, 0.5);
    let page = summary.to_string();
    assert!(page.contains("one rule *") && page.contains("Not measured by this run: by hand."), "{page}");
}

async fn kept(world: &World, events: Vec<Decoded>) -> Summary {
    let pipeline = world.keeper().await;
    let mut tally = Tally::new(&World::keeping(), &pipeline, world.clock.clock());
    tally.add(&pipeline.run(events, Deadline::after(Duration::from_secs(10))).await);
    tally.finish(&End::Source)
}

#[tokio::test(start_paused = true)]
async fn what_limits_hold_back_is_counted_once() {
    let events: Vec<Decoded> = (0..3).map(|n| decided(&format!("e{n}"), "2013-10-01T10:00:00Z", 0.9)).collect();
    let world = World::new(Faults::none());
    let first = kept(&world, events.clone()).await;
    assert_eq!((first.actions[0].taken, first.actions[0].held_back), (2, 1));
    assert_eq!(first.dispositions["passed"], 1, "held back");
    assert!(first.to_string().contains("taken  held back\n"), "{first}");
    let again = kept(&world, events[..2].to_vec()).await;
    assert_eq!((again.actions[0].taken, again.actions[0].held_back, again.dispositions["skipped"]), (0, 0, 2));
    assert!(!again.to_string().contains("held back"), "{again}");
    assert_eq!(serde_json::to_value(&first).unwrap()["actions"][0]["held_back"], 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_not_marked_as_done_is_told() {
    // The first put begins, the second marks.
    let forgets = Faults::plan(|attempt| {
        let marks = attempt.op == Op::Put && attempt.name.starts_with("once#") && attempt.nth > 1;
        marks.then_some(Fault::Fatal)
    });
    let world = World { forgets, ..World::new(Faults::none()) };
    let summary = kept(&world, vec![decided("a", "2013-10-01T10:00:00Z", 0.9)]).await;
    assert_eq!(summary.dispositions["acted"], 1);
    assert_eq!(summary.unkept.as_ref().map(|unkept| unkept.count), Some(1));
    let line = "state         1 not kept; the first: what was done: a fault of the plan: Fatal\n";
    assert!(summary.to_string().contains(line), "{summary}");
    let good = kept(&World::new(Faults::none()), acting(1)).await;
    assert_eq!(good.unkept, Some(UnkeptCount::default()));
    assert!(!good.to_string().contains("not kept"), "{good}");
}

#[tokio::test(start_paused = true)]
async fn outcomes_are_counted_where_a_store_remembers_decisions() {
    let world = World::new(Faults::none());
    let id = |summary: &Summary| (summary.outcomes.clone(), summary.to_string().contains("outcomes      "));
    let decide = decided("a", "2013-10-01T10:00:00Z", 0.1);
    kept(&world, vec![decide, decided("b", "2013-10-01T10:00:00Z", 0.1)]).await;
    let told = vec![
        told("1", "2013-10-01T10:30:00Z", "a", true),
        told("2", "2013-10-01T11:30:00Z", "b", true),
        told("3", "2013-10-01T10:30:00Z", "nobody", true),
    ];
    let summary = kept(&world, told.clone()).await;
    let counts = OutcomeCount { found: 1, late: 1, unknown: 1 };
    assert_eq!(id(&summary), (Some(counts), true));
    let line = "outcomes      1 found their decision, 1 too late; 1 of no known decision\n";
    assert!(summary.to_string().contains(line), "{summary}");
    assert_eq!(id(&self::summary(Faults::none(), told).await), (None, false), "no store is asked");
}

#[tokio::test(start_paused = true)]
async fn models_stand_in_the_order_of_the_file_behind_what_they_are_measured_by() {
    let model = |name: &str, x: &str| {
        format!("  {name}: {{ model: \"memory:m\", positive: 1, features: {{ x: '{x}' }}, when: .x != null }}\n")
    };
    let models = format!("{}{}", model("worse", "1.0 - (.x || 0.0)"), model("better", ".x || 0.0"));
    let file = World::parse(&PIPELINE.replace("infer:\n", &format!("infer:\n{models}")));
    let built = Builder::new(file.clone()).open(&World::new(Faults::none())).await;
    let pipeline = built.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    let mut tally = Tally::new(&file, &pipeline, Clock::system());
    let events = vec![
        decided("a", "2013-10-01T10:00:00Z", 0.9),
        decided("b", "2013-10-01T10:00:00Z", 0.2),
        told("1", "2013-10-01T10:30:00Z", "a", true),
        told("2", "2013-10-01T10:30:00Z", "b", false),
    ];
    tally.add(&pipeline.run(events, Deadline::after(Duration::from_secs(10))).await);
    let page = tally.finish(&End::Source).to_string();
    let table = "               AUC     gain  top 5 % right    gain
one rule *  0.5000                  10.0 %
worse       0.0000  -0.5000          0.0 %   -10.0
better      1.0000  +1.0000        100.0 %  +100.0
m           1.0000  +0.0000        100.0 %    +0.0
";
    assert!(page.contains(table), "{page}");
}

#[tokio::test(start_paused = true)]
async fn an_event_from_the_far_future_spoils_no_score() {
    let summary = summary(
        Faults::none(),
        vec![
            decided("a", "2013-10-01T10:00:00Z", 0.9),
            decided("b", "9999-12-31T23:59:59Z", 0.2),
            event(json!({ "id": "no time", "x": 0.3 })),
            told("1", "2013-10-01T10:30:00Z", "a", true),
            event(json!({ "id": "2", "of": "no time", "good": false })),
        ],
    )
    .await;
    let scores = summary.scores.expect("the model is scored");
    assert_eq!((scores.outcomes_joined, scores.outcomes_late_or_unknown), (2, 0));
    assert_eq!(scores.decisions_without_outcome, 1);
}

#[tokio::test(start_paused = true)]
async fn what_is_asked_for_again_is_not_scored() {
    let events = vec![
        decided("a", "2013-10-01T10:00:00Z", 0.9),
        decided("b", "2013-10-01T10:00:00Z", 0.1),
        told("1", "2013-10-01T10:30:00Z", "b", true),
    ];
    let summary = summary(Faults::plan(|_| Some(Fault::Before)), events).await;
    let scores = summary.scores.expect("the model is scored");
    assert_eq!((scores.outcomes_joined, scores.decisions_without_outcome), (0, 0));
}
