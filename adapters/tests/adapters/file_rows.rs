//! Tables as sinks.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    event::Decoded,
    ports::{Key, Outgoing, SendError, Sent, Sink, Source, Store},
    testkit::sink,
    types::{FieldType, Fields},
};
use fourstroke_adapters::file::{FileSink, FileSource, FileTable, check_sink};
use vrl::value;

use crate::files;

const NAMES: [&str; 3] = ["out.csv", "out.csv.gz", "out.csv.zst"];

fn item(body: &str) -> Outgoing {
    let body = Bytes::copy_from_slice(body.as_bytes());
    Outgoing { id: "x".into(), key: None, content_type: "application/json", attributes: Vec::new(), body }
}

fn with_fields(path: &Path, fields: &[(&str, &str)]) -> Resource {
    let mut resource = files::resource(path);
    let parsed = |text: &str| FieldType::parse(text).unwrap();
    let fields: Vec<_> = fields.iter().map(|(name, declared)| ((*name).to_owned(), parsed(declared))).collect();
    resource.fields = (!fields.is_empty()).then_some(Fields(fields));
    resource
}

async fn send(resource: &Resource, bodies: &[&str]) -> Vec<Result<(), SendError>> {
    let items: Vec<Outgoing> = bodies.iter().map(|body| item(body)).collect();
    FileSink::open(resource).await.unwrap().send(&items).await
}

/// Appends rows as a process of its own would, and expects all to be taken.
async fn append(resource: &Resource, bodies: &[&str]) {
    let answers = send(resource, bodies).await;
    assert!(answers.iter().all(Result::is_ok), "{answers:?}");
}

fn text(path: &Path) -> String {
    String::from_utf8(files::unpack(path)).unwrap()
}

/// Puts any body into a cell, for the suite's are no objects.
struct InACell(FileSink);

#[async_trait]
impl Sink for InACell {
    async fn send(&self, items: &[Outgoing]) -> Vec<Result<(), SendError>> {
        let wrapped = |body: &Bytes| {
            let body = std::str::from_utf8(body).unwrap();
            Bytes::from(serde_json::json!({ "body": body, "more": null }).to_string())
        };
        let items: Vec<_> = items.iter().map(|item| Outgoing { body: wrapped(&item.body), ..item.clone() }).collect();
        self.0.send(&items).await
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract_however_it_is_packed() {
    let directory = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = directory.path().join("deeper").join(name);
        let taken = async || {
            let content = files::unpack(&path);
            let mut reader = csv::Reader::from_reader(&content[..]);
            reader.byte_records().map(|row| Bytes::copy_from_slice(&row.unwrap()[0])).collect()
        };
        let can = sink::Capabilities { largest_body: 256 * 1024, items_per_call: 2_000, ..Default::default() };
        let sink = FileSink::open(&files::resource(&path)).await.unwrap();
        sink::suite(Arc::new(InACell(sink)), taken, can).await;
    }
}

#[tokio::test]
async fn the_first_object_names_the_columns_and_a_rerun_appends() {
    let directory = tempfile::tempdir().unwrap();
    for name in NAMES {
        let resource = files::resource(&directory.path().join(name));
        append(&resource, &[]).await;
        append(&resource, &[r#"{"z": "x,y", "a": 1.50}"#, r#"{"a": true}"#]).await;
        append(&resource, &[r#"{"a": {"k": [1, "two"]}, "z": "say \"hi\"\nthere"}"#]).await;
        append(&resource, &[r#"{"a": null, "z": null}"#]).await;
        let expected = "z,a\n\"x,y\",1.50\n,true\n\"say \"\"hi\"\"\nthere\",\"{\"\"k\"\":[1,\"\"two\"\"]}\"\n,\n";
        assert_eq!(text(&directory.path().join(name)), expected, "{name}");
        assert!(!directory.path().join(format!("{name}.torn")).exists(), "nothing was torn");
    }
}

#[tokio::test]
async fn rows_are_read_back_as_events_and_as_a_table() {
    let directory = tempfile::tempdir().unwrap();
    for name in NAMES {
        let path = directory.path().join(name);
        let mut resource = with_fields(&path, &[("id", "string"), ("n", "integer?"), ("note", "string?")]);
        append(&resource, &[r#"{"n": 7, "id": "a", "note": "two\nlines"}"#, r#"{"id": "b"}"#]).await;

        let mut source = FileSource::open(&files::resource(&path)).await.unwrap();
        let events = source.next().await.unwrap().unwrap().events;
        let bodies = events.iter().map(|event| match event {
            Decoded::Event(event) => (event.attribute("csv-header").unwrap().to_string(), event.body.clone()),
            Decoded::Undecodable { reason, .. } => panic!("{reason}"),
        });
        let header = || "id,n,note".to_owned();
        let expected = [(header(), Bytes::from("a,7,\"two\nlines\"")), (header(), Bytes::from("b,,"))];
        assert_eq!(bodies.collect::<Vec<_>>(), expected);

        resource.key = vec!["id".to_owned()];
        let table = FileTable::open(&resource).await.unwrap();
        let found = table.get(&["a", "b"].map(|id| Key::of_parts(&[id]))).await;
        let found: Vec<_> = found.into_iter().map(|item| item.unwrap().unwrap().value).collect();
        assert_eq!(found[0], value!({ "id": "a", "n": 7, "note": "two\nlines" }));
        assert_eq!(found[1].get(vrl::path!("n")), Some(&value::Value::Null));
    }
}

#[tokio::test]
async fn the_header_that_is_there_rules_and_must_agree_with_the_fields() {
    let directory = tempfile::tempdir().unwrap();
    let path = files::write(&directory, "out.csv", b"\xef\xbb\xbf\"b\",a\r\n1,2\r\n");
    append(&files::resource(&path), &[r#"{"a": 3, "b": 4}"#]).await;
    append(&with_fields(&path, &[("a", "any"), ("b", "any")]), &[r#"{"a": 5}"#]).await;
    assert_eq!(text(&path), "\u{feff}\"b\",a\r\n1,2\r\n4,3\n,5\n");

    let other = with_fields(&path, &[("a", "any"), ("c", "any")]);
    let sentence = FileSink::open(&other).await.unwrap_err();
    assert!(sentence.contains("its columns are b, a, but `fields` names a, c; make them the same"), "{sentence}");
    // Also where this process has it open already.
    let _open = FileSink::open(&files::resource(&path)).await.unwrap();
    assert_eq!(FileSink::open(&other).await.unwrap_err(), sentence);

    let twice = files::write(&directory, "twice.csv", b"a,a\n");
    let sentence = FileSink::open(&files::resource(&twice)).await.unwrap_err();
    assert!(sentence.ends_with("its header: the column `a` is named twice"), "{sentence}");
}

#[tokio::test]
async fn sinks_of_one_file_share_its_columns() {
    let directory = tempfile::tempdir().unwrap();
    let resource = files::resource(&directory.path().join("out.csv"));
    let sinks = [FileSink::open(&resource).await.unwrap(), FileSink::open(&resource).await.unwrap()];
    for sink in &sinks {
        sink.send(&[item(r#"{"a": 1}"#)]).await.remove(0).unwrap();
    }
    assert_eq!(text(&directory.path().join("out.csv")), "a\n1\n1\n");
}

#[tokio::test]
async fn what_does_not_fit_is_refused_and_the_rest_goes_on() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("out.csv");
    let bodies = [
        ("{}", Some("names no columns")),
        ("[1]", Some("a row must be a JSON object: ")),
        (r#"{"a": "\ud800"}"#, Some("the key `a`: ")),
        (r#"{"a": null}"#, None),
        (r#"{"a": 1, "x": 2}"#, Some("the key `x` is not a column; the columns are a")),
        (r#"{"a": 1, "a": 2}"#, Some("the key `a` is there twice; the columns are a")),
        ("", Some("a row must be a JSON object: ")),
        ("{\"a\": \"\n\"}", Some("a row must be a JSON object: ")),
        (r#"{"a": 1} {"a": 2}"#, Some("a row must be a JSON object: ")),
        ("{}", None),
        (r#"{"a": "ä"}"#, None),
    ];
    let answers = send(&files::resource(&path), &bodies.map(|(body, _)| body)).await;
    for ((body, refused), answer) in bodies.iter().zip(answers) {
        match refused {
            None => assert_eq!(answer, Ok(()), "{body}"),
            Some(why) => {
                let error = answer.unwrap_err();
                assert_eq!((error.kind, error.sent), (Kind::Poison, Sent::No), "{body}");
                assert!(error.reason.contains(why), "{body}: {error}");
            }
        }
    }
    assert_eq!(text(&path), "a\n\"\"\n\"\"\nä\n");
}

#[tokio::test]
async fn a_torn_end_is_moved_aside_though_it_holds_newlines() {
    let directory = tempfile::tempdir().unwrap();
    for (torn, aside) in [("1,\"half\na \"\"row\"\"\n", true), ("12", true), ("3,\"a\n\"\"b\"\"\"\n", false)] {
        let path = files::write(&directory, "out.csv", format!("a,b\n\"1\n\",5\"\n{torn}").as_bytes());
        append(&files::resource(&path), &[r#"{"b": 2}"#]).await;
        let kept = if aside { "" } else { torn };
        assert_eq!(text(&path), format!("a,b\n\"1\n\",5\"\n{kept},2\n"));
        let beside = std::fs::read_to_string(directory.path().join("out.csv.torn")).unwrap_or_default();
        assert_eq!(beside.ends_with(&format!("{torn}\n")), aside, "{beside:?}");
    }
    // A header that never was whole is written anew.
    let path = files::write(&directory, "header.csv", b"a,\"b\n");
    append(&files::resource(&path), &[r#"{"c": 1}"#]).await;
    assert_eq!(text(&path), "c\n1\n");
    // A compressed one is whole up to its last whole part.
    let path = directory.path().join("out.csv.gz");
    append(&files::resource(&path), &[r#"{"c": 1}"#]).await;
    let half = &files::pack("x.gz", b"2\n")[..15];
    std::fs::write(&path, [&std::fs::read(&path).unwrap(), half].concat()).unwrap();
    append(&files::resource(&path), &[r#"{"c": 3}"#]).await;
    assert_eq!(text(&path), "c\n1\n3\n");
}

#[tokio::test]
async fn whole_rows_of_somebody_else_are_never_moved() {
    const OPEN: &str = "its last line has no line end; add one, or move the file away";
    const RETURNS: &str = "its lines end in carriage returns alone; make them newlines, or move the file away";
    let directory = tempfile::tempdir().unwrap();
    for (content, why) in [
        ("a,b\n1,2\n3,4", OPEN),
        ("a,b\r\n1,\"2\r\n\"", OPEN),
        ("a,b\n1,", OPEN),
        ("a,b\n1,2,3", OPEN),
        ("a,b", OPEN),
        ("a\n1\n2", OPEN),
        ("\u{feff}\"a,b\n\",c\n1,2", OPEN),
        ("a,b\r1,2\r3,4\r", RETURNS),
        ("a,b\r1,2\r3,4", RETURNS),
        ("a,b\n1,2\n3,4\r5", RETURNS),
    ] {
        let path = files::write(&directory, "out.csv", content.as_bytes());
        for resource in [files::resource(&path), with_fields(&path, &[("a", "any"), ("b", "any")])] {
            for refused in [check_sink(&resource), FileSink::open(&resource).await.map(drop)] {
                let sentence = refused.expect_err(content);
                assert!(sentence.ends_with(&format!("cannot be appended to: {why}")), "{content:?}: {sentence}");
            }
        }
        assert_eq!(text(&path), content, "it must be left alone");
    }
    assert!(!directory.path().join("out.csv.torn").exists());
}

#[tokio::test]
async fn a_byte_order_mark_is_no_part_of_a_column() {
    let directory = tempfile::tempdir().unwrap();
    let bom = |rest: &str| format!("\u{feff}{rest}");
    for (content, kept) in [
        ("", "a,b\n"),
        ("a,b\n", "a,b\n"),
        ("\"a\",\"b\"\r\n1,2\r\n", "\"a\",\"b\"\r\n1,2\r\n"),
        ("\"a\",b\n\"1,", "\"a\",b\n"),
        ("\"a", "a,b\n"),
    ] {
        let path = files::write(&directory, "out.csv", bom(content).as_bytes());
        let resource = with_fields(&path, &[("a", "any"), ("b", "any")]);
        assert_eq!(check_sink(&resource), Ok(()), "{content:?}");
        append(&resource, &[r#"{"b": 2}"#]).await;
        assert_eq!(text(&path), bom(kept) + ",2\n", "{content:?}");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_write_that_fails_has_named_no_columns() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("full.csv");
    std::os::unix::fs::symlink("/dev/full", &path).unwrap();
    let sink = FileSink::open(&files::resource(&path)).await.unwrap();
    for body in [r#"{"a": 1}"#, r#"{"b": 1}"#] {
        assert_eq!(sink.send(&[item(body)]).await.remove(0).unwrap_err().kind, Kind::Retryable, "{body}");
    }
}
