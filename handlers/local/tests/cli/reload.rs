//! `reload:` on real models: replaced under a process that runs, by real files.

use std::{
    fs,
    io::{BufRead, BufReader, Write},
    path::Path,
    process::{Command, Stdio},
    sync::mpsc,
    thread,
};

use serde_json::{Value, json};

use crate::support::World;

const PIPELINE: &str = r#"fourstroke: v1
name: small
sinks: { said: "stdout:", decisions: "file:decisions.jsonl", dead: "file:dead.jsonl" }
event: { id: .id, fields: { id: string, a: float } }
infer:
  m: { model: "file:m.onnx", sha256: beside, reload: 1ms, features: { a: .a, b: .a, c: .a, d: .a } }
act: { rules: [ { name: say, to: said, data: '{ "id": .id, "class": .m.class }' } ] }
log: { to: decisions }
on_error: { to: dead }
"#;

fn model(name: &str) -> Vec<u8> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/onnx/tests/models");
    fs::read(models.join(name).join("model.onnx")).expect("the model is there")
}

/// Puts a model in the place of another, as one would: whole, and its digest behind it.
fn replace(world: &World, bytes: &[u8]) -> String {
    let digest = fourstroke::identity::sha256(bytes);
    for (name, content) in [("m.onnx", bytes), ("m.onnx.sha256", digest.as_bytes())] {
        world.write("new", content);
        fs::rename(world.path("new"), world.path(name)).expect("it is moved");
    }
    digest
}

#[test]
fn another_file_decides_from_the_next_batch_on_and_a_bad_one_is_refused() {
    let world = World::empty();
    world.write("pipeline.yaml", PIPELINE);
    let first = model("naive_bayes");
    // The same with a word about it: field 6 of ONNX's ModelProto.
    let second = [&first[..], &[0x32, 3, b'n', b'e', b'w']].concat();
    let first_digest = replace(&world, &first);

    let mut child = Command::new(env!("CARGO_BIN_EXE_fourstroke"))
        .args(["run", "pipeline.yaml", "--input", "-", "--json"])
        .current_dir(world.path("."))
        .env_clear()
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the binary starts");
    let mut events = child.stdin.take().expect("it is piped");
    let mut said = BufReader::new(child.stdout.take().expect("it is piped")).lines().map(|line| line.expect("UTF-8"));
    let (tell, told) = mpsc::channel();
    let errors = BufReader::new(child.stderr.take().expect("it is piped"));
    let listening = thread::spawn(move || errors.lines().map_while(Result::ok).for_each(|line| drop(tell.send(line))));

    // One event at a time, each a batch.
    let mut sent = 0;
    let mut send = || {
        writeln!(events, "{}", json!({ "id": sent.to_string(), "a": 0.5 })).expect("it is read");
        let answer: Value = serde_json::from_str(&said.next().expect("an action")).expect("JSON");
        assert_eq!(answer["id"], sent.to_string());
        sent += 1;
    };
    // It runs with the first before the second comes.
    send();
    // Between the two moves of a file the model is not the pinned one, which is not what is looked for.
    let mut until_news = || loop {
        send();
        match told.try_recv() {
            Ok(line) if !line.contains("is not the pinned one") => return line,
            _ => {}
        }
    };
    let digests = [first_digest, replace(&world, &second)];
    let expected = format!("reloaded: the model `m` is {} from here on", digests[1]);
    assert_eq!(until_news(), expected);
    let refused = format!("ALARM: the model `m` was not replaced, {} goes on deciding: ", digests[1]);
    for (bytes, why) in [
        (first[..500].to_vec(), "this is not an ONNX model"),
        (model("boosted_regression"), "`m` has 4 features, but the model takes"),
    ] {
        replace(&world, &bytes);
        let line = until_news();
        assert!(line.starts_with(&refused) && line.contains(why), "{line}");
    }

    drop(events);
    let summary: Value = serde_json::from_str(&said.last().expect("a summary")).expect("JSON");
    assert!(child.wait().expect("it ends").success());
    listening.join().expect("it listened");
    assert_eq!((&summary["reloads"]["replaced"], &summary["dispositions"]["acted"]), (&json!(1), &json!(sent)));
    assert!(summary["reloads"]["last"].as_str().expect("why").contains("`m` has 4 features"), "{summary}");

    let decided: Vec<Value> =
        world.lines("decisions.jsonl").into_iter().map(|entry| entry["model"][0]["sha256"].clone()).collect();
    assert_eq!(decided.len(), sent);
    let turned = decided.iter().position(|digest| *digest == digests[1]).expect("the second decided");
    assert!(turned > 0 && decided[..turned].iter().all(|digest| *digest == digests[0]));
    assert!(decided[turned..].iter().all(|digest| *digest == digests[1]));
}
