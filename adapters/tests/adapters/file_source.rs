use std::{
    io::{BufRead, BufReader, Write},
    process::{Command, Stdio},
};

use bytes::Bytes;
use fourstroke::{
    config::Resource,
    error::Kind,
    event::Decoded,
    ports::{Source, SourceError},
    testkit::source::{self, Expected},
};
use fourstroke_adapters::file::FileSource;
use proptest::prelude::*;
use tempfile::TempDir;

use crate::files;

const FILE: source::Capabilities = source::Capabilities { ends: true, replays: true, grouped: true };

/// Reads to the end or to the first error.
async fn read(resource: &Resource) -> (Vec<Decoded>, Option<SourceError>) {
    let mut source = FileSource::open_in_batches_of(2, resource).await.unwrap();
    let mut events = Vec::new();
    loop {
        match source.next().await {
            Ok(Some(batch)) => events.extend(batch.events),
            Ok(None) => return (events, None),
            Err(error) => {
                assert!(source.next().await.unwrap().is_none(), "a source that has failed has ended");
                return (events, Some(error));
            }
        }
    }
}

fn ids(events: &[Decoded]) -> Vec<&str> {
    events.iter().map(|decoded| decoded.event().id.rsplit(':').next().unwrap()).collect()
}

fn bodies(events: &[Decoded]) -> Vec<&[u8]> {
    events.iter().map(|decoded| &decoded.event().body[..]).collect()
}

#[tokio::test]
async fn lines_keep_the_contract_however_they_are_packed() {
    let directory = tempfile::tempdir().unwrap();
    let lines: Vec<String> = (0..2_345).map(|n| format!("{{\"n\": {n}, \"text\": \"größer 🦀\"}}")).collect();
    let expected = vec![lines.iter().map(|line| Expected::event(line.clone())).collect::<Vec<_>>()];
    for name in ["x.jsonl", "x.ndjson", "x.json", "x.jsonl.gz", "x.jsonl.zst", "X.JSONL.GZ"] {
        let path = files::write(&directory, name, lines.join("\n").as_bytes());
        // The upper-case name is packed by what it says, too.
        if name == "X.JSONL.GZ" {
            std::fs::write(&path, files::pack("x.gz", lines.join("\n").as_bytes())).unwrap();
        }
        let resource = files::resource(&path);
        let open = async || Box::new(FileSource::open(&resource).await.unwrap()) as Box<dyn Source>;
        source::suite(open, &expected, FILE).await;
    }
}

#[tokio::test]
async fn rows_keep_the_contract_and_carry_the_header() {
    let directory = tempfile::tempdir().unwrap();
    let rows = ["1,\"two\nlines, and a comma\",3", "4,\"say \"\"hi\"\"\",6", "7,,", "8,größer 🦀,9"];
    let expected = vec![rows.map(Expected::event).to_vec()];
    for (name, ending) in [("x.csv", "\n"), ("y.csv", "\r\n"), ("x.csv.gz", "\n"), ("x.csv.zst", "\r\n")] {
        let content = format!("a,b,c{ending}{}{ending}", rows.join(ending));
        let resource = files::resource(&files::write(&directory, name, content.as_bytes()));
        let open = async || Box::new(FileSource::open(&resource).await.unwrap()) as Box<dyn Source>;
        source::suite(open, &expected, FILE).await;

        let (events, _) = read(&resource).await;
        assert_eq!(ids(&events), ["2", "4", "5", "6"], "{name}: an id names the line a row starts on");
        assert!(events.iter().all(|decoded| decoded.event().attribute("csv-header").unwrap() == "a,b,c"));
    }
}

#[tokio::test]
async fn a_header_is_given_without_its_byte_order_mark() {
    let directory = tempfile::tempdir().unwrap();
    let resource = files::resource(&files::write(&directory, "x.csv", b"\n\xef\xbb\xbfa,b\n1,2"));
    let (events, _) = read(&resource).await;
    assert_eq!(bodies(&events), [b"1,2"]);
    let resource = files::resource(&files::write(&directory, "y.csv", b"\xef\xbb\xbfa,b\n\n1,2"));
    let (events, _) = read(&resource).await;
    assert_eq!(events[0].event().attribute("csv-header").unwrap(), "a,b");
    assert_eq!(ids(&events), ["3"]);
}

#[tokio::test]
async fn endings_are_stripped_and_empty_lines_counted() {
    let directory = tempfile::tempdir().unwrap();
    let content = b"one\r\n\n  \n\r\nfive\r\r\n\xff\xfe\nno ending";
    let resource = files::resource(&files::write(&directory, "x.jsonl", content));
    let (events, error) = read(&resource).await;
    assert_eq!(error, None);
    assert_eq!(bodies(&events), [&b"one"[..], b"  ", b"five\r", b"\xff\xfe", b"no ending"]);
    assert_eq!(ids(&events), ["1", "3", "5", "6", "7"]);
    let event = events[0].event();
    assert_eq!(*event.id, format!("{}:1", resource.rest()));
    assert_eq!(event.group.as_deref(), Some(resource.rest()));
}

#[tokio::test]
async fn an_empty_file_ends_at_once() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["x.jsonl", "x.csv", "x.jsonl.gz", "x.csv.zst"] {
        let path = directory.path().join(name);
        std::fs::write(&path, b"").unwrap();
        assert_eq!(read(&files::resource(&path)).await, (Vec::new(), None), "{name}");
    }
}

#[tokio::test]
async fn a_line_that_is_too_long_is_undecodable_and_the_next_is_read() {
    const LONGEST: usize = 16 << 20;
    let directory = tempfile::tempdir().unwrap();
    let fits = "y".repeat(LONGEST);
    let long = "x".repeat(LONGEST + 1);
    let resource =
        files::resource(&files::write(&directory, "x.jsonl.gz", format!("a\n{long}\n{fits}\nb\n{long}").as_bytes()));
    let (events, error) = read(&resource).await;
    assert_eq!(error, None);
    assert_eq!(ids(&events), ["1", "2", "3", "4", "5"]);
    for place in [1, 4] {
        let Decoded::Undecodable { event, reason } = &events[place] else {
            panic!("a line of 16 MiB and a byte is too long")
        };
        assert_eq!(event.body, long.as_bytes()[..64 << 10]);
        assert_eq!(reason, "longer than 16 MiB; only the first bytes are kept");
    }
    assert!(matches!(&events[2], Decoded::Event(event) if event.body == fits.as_bytes()));
    assert!(matches!(&events[3], Decoded::Event(event) if event.body == "b"));
}

#[tokio::test]
async fn a_quote_that_is_never_closed_costs_the_rest_of_the_file_but_no_memory() {
    let directory = tempfile::tempdir().unwrap();
    let content = format!("a,b\n1,2\n3,\"{}", "x,y\n".repeat(5 << 20));
    let resource = files::resource(&files::write(&directory, "x.csv.zst", content.as_bytes()));
    let (events, error) = read(&resource).await;
    assert_eq!((ids(&events), error), (vec!["2", "3"], None));
    assert!(
        matches!(&events[1], Decoded::Undecodable { event, .. } if event.body == content.as_bytes()[8..][..64 << 10])
    );
}

#[tokio::test]
async fn a_torn_file_ends_with_an_error_after_what_could_be_read() {
    let directory = tempfile::tempdir().unwrap();
    // Lines without a pattern: the compressed file is long enough to be torn in its middle.
    let lines: Vec<String> = (0_u64..20_000).map(|n| format!("{:x}", n.wrapping_mul(0x9E37_79B9_7F4A_7C15))).collect();
    for name in ["x.jsonl.gz", "x.jsonl.zst"] {
        let whole = files::pack(name, lines.join("\n").as_bytes());
        let path = directory.path().join(name);
        std::fs::write(&path, &whole[..whole.len() / 3 * 2]).unwrap();
        let (events, error) = read(&files::resource(&path)).await;
        let error = error.expect("a torn file must not look like one that has ended");
        assert_eq!(error.kind, Kind::Fatal);
        assert!(
            error.reason.contains(&format!("torn or damaged behind {}:{}", path.display(), events.len())),
            "{error}"
        );
        assert!(!events.is_empty() && events.len() < lines.len(), "{} lines", events.len());
        assert!(bodies(&events).into_iter().eq(lines[..events.len()].iter().map(String::as_bytes)));
    }
}

#[tokio::test]
async fn what_cannot_be_opened_says_so_at_once() {
    let directory = tempfile::tempdir().unwrap();
    let refusal = async |path: &std::path::Path| FileSource::open(&files::resource(path)).await.unwrap_err();
    let missing = directory.path().join("x.jsonl");
    assert!(refusal(&missing).await.contains("does not exist"));
    let unknown = files::write(&directory, "x.txt", b"{}");
    assert!(refusal(&unknown).await.contains("does not say what is in it; name it .jsonl"));
    let not_packed = directory.path().join("y.jsonl.gz");
    std::fs::write(&not_packed, b"{\"plain\": true}\n").unwrap();
    assert!(refusal(&not_packed).await.contains("torn or not compressed as its name says"));
    let header = files::write(&directory, "z.csv", b"a,\xff\n1,2\n");
    assert!(refusal(&header).await.ends_with("is not UTF-8"));
    let sentence = FileSource::open(&Resource::new("sources.x", "file:")).await.unwrap_err();
    assert_eq!(sentence, "`file:` names no file; write a path behind the colon");
}

#[tokio::test]
async fn a_path_is_relative_to_the_pipeline_file_and_the_id_is_as_written() {
    let directory = tempfile::tempdir().unwrap();
    files::write(&directory, "x.jsonl", b"{}");
    let mut resource = Resource::new("sources.x", "file:x.jsonl");
    resource.base = directory.path().to_owned();
    let (events, _) = read(&resource).await;
    assert_eq!(events[0].event().id, "x.jsonl:1");
}

#[tokio::test]
async fn the_bodies_of_a_batch_share_one_buffer() {
    let directory = tempfile::tempdir().unwrap();
    let resource = files::resource(&files::write(&directory, "x.jsonl", b"one\ntwo\n"));
    let (events, _) = read(&resource).await;
    let [a, b]: [&Bytes; 2] = [0, 1].map(|place: usize| &events[place].event().body);
    assert_eq!(a.as_ptr().wrapping_add(4), b.as_ptr());
}

/// Pipes lines into [`repeat_standard_input`], each only after the one before it has come back.
fn assert_not_held_back(url: &str, lines: &[(&str, Option<&str>)]) {
    let mut child = Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "file_source::repeat_standard_input", "--ignored", "--nocapture"])
        .env("FOURSTROKE_TEST_URL", url)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let (mut input, output) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let mut repeated = BufReader::new(output).lines().map(Result::unwrap).filter(|line| line.contains("-> "));
    for (line, comes_back) in lines {
        input.write_all(line.as_bytes()).unwrap();
        if let Some(event) = comes_back {
            assert!(repeated.next().unwrap().ends_with(&format!("-> false {event}")));
        }
    }
    write!(input, "no ending").unwrap();
    drop(input);
    assert!(repeated.next().unwrap().contains("no ending"));
    assert!(child.wait().unwrap().success());
}

#[test]
fn lines_of_standard_input_are_not_held_back() {
    let lines = [("line 1\n", Some("-:1 line 1")), ("line 2\n\n", Some("-:2 line 2")), ("4\r\n", Some("-:4 4"))];
    assert_not_held_back("file:-", &lines);
}

#[test]
fn rows_of_standard_input_carry_the_header_and_are_not_held_back() {
    for (ending, rows) in [("\n", ["1,a\n", "2,b\n"]), ("\r\n", ["1,a\r\n", "2,b\r\n"])] {
        let header = format!("n,x{ending}");
        let lines =
            [(&*header, None), (rows[0], Some("-.csv:2 1,a under n,x")), (rows[1], Some("-.csv:3 2,b under n,x"))];
        assert_not_held_back("file:-.csv", &lines);
    }
}

#[ignore = "run by the tests of standard input"]
#[tokio::test]
async fn repeat_standard_input() {
    let Ok(url) = std::env::var("FOURSTROKE_TEST_URL") else { return };
    let mut source = FileSource::open(&Resource::new("--input", url)).await.unwrap();
    while let Some(batch) = source.next().await.unwrap() {
        for event in batch.events.iter().map(Decoded::event) {
            let under = event.attribute("csv-header").map_or(String::new(), |header| format!(" under {header}"));
            let (id, once) = event.id.split_once('#').expect("an id that no other input has");
            assert_eq!(once.len(), 8);
            println!("-> {} {id} {}{under}", event.stable_id, String::from_utf8_lossy(&event.body));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn any_lines_come_back_byte_for_byte(
        lines in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 1..40), 0..20),
        packing in 0..3_usize,
        ending in any::<bool>(),
    ) {
        // What no file of lines can hold: a newline within, or an ending as its own last byte.
        let fits = |line: &Vec<u8>| !line.contains(&b'\n') && line.last() != Some(&b'\r');
        let lines: Vec<Vec<u8>> = lines.into_iter().filter(fits).collect();
        let ending: &[u8] = if ending { b"\r\n" } else { b"\n" };
        let mut content = Vec::new();
        for line in &lines {
            content.write_all(line).unwrap();
            content.write_all(ending).unwrap();
        }
        let directory = TempDir::new().unwrap();
        let path = files::write(&directory, ["x.jsonl", "x.jsonl.gz", "x.jsonl.zst"][packing], &content);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (events, error) = runtime.block_on(read(&files::resource(&path)));
        prop_assert_eq!(error, None);
        prop_assert_eq!(bodies(&events), lines.iter().map(Vec::as_slice).collect::<Vec<_>>());
    }

    #[test]
    fn any_rows_come_back_as_the_writer_wrote_them(
        rows in proptest::collection::vec(proptest::collection::vec("[a\"\r\n,ü]{0,6}", 3), 1..10),
        crlf in any::<bool>(),
    ) {
        let ending = if crlf { "\r\n" } else { "\n" };
        let quoted = |row: &Vec<String>| {
            row.iter().map(|cell| format!("\"{}\"", cell.replace('"', "\"\""))).collect::<Vec<_>>().join(",")
        };
        let rows: Vec<String> = rows.iter().map(quoted).collect();
        let directory = TempDir::new().unwrap();
        let content = format!("a,b,c{ending}{}{ending}", rows.join(ending));
        let path = files::write(&directory, "x.csv", content.as_bytes());
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (events, error) = runtime.block_on(read(&files::resource(&path)));
        prop_assert_eq!(error, None);
        prop_assert_eq!(bodies(&events), rows.iter().map(String::as_bytes).collect::<Vec<_>>());
    }
}
