//! `fourstroke state`: what a run has kept about a subject, and how it is forgotten.

use serde_json::{Value, json};

use crate::support::{CUSTOMERS, Ended, World};

/// Offers something for large orders: once for each, twice an hour for each customer and shop.
const PIPELINE: &str = r#"fourstroke: v1
name: kept
sources: { orders: "file:orders.jsonl" }
stores:
  state: ${STATE:-redb:kept/state.redb}
  customers: { url: "file:customers.csv", key: [customer], fields: { level: integer } }
sinks: { offers: "stdout:", decisions: "file:out/decisions.jsonl", dead: "file:out/dead.jsonl" }
event:
  id: .id
  key: .customer
  time: .at
  fields: { id: string, customer: string, shop: string, amount: float, at: timestamp }
enrich:
  who: { from: customers, key: [.customer], missing: default, default: { level: 0 } }
  orders: { window: { in: state, by: [.customer], value: .amount, over: [1h, 3d], give: [count, mean, distinct] } }
act:
  rules:
    - name: offer
      when: .amount > 10.0
      to: offers
      once: state
      limit: { in: state, by: [.customer, .shop], at_most: 2, per: 1h }
      data: '{ "order": .id }'
outcome: { when: .amount < 0.0, of: .id, label: true, within: 1h, in: state }
log: { to: decisions }
on_error: { to: dead }
"#;

const ORDERS: &str = r#"{"id":"1","customer":"ada","shop":"north","amount":20,"at":"2013-10-01T10:00:00Z"}
{"id":"2","customer":"ada","shop":"north","amount":30,"at":"2013-10-01T12:30:00Z"}
{"id":"3","customer":"ada","shop":"south","amount":5,"at":"2013-10-01T13:00:00Z"}
{"id":"4","customer":"bob","shop":"north","amount":20,"at":"2013-10-01T13:00:00Z"}
"#;

const STORE: [&str; 2] = ["--store", "redb:kept/state.redb"];

fn world() -> World {
    let world = World::empty();
    world.write("pipeline.yaml", PIPELINE);
    world.write("customers.csv", CUSTOMERS);
    world.write("orders.jsonl", ORDERS);
    world
}

/// Where a run has kept something.
fn ran() -> World {
    let world = world();
    assert_eq!(offers(&world), ["1", "2", "4"]);
    world
}

/// Runs the pipeline and gives the orders that an offer was sent for.
fn offers(world: &World) -> Vec<String> {
    let ended = world.run(&["run", "pipeline.yaml"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let order = |line: &str| serde_json::from_str::<Value>(line).unwrap()["order"].as_str().unwrap().to_owned();
    ended.stdout.lines().map(order).collect()
}

fn state(world: &World, arguments: &[&str]) -> Ended {
    world.run(&[&["state"], arguments, &STORE].concat())
}

fn ids(world: &World) -> Vec<String> {
    let id = |entry: &Value| entry["decision_id"].as_str().unwrap().to_owned();
    world.lines("out/decisions.jsonl").iter().map(id).collect()
}

#[test]
fn everything_under_a_subject_is_listed() {
    let world = ran();
    let ids = ids(&world);
    let mut once = [format!("once#{}", ids[0]), format!("once#{}", ids[1])];
    once.sort_unstable();
    let listed = state(&world, &["list", "ada", "--json"]);
    assert_eq!((listed.code, listed.stderr.as_str()), (0, ""));
    let listed = listed.json();
    let sorts: Vec<&str> =
        listed["items"].as_array().unwrap().iter().map(|item| item["sort"].as_str().unwrap()).collect();
    assert_eq!(sorts[..3], ["limit#offer#3600s\u{1f}north", &once[0], &once[1]]);
    assert!(sorts.len() == 4 && sorts[3].starts_with("window#orders#"), "{sorts:?}");
    assert_eq!((&listed["v"], &listed["subject"]), (&json!(1), &json!("ada")));
    assert!(listed["items"].as_array().unwrap().iter().all(|item| {
        item["version"].is_u64() && item["expires"].as_str().is_some_and(|expires| expires.ends_with('Z'))
    }));
    assert_eq!(listed["items"][1]["summary"], "offer done");

    let text = state(&world, &["list", "ada"]).stdout;
    assert_eq!(text.lines().count(), 4, "{text}");
    for part in
        ["limit#offer#3600s\\u{1f}north  ", "  version ", "  until 2", "  2 counted, the last 2", "\nwindow#orders"]
    {
        assert!(text.contains(part), "{part:?} is not in\n{text}");
    }
    assert!(text.ends_with("2 in 1h, 3 in 3d, the newest 2013-10-01T13:00:00.000Z\n"), "{text}");
}

#[test]
fn each_kind_is_shown_whole() {
    let world = ran();
    let get = |subject: &str, kind: &str| {
        let ended = state(&world, &["get", subject, kind, "--json"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{kind}");
        ended.json()
    };
    let ids = ids(&world);
    let listed = state(&world, &["list", "ada", "--json"]).json();
    // Behind its name stands a digest of what it counts.
    let kind = listed["items"][3]["sort"].as_str().unwrap();
    let window = &get("ada", "window#orders")["value"];
    assert_eq!(window, &get("ada", kind)["value"], "where there is one of that name, the name is enough");
    assert_eq!((&window["newest"], &window["one_by_one"]), (&json!("2013-10-01T13:00:00.000Z"), &json!(1)));
    let hour = json!({
        "over": "1h", "buckets": 1, "count": 2, "sum": 35.0, "min": 5.0, "max": 30.0, "last": 5.0, "distinct": 2
    });
    let days = json!({
        "over": "3d", "buckets": 2, "count": 3, "sum": 55.0, "min": 5.0, "max": 30.0, "last": 5.0, "distinct": 3
    });
    assert_eq!(window["durations"], json!([hour, days]));

    // As the list writes it, and as it is.
    let limit = get("ada", "limit#offer#3600s\\u{1f}north");
    assert_eq!(limit, get("ada", "limit#offer#3600s\u{1f}north"));
    assert_eq!((&limit["sort"], limit["value"].as_array().unwrap().len()), (&json!("limit#offer#3600s\u{1f}north"), 2));
    assert_eq!(limit["value"][1]["decision"], ids[1][..16]);
    assert!(limit["value"][1]["at"].as_str().is_some_and(|at| at.starts_with('2') && at.ends_with('Z')));

    let once = &get("bob", &format!("once#{}", ids[3]))["value"];
    assert_eq!((&once["actions"][0]["name"], &once["actions"][0]["done"]), (&json!("offer"), &json!(true)));
    assert_eq!(once["actions"][0]["body"], r#"{"order":"4"}"#);
    assert!(once["decided_at"].as_str().is_some_and(|at| at.ends_with('Z')), "{once}");

    let note = &get(&ids[0], "decision")["value"];
    assert_eq!(note["event_time"], "2013-10-01T10:00:00.000Z");

    let text = state(&world, &["get", "ada", kind]).stdout;
    assert!(text.starts_with(&format!("subject  ada\nkind     {kind}\nversion  ")), "{text}");
    assert!(text.contains("\n  \"newest\": \"2013-10-01T13:00:00.000Z\""), "{text}");
}

#[test]
fn a_forgotten_subject_is_one_nobody_knows() {
    let world = ran();
    assert!(offers(&world).is_empty(), "each was offered once");
    let forgotten = state(&world, &["forget", "ada", "--json"]);
    assert_eq!((forgotten.code, forgotten.stderr.as_str()), (0, ""));
    let removed = json!({ "limit": 1, "once": 2, "window": 1 });
    assert_eq!(forgotten.json(), json!({ "v": 1, "subject": "ada", "removed": removed, "left": 0 }));
    assert_eq!(state(&world, &["list", "ada"]).code, 1);
    assert_eq!(state(&world, &["list", "bob"]).code, 0);
    assert_eq!(offers(&world), ["1", "2"], "ada is new, bob is not");

    let bob = state(&world, &["forget", "bob"]);
    let says = "removed 3 items under `bob` in `redb:kept/state.redb`: limit 1, once 1, window 1\n";
    assert_eq!((bob.code, bob.stdout.as_str()), (0, says));
    let again = state(&world, &["forget", "bob"]);
    assert_eq!((again.code, again.stdout.as_str()), (1, ""));
    assert_eq!(again.stderr, "nothing is kept under `bob` in `redb:kept/state.redb`\n");
}

#[test]
fn what_is_not_there_is_said_and_not_made() {
    let world = world();
    for arguments in [&["list", "ada"][..], &["get", "ada", "window#orders"], &["forget", "ada"]] {
        let ended = state(&world, arguments);
        assert_eq!((ended.code, ended.stdout.as_str()), (1, ""), "{arguments:?}");
        assert_eq!(ended.stderr, "`redb:kept/state.redb` does not exist: nothing is kept there yet\n");
    }
    assert_eq!(state(&world, &["list", "ada", "--json"]).json()["items"], json!([]));
    assert!(!world.path("kept").exists());

    let world = ran();
    let list = state(&world, &["list", "eve\u{1b}", "--json"]);
    assert_eq!((list.code, &list.json()["items"]), (1, &json!([])));
    assert_eq!(list.stderr, "nothing is kept under `eve\\u{1b}` in `redb:kept/state.redb`\n");
    let get = state(&world, &["get", "ada", "window#other"]);
    assert_eq!((get.code, get.stdout.as_str()), (1, ""));
    assert_eq!(get.stderr, "no `window#other` is kept under `ada` in `redb:kept/state.redb`\n");
}

#[test]
fn a_store_is_named_by_the_pipeline_file_and_a_table_is_not_forgotten_in() {
    let world = world();
    let variables = [("STATE", "redb:secret/state.redb")];
    assert_eq!(world.run_with(&["run", "pipeline.yaml"], &variables, b"").code, 0);
    let named = |command: &[&str], store: &str| {
        let store = ["--pipeline", "pipeline.yaml", "--store", store];
        world.run_with(&[&["state"], command, &store].concat(), &variables, b"")
    };
    assert_eq!(named(&["list", "ada", "--json"], "state").json()["items"].as_array().unwrap().len(), 4);
    let nobody = named(&["list", "eve"], "state").stderr;
    assert!(nobody.ends_with("in `redb:… (from STATE)`\n"), "values of variables are not shown: {nobody}");

    assert_eq!(named(&["get", "ada", "--json"], "customers").json()["value"], json!({ "level": 2 }));
    assert_eq!(named(&["list", "ada"], "customers").code, 0);
    let table = named(&["forget", "ada"], "customers");
    assert_eq!((table.code, table.stdout.as_str()), (2, ""));
    assert!(table.stderr.contains("`file:customers.csv` is a table"), "{}", table.stderr);
}

#[test]
fn wrong_usage_ends_with_2() {
    let world = world();
    world.write("text.redb", "no store");
    for (arguments, says) in [
        (&["--store", "state"][..], "give a URL"),
        (&["--store", "memory:"], "gone with its process"),
        (&["--store", "redb:text.redb"], "no redb file"),
        (&["--store", "other", "--pipeline", "pipeline.yaml"], "it has: state, customers"),
        (&[], "--store"),
    ] {
        let ended = world.run(&[&["state", "list", "ada"], arguments].concat());
        assert_eq!((ended.code, ended.stdout.as_str()), (2, ""), "{arguments:?}");
        assert!(ended.stderr.contains(says), "{arguments:?}: {}", ended.stderr);
    }
    let help = world.run(&["state", "forget", "--help"]).stdout;
    assert!(help.contains("acts again") && help.contains("Examples:"), "{help}");
}
