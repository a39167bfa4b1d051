//! What is wrong before the first event ends with 2 and leaves nothing; what is rotten among good events ends with 1.

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use crate::support::{CUSTOMERS, ORDERS, PIPELINE, World, flights, flights_pipeline};

#[test]
fn rotten_lines_become_dead_letters_with_reason_and_bytes_and_the_rest_goes_on() {
    let world = World::small();
    let rotten: [&[u8]; 4] = [
        b"{\"id\":\"x\",",
        b"\xff\xfe\x00 not text",
        br#"{"id":"y","customer":"ada"}"#,
        br#"{"id":"z","customer":"ada","amount":"much"}"#,
    ];
    let mut input = Vec::new();
    for (good, bad) in ORDERS.lines().chain(ORDERS.lines()).zip(rotten) {
        input.extend_from_slice(good.as_bytes());
        input.push(b'\n');
        input.extend_from_slice(bad);
        input.push(b'\n');
    }
    world.write("orders.jsonl", input);
    let ended = world.run(&["run", "pipeline.yaml", "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let summary = ended.json();
    assert_eq!((&summary["events"], &summary["dispositions"]["dead-lettered"]), (&json!(8), &json!(4)));
    let letters = world.lines("out/dead.jsonl");
    for (letter, bytes) in letters.iter().zip(rotten) {
        assert_eq!(STANDARD.decode(letter["body_base64"].as_str().unwrap()).unwrap(), bytes, "{letter}");
        assert!(!letter["reason"].as_str().unwrap().is_empty());
        assert_eq!((&letter["stage"], &letter["kind"]), (&json!("decode"), &json!("poison")));
    }
    let codes: Vec<_> = letters.iter().map(|letter| letter["code"].clone()).collect();
    assert_eq!(json!(codes), json!(["FS-D001", "FS-D001", "FS-D002", "FS-D003"]));
    assert!(letters[2]["reason"].as_str().unwrap().contains("amount"), "{}", letters[2]);
}

#[test]
fn a_source_that_breaks_off_ends_with_1_after_all_that_could_be_read() {
    let world = World::small();
    // Incompressible, so that good lines come before the break.
    let lines: String = (0_u64..20_000)
        .map(|n| {
            format!("{{\"id\":\"{:x}\",\"customer\":\"ada\",\"amount\":1}}\n", n.wrapping_mul(0x9e37_79b9_7f4a_7c15))
        })
        .collect();
    let packed = zstd::encode_all(lines.as_bytes(), 1).unwrap();
    world.write("torn.jsonl.zst", &packed[..packed.len() - 100]);
    let ended = world.run(&["run", "pipeline.yaml", "--input", "torn.jsonl.zst", "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let summary = ended.json();
    assert!(summary["events"].as_u64().unwrap() > 0);
    assert!(summary["ended"].as_str().unwrap().contains("torn or damaged"), "{}", summary["ended"]);
    assert_eq!(summary["dispositions"]["passed"], summary["events"], "what was read is done");
}

/// Runs a pipeline that cannot work, and expects words, code 2 and nothing written.
fn refused(world: &World, arguments: &[&str], words: &[&str]) {
    let ended = world.run(arguments);
    assert_eq!(ended.code, 2, "{ended:?}");
    for word in words {
        assert!(ended.stderr.contains(word), "{word:?} is not in\n{}", ended.stderr);
    }
    assert_eq!(ended.stdout, "");
    assert!(!world.has_output(), "something was written");
}

#[test]
fn missing_files_are_named() {
    let world = World::empty();
    refused(&world, &["run", "pipeline.yaml"], &["error: pipeline.yaml: cannot read the pipeline file"]);
    world.write("pipeline.yaml", PIPELINE);
    refused(
        &world,
        &["run", "pipeline.yaml"],
        &["`file:customers.csv` does not exist", "`file:orders.jsonl` does not exist", "2 mistakes"],
    );
    world.write("customers.csv", CUSTOMERS);
    refused(&world, &["run", "pipeline.yaml"], &["`file:orders.jsonl` does not exist", "^^^"]);
    refused(&world, &["run", "pipeline.yaml", "--input", "nowhere.jsonl"], &["--input nowhere.jsonl"]);
}

#[test]
fn unreadable_files_are_named() {
    let world = World::small();
    std::fs::create_dir(world.path("directory.jsonl")).unwrap();
    refused(&world, &["run", "pipeline.yaml", "--input", "directory.jsonl"], &["directory.jsonl", "is a directory"]);
    world.write("orders.jsonl.gz", ORDERS);
    refused(&world, &["run", "pipeline.yaml", "--input", "orders.jsonl.gz"], &["not compressed as its name says"]);
    world.write("orders.parquet", ORDERS);
    refused(&world, &["run", "pipeline.yaml", "--input", "orders.parquet"], &["does not say what is in it"]);
}

#[test]
fn a_bad_sink_is_refused_before_another_makes_its_file() {
    let world = World::small();
    world.write("table.csv", "a,b\n");
    let dead = r#"dead: "file:out/dead.jsonl""#;
    for (sink, words) in [
        (r#"dead: "file:orders.jsonl/dead.jsonl""#, ["`sinks.dead`", "cannot be appended to", "^^^"]),
        (r#"dead: "file:.""#, ["`sinks.dead`", "is a directory", "^^^"]),
        (r#"dead: "file:out/dead.parquet""#, ["`sinks.dead`", "does not say what is in it", "^^^"]),
        (r#"dead: "stdout:x""#, ["`sinks.dead`", "takes no name", "^^^"]),
        (r#"dead: { url: "file:table.csv", fields: { c: any } }"#, ["`sinks.dead`", "`fields` names c", "^^^"]),
    ] {
        world.write("pipeline.yaml", PIPELINE.replace(dead, sink));
        for command in ["run", "validate"] {
            refused(&world, &[command, "pipeline.yaml"], &words);
        }
    }
}

#[test]
fn what_is_wrong_with_the_command_line_shows_no_place_in_the_file() {
    let world = World::small();
    world.write("torn.jsonl.gz", ORDERS);
    let ended = world.run(&["run", "pipeline.yaml", "--input", "torn.jsonl.gz"]);
    assert_eq!(ended.code, 2);
    assert!(ended.stderr.starts_with("error: --input: `file:torn.jsonl.gz` is torn or not"), "{}", ended.stderr);
    assert_eq!(ended.stderr.lines().count(), 1, "{}", ended.stderr);
}

#[test]
fn a_run_that_would_eat_its_own_output_is_refused() {
    let world = World::small();
    let log = r#"decisions: "file:out/decisions.jsonl""#;
    let to = |path: &str| PIPELINE.replace(log, &format!(r#"decisions: "file:{path}""#));
    world.write("pipeline.yaml", to("./orders.jsonl"));
    let words = ["`sinks.decisions` appends to the file that `sources.orders` reads", "^^^"];
    refused(&world, &["run", "pipeline.yaml"], &words);
    refused(&world, &["validate", "pipeline.yaml"], &words);
    world.write("pipeline.yaml", to("customers.csv"));
    refused(&world, &["run", "pipeline.yaml"], &["`sinks.decisions`", "`stores.customers` reads", "^^^"]);
    assert_eq!(std::fs::read_to_string(world.path("orders.jsonl")).unwrap(), ORDERS);

    // A file that both sides would only find once it is there.
    world.write("pipeline.yaml", to("new.jsonl").replace("file:orders.jsonl", "file:new.jsonl"));
    refused(&world, &["run", "pipeline.yaml"], &["`sources.orders` reads", "2 mistakes"]);

    world.write("pipeline.yaml", to("log.jsonl"));
    world.write("log.jsonl", ORDERS);
    let given = ["run", "pipeline.yaml", "--input", "./log.jsonl"];
    refused(&world, &given, &["error: --input ./log.jsonl: `sinks.decisions` appends to the same file\n"]);
}

#[test]
fn rows_and_bodies_are_not_taken_for_each_other() {
    let world = World::small();
    world.write("orders.csv", "id,customer,amount\n");
    world.write("pipeline.yaml", PIPELINE.replace("file:orders.jsonl", "file:orders.csv"));
    let words = ["`sources.orders`: `file:orders.csv` gives rows, but `event.format` is not csv", "^^^"];
    refused(&world, &["run", "pipeline.yaml"], &words);
    refused(&world, &["validate", "pipeline.yaml"], &words);
    world.write("pipeline.yaml", PIPELINE.replace("event:\n", "event:\n  format: csv\n"));
    refused(
        &world,
        &["run", "pipeline.yaml"],
        &["`file:orders.jsonl` gives no rows, but `event.format` is csv", "^^^"],
    );
}

#[test]
fn a_table_without_its_key_is_refused() {
    let world = World::small();
    world.write("customers.csv", CUSTOMERS.replace("customer,", "client,"));
    refused(&world, &["run", "pipeline.yaml"], &["`stores.customers`", "customer", "^^^"]);
}

#[test]
fn a_model_that_does_not_fit_its_features_is_refused() {
    let here = flights();
    let pipeline = std::fs::read_to_string(flights_pipeline()).unwrap();
    let pipeline = pipeline
        .replace("file:data/", &format!("file:{}/data/", here.display()))
        .replace("file:models/", &format!("file:{}/models/", here.display()));
    let world = World::empty();
    world.write("pipeline.yaml", pipeline.replacen("      seats: .plane.seats\n", "", 1));
    let shown = ["`late_no_history` has 19 features, but the model takes 20", "^^^^"];
    refused(&world, &["run", "pipeline.yaml"], &shown);
    world.write("pipeline.yaml", pipeline.replacen("distance: .distance", "distance: .route", 1));
    refused(&world, &["run", "pipeline.yaml"], &["the feature `distance` must be a number", "^^^^^^"]);
    world.write("pipeline.yaml", pipeline.replacen("sha256: 31a5", "sha256: 0000", 1));
    refused(&world, &["run", "pipeline.yaml"], &["the model `late` is not the pinned one"]);
    world.write("garbage.onnx", "not a model");
    let unpinned: String =
        pipeline.lines().filter(|line| !line.contains("sha256:")).map(|line| format!("{line}\n")).collect();
    let garbage = unpinned.replacen(&format!("file:{}/models/late.onnx", here.display()), "file:garbage.onnx", 1);
    world.write("pipeline.yaml", garbage);
    refused(&world, &["run", "pipeline.yaml"], &["`infer.late.model`", "not an ONNX model", "^^^^"]);
}

/// The corpus's events, as files of lines: what is one event to the core is here as many as it has lines.
#[test]
fn every_line_of_the_corpus_is_accounted_for_byte_for_byte() {
    let corpus = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/pipeline/tests/corpus");
    let yaml = std::fs::read_to_string(corpus.join("json.yaml")).unwrap();
    let good = r#"{"id":"good"}"#;
    let mut input = format!("{good}\n").into_bytes();
    for directory in ["json", "jsonl"] {
        let mut files: Vec<_> =
            std::fs::read_dir(corpus.join(directory)).unwrap().map(|file| file.unwrap().path()).collect();
        files.sort();
        for file in files {
            input.extend_from_slice(&std::fs::read(file).unwrap());
            input.extend_from_slice(format!("\n{good}\n").as_bytes());
        }
    }
    // The model there is a stand-in, which only the core's tests have.
    let sections: String = yaml
        .lines()
        .filter(|line| !line.starts_with("infer:") && !line.starts_with("  m:"))
        .map(|line| format!("{line}\n"))
        .collect();
    let pipeline = sections
        .replace("stores:", "sources: { all: \"file:all.jsonl\" }\nstores:")
        .replace("out: \"memory:\"", "out: \"file:out/out.jsonl\"")
        .replace("dead: \"memory:\"", "dead: \"file:out/dead.jsonl\"")
        .replace("log: \"memory:\"", "log: \"file:out/log.jsonl\"");
    let world = World::empty();
    world.write("pipeline.yaml", pipeline);
    world.write("all.jsonl", &input);
    let ended = world.run(&["run", "pipeline.yaml", "--json"]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let lines: Vec<&[u8]> = input
        .split(|byte| *byte == b'\n')
        .map(|line| line.strip_suffix(b"\r").unwrap_or(line))
        .filter(|line| !line.is_empty())
        .collect();
    let summary = ended.json();
    let count = |what: &str| summary["dispositions"][what].as_u64().unwrap_or_default() as usize;
    assert_eq!(summary["events"].as_u64().unwrap() as usize, lines.len());
    assert_eq!(count("acted") + count("dead-lettered"), lines.len(), "{summary}");
    assert_eq!(world.lines("out/out.jsonl").len(), count("acted"));
    let letters = world.lines("out/dead.jsonl");
    assert_eq!(letters.len(), count("dead-lettered"));
    assert!(letters.len() > 60, "{}", letters.len());
    // In the order of the lines, and every other line acted.
    let mut rest = lines.iter();
    for letter in &letters {
        let body = STANDARD.decode(letter["body_base64"].as_str().unwrap()).unwrap();
        assert!(rest.any(|line| **line == *body), "no line is {letter}");
        assert_ne!(body, good.as_bytes());
    }
}
