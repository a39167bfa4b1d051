//! Bodies to fields: JSON, newline JSON, CSV; and what each refusal says.

mod common;

use common::{World, bodies, run};
use fourstroke::event::Event;
use serde_json::json;

/// Runs one body through a pipeline with that `event` section and no strokes; gives the log entries.
async fn decoded(section: &str, event: Event) -> Vec<serde_json::Value> {
    let yaml = format!(
        "fourstroke: v1\nname: d\nsinks: {{ log: 'memory:', dead: 'memory:' }}\nevent:\n{section}\nlog: {{ to: log, keep: [.] }}\non_error: {{ to: dead }}\n"
    );
    let world = World::default();
    let pipeline = world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"));
    run(&pipeline, vec![event.into()]).await;
    let letters = bodies(&world.dead);
    bodies(&world.log)
        .into_iter()
        .map(|entry| match letters.iter().find(|letter| letter["id"] == entry["event_id"]) {
            Some(letter) => json!([letter["code"], letter["reason"]]),
            None => entry["record"].clone(),
        })
        .collect()
}

const FIELDS: &str = "  fields: { a: string, n: \"integer?\", f: \"float?\", t: \"timestamp?\" }";

#[tokio::test]
async fn json_keeps_declared_fields_and_makes_them_fit() {
    let body = r#"{"zz": [[{}]], "a": "x", "f": 2, "t": 1380585600}"#;
    let got = decoded(FIELDS, Event::new("1", body)).await;
    assert_eq!(got, [json!({ "a": "x", "n": null, "f": 2.0, "t": "2013-10-01T00:00:00Z" })]);
    let undeclared = decoded("  format: json", Event::new("1", body)).await;
    assert_eq!(undeclared[0]["zz"], json!([[{}]]));
}

#[tokio::test]
async fn json_that_does_not_fit_says_why() {
    for (body, code, reason) in [
        ("", "FS-D001", "EOF"),
        ("{", "FS-D001", "EOF"),
        ("[]", "FS-D001", "expected an object"),
        ("{\"a\": \"x\", \"f\": 9007199254740993}", "FS-D003", "`f` is 9007199254740993"),
        ("{\"a\": \"x\"} {}", "FS-D001", "trailing"),
        ("{\"a\": \"\\ud800\"}", "FS-D001", "hex escape"),
        ("\u{feff}{\"a\": \"x\"}", "FS-D001", "byte order mark"),
        ("{\"a\": \"x\", \"a\": \"y\"}", "FS-D001", "`a` stands there twice"),
        ("{}", "FS-D002", "`a` is missing"),
        ("{\"a\": null}", "FS-D002", "`a` is null"),
        ("{\"a\": 5}", "FS-D003", "`a` is 5, where string is declared"),
        ("{\"a\": \"x\", \"n\": 1.5}", "FS-D003", "`n` is 1.5"),
        ("{\"a\": \"x\", \"n\": 18446744073709551616}", "FS-D003", "`n` is"),
        ("{\"a\": \"x\", \"f\": 1e999}", "FS-D001", "number out of range"),
        ("{\"a\": \"x\", \"t\": \"yesterday\"}", "FS-D003", "`t` is \"yesterday\""),
    ] {
        let got = decoded(FIELDS, Event::new("1", body)).await;
        assert_eq!(got[0][0], code, "{body}: {got:?}");
        assert!(got[0][1].as_str().unwrap().contains(reason), "{body}: {got:?}");
    }
    let twice = decoded("  format: json", Event::new("1", "{\"b\": 1, \"b\": 2}")).await;
    assert!(twice[0][1].as_str().unwrap().contains("`b` stands there twice"), "{twice:?}");
    let nested = format!("{{\"a\": {}1{}}}", "[".repeat(200), "]".repeat(200));
    let nested = decoded("  fields: { a: any }", Event::new("1", nested)).await;
    assert_eq!(nested[0][0], "FS-D004", "{nested:?}");
    let deep = format!("{{\"a\": \"x\", \"deep\": {}1{}}}", "[".repeat(100_000), "]".repeat(100_000));
    assert_eq!(
        decoded(FIELDS, Event::new("1", deep)).await[0]["a"],
        "x",
        "what is not read may be as deep as it likes"
    );
}

#[tokio::test]
async fn newline_json_is_an_event_per_line() {
    let body = "{\"a\": \"x\"}\r\n\n{\"a\": 1}\n{\"a\": \"z\"}";
    let got = decoded(&format!("  format: jsonl\n{FIELDS}"), Event::new("r", body)).await;
    assert_eq!(got.len(), 3);
    assert_eq!((&got[0]["a"], &got[1][0], &got[2]["a"]), (&json!("x"), &json!("FS-D003"), &json!("z")));
    assert_eq!(decoded("  format: jsonl", Event::new("r", "\n\n")).await[0][0], "FS-D001");
}

#[tokio::test]
async fn csv_takes_its_columns_from_a_header_or_the_fields() {
    let csv = format!("  format: csv\n{FIELDS}");
    let expected = json!({ "a": "x,y", "n": 1, "f": 2.5, "t": null });
    assert_eq!(decoded(&csv, Event::new("r", "\"x,y\",1,2.5,\n")).await, std::slice::from_ref(&expected));
    assert_eq!(decoded(&csv, Event::new("r", "f,zz,a,n\n2.5,?,\"x,y\",1\n")).await, std::slice::from_ref(&expected));
    let mut event = Event::new("r", "2.5,\"x,y\",1");
    event.attributes.push(("csv-header".into(), "f,a,n".into()));
    assert_eq!(decoded(&csv, event).await, [expected]);
    let wrong = decoded(&csv, Event::new("r", "x,one,2.5,\nx,1\nok,1,1,2013-10-01T00:00:00Z\n")).await;
    assert_eq!((&wrong[0][0], &wrong[1][0], &wrong[2]["a"]), (&json!("FS-D003"), &json!("FS-D001"), &json!("ok")));
    let whole = decoded(&csv, Event::new("r", "x,1,9007199254740993,\nx,1,-9007199254740992,\n")).await;
    assert_eq!((&whole[0][0], &whole[1]["f"]), (&json!("FS-D003"), &json!(-9007199254740992.0)), "as in JSON");
}
