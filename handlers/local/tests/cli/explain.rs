//! `fourstroke explain`: what a pipeline makes of one event, with nothing sent or written.

use serde_json::{Value, json};

use crate::support::{PIPELINE, World, day_before_rebooked, flights_pipeline, rebooked};

const GOOD: &str = r#"{"id":"1","customer":"ada","amount":20}"#;

/// The example's event, changed.
fn event(change: impl Fn(&mut Value)) -> Vec<u8> {
    let mut event: Value = serde_json::from_slice(&std::fs::read(rebooked()).unwrap()).unwrap();
    change(&mut event);
    serde_json::to_vec(&event).unwrap()
}

fn explain_flight(world: &World, event: &[u8]) -> (i32, Value) {
    let ended = world.run_with(&["explain", &flights_pipeline(), "--event", "-", "--json"], &[], event);
    assert_eq!(ended.stderr, "");
    let mut json = ended.json();
    assert_eq!(json["events"].as_array().map(Vec::len), Some(1));
    (ended.code, json["events"][0].take())
}

fn states(list: &Value) -> Value {
    list.as_array().unwrap().iter().map(|entry| json!([entry["name"], entry["state"]])).collect()
}

/// The paths of all keys; what is in arrays counts once.
fn keys(value: &Value, path: &str, into: &mut std::collections::BTreeSet<String>) {
    match value {
        Value::Object(fields) => fields.iter().for_each(|(name, value)| {
            let path = format!("{path}.{name}");
            keys(value, &path, into);
            into.insert(path);
        }),
        Value::Array(items) => items.iter().for_each(|item| keys(item, &format!("{path}[]"), into)),
        _ => {}
    }
}

#[test]
fn a_boarding_that_rebooks_is_shown_stroke_by_stroke() {
    let world = day_before_rebooked();
    let ended = world.run(&["explain", &flights_pipeline(), "--event", &rebooked()]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    for part in [
        "EVENT  2013-12-29-B61013-JFK\n",
        "  key       N633JB\n",
        "  time      2013-12-29T22:40:00.000Z\n",
        "\nTRANSFORM  ",
        "  added\n    hour   \"2013-12-29T22\"\n    route  \"JFK-LGB\"\n",
        "\nENRICH  ",
        "  weather  found in weather, ",
        "    key .origin  \"JFK\"\n    key .hour    \"2013-12-29T22\"\n",
        "    when  .type == \"boarding\"  is true\n      .type  \"boarding\"\n",
        "    in  carrier           \"B6\"\n",
        "    out probability  0.5",
        ", match: first\n  rebook  chosen\n    when  .late.probability * .plane.seats >= 99.1  is true\n      .late.probability  0.5",
        "      .plane.seats       200\n",
        "  rebook → rebooking (file:out/rebooking.jsonl)  would be sent\n",
        "    data flight       \"2013-12-29-B61013-JFK\"\n",
        "\nacted: its actions would be sent\n",
    ] {
        assert!(ended.stdout.contains(part), "{part:?} is not in\n{}", ended.stdout);
    }
    assert!(!ended.stdout.contains('\u{1b}'), "colours are for terminals");
    assert!(!world.has_output());
}

#[test]
fn one_that_passes_shows_the_rule_that_did_not_match() {
    let world = World::empty();
    // A few hours earlier on the first of October, in fine weather.
    let passes = event(|event| event["at"] = json!("2013-10-01T14:00:00Z"));
    let (code, event) = explain_flight(&world, &passes);
    assert_eq!((code, &event["disposition"]), (0, &json!("passed")));
    assert_eq!(states(&event["act"]["rules"]), json!([["rebook", "no-match"]]));
    let when = &event["act"]["rules"][0]["when"];
    assert_eq!((&when["value"], &when["reads"][1]), (&json!(false), &json!({ "text": ".plane.seats", "value": 200 })));
    assert_eq!(event["act"]["actions"], json!([]));
}

#[test]
fn a_departure_shows_that_no_model_ran_and_an_arrival_its_outcome() {
    let world = World::empty();
    let (code, departed) = explain_flight(&world, &event(|event| event["type"] = json!("departed")));
    assert_eq!((code, &departed["disposition"]), (0, &json!("passed")));
    let skipped = json!([["late_event_only", "skipped"], ["late_no_history", "skipped"], ["late", "skipped"]]);
    assert_eq!(states(&departed["infer"]), skipped);
    assert_eq!(departed["infer"][0]["when"]["reads"], json!([{ "text": ".type", "value": "departed" }]));
    assert_eq!(states(&departed["act"]["rules"]), json!([["rebook", "no-prediction"]]));
    assert_eq!(departed["act"]["rules"][0]["lacks"], json!(["late"]));
    assert_eq!(departed["outcome"], Value::Null);

    let (_, decided) = explain_flight(&world, &event(|_| {}));
    let arrival = |event: &mut Value| {
        event["id"] = json!("2013-12-29-B61013-JFK:arrived");
        event["type"] = json!("arrived");
        event["arr_delay"] = json!(42.0);
    };
    let (_, arrived) = explain_flight(&world, &event(arrival));
    assert_eq!(arrived["outcome"], json!({ "decision_id": decided["decision_id"], "label": true }));
}

#[test]
fn poison_is_explained_up_to_where_it_failed() {
    let world = World::empty();
    let (code, event_) = explain_flight(&world, b"{ no JSON");
    assert_eq!(
        (code, &event_["disposition"], &event_["error"]["code"]),
        (1, &json!("dead-lettered"), &json!("FS-D001"))
    );
    assert_eq!((&event_["transform"]["decoded"], &event_["event"]["body"]), (&Value::Null, &json!("{ no JSON")));
    assert!(event_["enrich"].as_array().unwrap().iter().all(|lookup| lookup["state"] == "not-reached"), "{event_}");
    assert_eq!(event_["error"]["what_to_do"], "Look at the dead letter's body; fix the producer, or `event.format`.");

    // The first model's column is null, and `missing` does not name it: the second is not asked.
    let (code, event_) = explain_flight(&world, &event(|event| event["distance"] = Value::Null));
    assert_eq!((code, &event_["error"]["code"], &event_["error"]["stage"]), (1, &json!("FS-I002"), &json!("infer")));
    assert_eq!(
        states(&event_["enrich"]).as_array().unwrap()[..2],
        [json!(["weather", "found"]), json!(["plane", "found"])]
    );
    let failed = json!([["late_event_only", "failed"], ["late_no_history", "not-reached"], ["late", "not-reached"]]);
    assert_eq!(states(&event_["infer"]), failed);
    let features = &event_["infer"][0]["features"];
    assert_eq!((&features["distance"], &features["carrier"]), (&Value::Null, &json!("B6")));
    assert_eq!(states(&event_["act"]["rules"]), json!([["rebook", "not-reached"]]));
    let text = world.run_with(&["explain", &flights_pipeline(), "--event", "-"], &[], b"{ no JSON");
    for part in
        ["TRANSFORM  not reached\n", "\ndead-lettered: ", "error       FS-D001 in decode, poison\n", "what to do  "]
    {
        assert!(text.stdout.contains(part), "{part:?} is not in\n{}", text.stdout);
    }
    assert!(!world.has_output());
}

#[test]
fn a_rule_that_fails_and_what_stands_in_for_a_lookup_are_named() {
    let world = World::small();
    let rules = r#"act:
  rules:
    - { name: none, when: .amount < 0.0, to: offers }
    - { name: broken, when: 'to_int!(.customer) > 1', to: offers }
    - { name: later, to: offers }
"#;
    let start = PIPELINE.find("act:\n").unwrap();
    let end = PIPELINE.find("log: {").unwrap();
    let end_of_log = PIPELINE.find("tests:\n").unwrap();
    let broken = format!("{}{rules}{}", &PIPELINE[..start], &PIPELINE[end..end_of_log]);
    world.write("broken.yaml", broken);
    let stranger = GOOD.replace("ada", "eve");
    let ended = world.run_with(&["explain", "broken.yaml", "--event", "-", "--json"], &[], stranger.as_bytes());
    assert_eq!(ended.code, 1, "{ended:?}");
    let event = &ended.json()["events"][0];
    assert_eq!(event["error"]["code"], "FS-A001");
    assert_eq!(states(&event["enrich"]), json!([["who", "default"]]));
    assert_eq!(
        states(&event["act"]["rules"]),
        json!([["none", "no-match"], ["broken", "failed"], ["later", "not-reached"]])
    );
    assert_eq!(event["act"]["rules"][1]["when"]["value"], Value::Null);
}

#[test]
fn a_rule_that_matches_behind_the_first_is_a_candidate() {
    let world = World::small();
    let also = "    - { name: also, when: .amount > 1.0, to: offers }\nlog: { to";
    world.write("pipeline.yaml", PIPELINE.replace("log: { to", also));
    let ended = world.run_with(&["explain", "pipeline.yaml", "--event", "-", "--json"], &[], GOOD.as_bytes());
    assert_eq!(states(&ended.json()["events"][0]["act"]["rules"]), json!([["offer", "chosen"], ["also", "candidate"]]));
}

/// Offers once for each order and twice for each customer; how much was ordered lately counts.
fn keeping() -> World {
    let world = World::small();
    let once = "to: offers, once: state, limit: { in: state, by: [.customer], at_most: 2, per: 1h },";
    let window = "enrich:\n  lately: { window: { in: state, by: [.customer], value: .amount, over: [1h], give: [count, mean] } }\n";
    let pipeline = PIPELINE
        .replace("stores:\n", "stores:\n  state: \"redb:kept/state.redb\"\n")
        .replace("customer: string,", "customer: \"string?\",")
        .replace("enrich:\n", window)
        .replace("to: offers,", once);
    world.write("pipeline.yaml", &pipeline[..pipeline.find("tests:").unwrap()]);
    world
}

fn explain_order(world: &World, order: &str) -> Value {
    let ended = world.run_with(&["explain", "pipeline.yaml", "--event", "-", "--json"], &[], order.as_bytes());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    ended.json()["events"][0].take()
}

#[test]
fn what_is_kept_is_shown_and_left_as_it_is() {
    let world = keeping();
    let order = |id: &str| GOOD.replace("\"1\"", &format!("\"{id}\""));
    let new = explain_order(&world, &order("1"));
    assert_eq!(states(&new["enrich"]), json!([["lately", "empty"], ["who", "found"]]));
    let lately = &new["enrich"][0];
    assert_eq!(
        (&lately["from"], &lately["key"][0]),
        (&json!("state"), &json!({ "text": ".customer", "value": "ada" }))
    );
    assert_eq!((&lately["value"], &lately["age_ms"]), (&json!({ "count_1h": 0, "mean_1h": null }), &Value::Null));
    assert_eq!((&new["disposition"], &new["replay"]), (&json!("acted"), &Value::Null));
    assert!(!world.path("kept").exists(), "nothing was made");
    let text = world.run_with(&["explain", "pipeline.yaml", "--event", "-"], &[], order("1").as_bytes()).stdout;
    assert!(text.contains("  lately  nothing in state; an empty window\n    key .customer  \"ada\"\n"), "{text}");
    let nobody = explain_order(&world, &order("1").replace("\"ada\"", "null"));
    assert_eq!(states(&nobody["enrich"])[0], json!(["lately", "empty"]));

    world.write("orders.jsonl", format!("{}\n{}\n", order("1"), order("2")));
    assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 0);
    let before = std::fs::read(world.path("kept/state.redb")).unwrap();
    let third = explain_order(&world, &order("3"));
    assert_eq!(states(&third["enrich"])[0], json!(["lately", "found"]));
    assert_eq!(third["enrich"][0]["value"], json!({ "count_1h": 2, "mean_1h": 20.0 }));
    assert_eq!(states(&third["act"]["rules"]), json!([["offer", "held-back"]]));
    assert_eq!((&third["act"]["actions"], &third["disposition"]), (&json!([]), &json!("passed")));
    let again = explain_order(&world, &order("1"));
    assert_eq!((&again["disposition"], &again["replay"]), (&json!("acted"), &Value::Null), "it is decided anew");
    assert_eq!(states(&again["act"]["rules"]), json!([["offer", "chosen"]]), "and counted already");
    assert_eq!(std::fs::read(world.path("kept/state.redb")).unwrap(), before, "it was only looked at");
}

#[test]
fn an_empty_store_stands_in_for_one_that_cannot_be_read() {
    let world = keeping();
    std::fs::create_dir(world.path("kept")).unwrap();
    world.write("kept/state.redb", "no store");
    let ended = world.run_with(&["explain", "pipeline.yaml", "--event", "-", "--json"], &[], GOOD.as_bytes());
    assert_eq!((ended.code, &ended.json()["events"][0]["disposition"]), (0, &json!("acted")));
    assert!(
        ended.stderr.contains("`stores.state`: ") && ended.stderr.ends_with("; an empty store stands in\n"),
        "{ended:?}"
    );
}

#[test]
fn what_would_be_sent_is_shown_exactly_and_not_sent() {
    let world = World::small();
    world.write("order.json", GOOD);
    world.write("pipeline.yaml", PIPELINE.replace(r#""stdout:""#, r#""${OFFERS:-stdout:}""#));
    let arguments = ["explain", "pipeline.yaml", "--event", "order.json", "--now", "2026-01-31T12:00:00Z", "--json"];
    let before = std::fs::read_dir(world.path("")).unwrap().count();
    let explained = world.run_with(&arguments, &[("OFFERS", "file:out/offers.jsonl")], b"");
    let to_stdout = world.run(&arguments);
    assert_eq!(to_stdout.stdout.lines().count(), 1, "no action is there: {}", to_stdout.stdout);
    assert_eq!(std::fs::read_dir(world.path("")).unwrap().count(), before, "no file was made");
    let event = &explained.json()["events"][0];
    assert_eq!(event["decided_at"], "2026-01-31T12:00:00.000Z");
    let action = &event["act"]["actions"][0];
    assert_eq!(action["place"], "file:… (from OFFERS)", "values of variables are not shown");
    let variables = [("OFFERS", "file:out/offers.jsonl")];
    assert_eq!(world.run_with(&["run", "pipeline.yaml"], &variables, b"").code, 0);
    let sent = std::fs::read_to_string(world.path("out/offers.jsonl")).unwrap();
    assert_eq!(sent, format!("{}\n", action["body"].as_str().unwrap()));
    let logged = &world.lines("out/decisions.jsonl")[0];
    assert_eq!(action["idempotency_key"], logged["actions"][0]["idempotency_key"]);
    assert_eq!((&action["key"], &event["decision_id"]), (&json!("ada"), &logged["decision_id"]));
}

#[test]
fn a_body_of_several_events_explains_each() {
    let world = World::small();
    world.write("pipeline.yaml", PIPELINE.replace("event:\n", "event:\n  format: jsonl\n"));
    let ended = world.run(&["explain", "pipeline.yaml", "--event", "orders.jsonl", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let ends: Value =
        ended.json()["events"].as_array().unwrap().iter().map(|event| event["disposition"].clone()).collect();
    assert_eq!(ends, json!(["acted", "passed", "passed"]));
    let text = world.run(&["explain", "pipeline.yaml", "--event", "orders.jsonl"]).stdout;
    assert!(text.contains("EVENT  2 (2 of 3)\n"), "{text}");
}

#[test]
fn what_came_with_an_event_does_not_steer_the_terminal() {
    let world = World::small();
    let evil = GOOD.replace("\"1\"", "\"\\u001b[2J\u{9b}1\"");
    let ended = world.run_with(&["explain", "pipeline.yaml", "--event", "-"], &[], evil.as_bytes());
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(!ended.stdout.contains(['\u{1b}', '\u{9b}']), "{}", ended.stdout);
}

#[test]
fn a_dead_letter_explains_its_event() {
    let world = World::small();
    world.write("orders.jsonl", format!("{GOOD}\n{{\"id\":\"9\",\"customer\":\"ada\"}}\n"));
    assert_eq!(world.run(&["run", "pipeline.yaml"]).code, 1);
    let ended = world.run(&["explain", "pipeline.yaml", "--dead-letter", "out/dead.jsonl", "--json"]);
    let (event, letter) = (&ended.json()["events"][0], &world.lines("out/dead.jsonl")[0]);
    assert_eq!((ended.code, &event["error"]["code"]), (1, &letter["code"]), "{ended:?}");
    assert_eq!(event["event"]["id"], letter["id"]);
    let no_letter = world.run_with(&["explain", "pipeline.yaml", "--dead-letter", "-"], &[], GOOD.as_bytes());
    assert_eq!(no_letter.code, 2);
    assert!(no_letter.stderr.contains("not a dead letter"), "{}", no_letter.stderr);
}

#[test]
fn what_comes_beside_a_body_is_given_beside_it() {
    let world = World::small();
    world.write("pipeline.yaml", PIPELINE.replace("event:\n", "event:\n  format: cloudevents\n"));
    let arguments = "explain pipeline.yaml --event - --json --attribute ce-specversion=1.0 --attribute ce-id=7 \
        --attribute ce-source=/shop --attribute ce-type=order --attribute content-type=application/json";
    let arguments: Vec<&str> = arguments.split_whitespace().collect();
    let ended = world.run_with(&arguments, &[], GOOD.as_bytes());
    assert_eq!((ended.code, &ended.json()["events"][0]["disposition"]), (0, &json!("acted")), "{ended:?}");
    let wrong = world.run(&["explain", "pipeline.yaml", "--event", "-", "--attribute", "ce-id"]);
    assert_eq!(wrong.code, 2);
    assert!(wrong.stderr.contains("NAME=VALUE"), "{}", wrong.stderr);
}

#[test]
fn json_has_the_documented_keys() {
    let world = day_before_rebooked();
    let (_, event) = explain_flight(&world, &event(|event| event["distance"] = json!(2465)));
    let mut found = Default::default();
    keys(&event, "", &mut found);
    let shape = |path: &&String| {
        // What the pipeline names itself is not the shape.
        let own = [".decoded.", ".added.", ".features.", ".prediction.", ".value.", ".data.", ".attributes."];
        !own.iter().any(|own| path.contains(own))
    };
    let found: Vec<&String> = found.iter().filter(shape).collect();
    let expected = include_str!("explain_keys.txt");
    assert_eq!(found.iter().map(|path| format!("{path}\n")).collect::<String>(), expected);
}

#[test]
fn wrong_usage_ends_with_2() {
    let world = World::small();
    assert_eq!(world.run(&["explain", "pipeline.yaml"]).code, 2);
    let nowhere = world.run(&["explain", "pipeline.yaml", "--event", "nowhere.json"]);
    assert_eq!(nowhere.code, 2);
    assert!(nowhere.stderr.contains("--event nowhere.json: "), "{}", nowhere.stderr);
    world.write("pipeline.yaml", PIPELINE.replace(".who.level > 1", ".who.levle > 1"));
    let wrong = world.run(&["explain", "pipeline.yaml", "--event", "orders.jsonl"]);
    assert_eq!((wrong.code, wrong.stdout.as_str()), (2, ""));
    assert!(wrong.stderr.contains("did you mean"), "{}", wrong.stderr);
}
