//! `validate --for lambda`: what a function would refuse at its start, found without a cloud.

use std::{fs, path::Path};

use serde_json::{Value, json};

use crate::support::{Ended, PIPELINE, World, flights, flights_pipeline};

fn validate(world: &World, more: &[&str]) -> Ended {
    world.run(&[&["validate", "pipeline.yaml", "--for", "lambda"], more].concat())
}

/// The small pipeline, with a window and everything where a variable says.
fn cloud() -> String {
    PIPELINE
        .replace("offers: \"stdout:\"", "offers: \"${OFFERS:-stdout:}\"")
        .replace("\"file:out/decisions.jsonl\"", "\"${DECISIONS:-file:out/decisions.jsonl}\"")
        .replace("\"file:out/dead.jsonl\"", "\"${DEAD:-file:out/dead.jsonl}\"")
        .replace("stores:\n", "stores:\n  state: ${STATE:-redb:state.redb}\n")
        .replace("act:\n", "  lately: { window: { in: state, by: [.customer], over: [1h], give: [count] } }\nact:\n")
}

const ENVIRONMENT: &str = "SOURCE=kinesis\nOFFERS=kinesis://offers\nDECISIONS=s3://bucket/decisions\nDEAD=s3://bucket/dead\n\
                           STATE=dynamodb://state\n";

#[test]
fn the_example_starts_with_the_variables_the_templates_set() {
    let world = World::empty();
    let (pipeline, variables) = (flights_pipeline(), flights().join("lambda.env"));
    let arguments = ["validate", &pipeline, "--for", "lambda", "--env-file", variables.to_str().unwrap()];
    let ended = world.run(&arguments);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(ended.stdout.ends_with(": fine for lambda: 1 source, 8 lookups, 3 models, 1 rule, 6 tests\n"), "{ended:?}");
    let described = world.run(&[&arguments[..], &["--json"]].concat()).json();
    let plain = world.run(&["validate", &pipeline, "--json"]).json();
    assert_eq!((&described["fine"], &described["version"]), (&json!(true), &plain["version"]));
    assert_eq!(described["files"].as_array().unwrap().len(), 7);
    assert!(!world.has_output());
}

#[test]
fn a_laptop_s_defaults_are_refused_whatever_is_set_on_the_laptop() {
    let world = World::empty();
    let variables = fs::read_to_string(flights().join("lambda.env")).unwrap();
    let set = variables.lines().filter(|line| !line.starts_with('#')).map(|line| line.split_once('=').unwrap());
    let ended = world.run_with(&["validate", &flights_pipeline(), "--for", "lambda"], &set.collect::<Vec<_>>(), b"");
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    for (place, variable) in [
        ("stores.state", "STATE"),
        ("sinks.rebooking", "ACTIONS"),
        ("sinks.decisions", "DECISIONS"),
        ("sinks.dead", "DEAD_LETTERS"),
    ] {
        assert!(ended.stderr.contains(&format!("error: `{place}` is `")), "{place}: {}", ended.stderr);
        assert!(ended.stderr.contains(&format!("help: set {variable} to another service")), "{}", ended.stderr);
    }
    assert!(ended.stderr.ends_with("pipeline.yaml: 4 mistakes\n"), "{}", ended.stderr);
}

#[test]
fn every_mistake_is_shown_at_once() {
    let world = World::small();
    fs::create_dir(world.path("flow")).unwrap();
    let yaml = cloud()
        .replace(
            "offers: \"${OFFERS:-stdout:}\"",
            "offers: { url: \"${OFFERS:-stdout:}\", private: true }, others: \"sqs:queue\"",
        )
        .replace("to: offers,", "to: offers, once: later,")
        .replace("stores:\n", "stores:\n  later: ${LATER:-redis://cache}\n")
        .replace("key: .customer\n", "key: .custmer\n")
        .replace("rules:\n", "rules:\n    - { name: other, to: others }\n")
        .replace("file:customers.csv", "file:../customers.csv")
        .replace("\"${DEAD:-file:out/dead.jsonl}\"", "\"${DEAD_LETTERS}\"");
    world.write("flow/pipeline.yaml", yaml);
    world.write(
        "prod.env",
        "SOURCE=kafka\n\nOFFERS=kinesis://secret\nDECISIONS=s3://Secret/decisions\nSTATE=redb:secret.redb\n",
    );
    let arguments = ["validate", "flow/pipeline.yaml", "--for", "lambda", "--env-file", "prod.env"];
    let ended = world.run(&arguments);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    let wanted = [
        "error: prod.env:1: SOURCE names no service that invokes functions; known are kinesis,",
        "`stores.later`: `redis://cache` is not in this version yet",
        "`stores.state` is `redb:`, which does not outlive this process",
        "help: give STATE another value",
        "`stores.customers`: no path in a package climbs with `..`",
        "`sinks.offers`: `private` means nothing for `kinesis:`",
        "`sinks.others`: `sqs:queue` is no address of SQS",
        "`sinks.decisions`: `s3:… (from DECISIONS)` names no bucket",
        "`sinks.dead`: the variable DEAD_LETTERS is not set or empty, and there is no default",
        "did you mean `customer`?",
        "flow/pipeline.yaml: 8 mistakes\n",
    ];
    for part in wanted {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    let carets = ended.stderr.lines().filter(|line| line.trim_start_matches([' ', '|']).starts_with('^')).count();
    assert_eq!(carets, 8, "{}", ended.stderr);
    assert!(!ended.stderr.to_lowercase().contains("secret"), "{}", ended.stderr);

    let ended = world.run(&[&arguments[..], &["--json"]].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (2, ""));
    let mistakes = ended.json()["mistakes"].as_array().unwrap().clone();
    assert_eq!(mistakes.len(), 9);
    assert_eq!((&mistakes[0]["file"], &mistakes[0]["line"]), (&json!("prod.env"), &json!(1)));
    assert!(mistakes[1..].iter().all(|mistake| mistake["file"] == "flow/pipeline.yaml" && mistake["line"].is_u64()));
}

#[test]
fn a_handler_s_own_services_are_told_from_others() {
    let world = World::small();
    world.write("pipeline.yaml", cloud());
    for (from, to, why) in [
        (
            "STATE=dynamodb://state",
            "STATE=s3://bucket/state",
            "`s3:… (from STATE)` cannot be a store; `s3:` can be a sink or a file to read",
        ),
        (
            "STATE=dynamodb://state",
            "STATE=dynamodb://state?key=id",
            "`state` is a table to look things up in: it keeps nothing",
        ),
        ("STATE=dynamodb://state", "STATE=dynamodb://ab", "names no table"),
        ("STATE=dynamodb://state", "STATE=memory:", "`stores.state` is `memory:`"),
        ("OFFERS=kinesis://offers", "OFFERS=dynamodb://offers", "cannot be a sink"),
        ("OFFERS=kinesis://offers", "OFFERS=kinesis://a/b", "names no stream"),
        ("OFFERS=kinesis://offers", "OFFERS=sqs://1/b", "names no account"),
        ("OFFERS=kinesis://offers", "OFFERS=eventhubs://ns/hub", "is not in this version yet"),
        ("OFFERS=kinesis://offers", "OFFERS=dynamo:offers", "what OFFERS gives` has an unknown scheme"),
        ("OFFERS=kinesis://offers", "OFFERS=offers", "has no scheme"),
        ("OFFERS=kinesis://offers", "OFFERS=http://example.org/", "insecure"),
        ("OFFERS=kinesis://offers", "OFFERS=https://10.0.0.1/", "private"),
        ("OFFERS=kinesis://offers", "OFFERS=", "`sinks.offers` is `stdout:`"),
    ] {
        world.write("prod.env", ENVIRONMENT.replace(from, to));
        let ended = validate(&world, &["--env-file", "prod.env"]);
        assert_eq!(ended.code, 2, "{to}: {ended:?}");
        assert!(
            ended.stderr.contains(why) && ended.stderr.contains("pipeline.yaml: 1 mistake\n"),
            "{to}: {}",
            ended.stderr
        );
    }
    for fine in ["OFFERS=sqs://123456789012/offers.fifo", "OFFERS=https://example.org/offers", "OFFERS=s3://bucket"] {
        world.write("prod.env", ENVIRONMENT.replace("OFFERS=kinesis://offers", fine));
        let ended = validate(&world, &["--env-file", "prod.env"]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""), "{fine}");
    }
}

#[test]
fn what_may_pass_away_lies_where_the_function_may_write() {
    let world = World::small();
    world.write("prod.env", ENVIRONMENT);
    for (url, why) in [
        (
            "redb:state.redb",
            Some("handlers/lambda does not link `redb:`, which is for handlers/local and handlers/worker"),
        ),
        ("memory:", None),
    ] {
        let state = format!("{{ url: \"{url}\", ephemeral: true }}");
        world.write("pipeline.yaml", cloud().replace("${STATE:-redb:state.redb}", &state));
        let ended = validate(&world, &["--env-file", "prod.env"]);
        assert_eq!(ended.code == 2, why.is_some(), "{ended:?}");
        assert!(why.is_none_or(|why| ended.stderr.contains(why)), "{ended:?}");
    }
    let nowhere = "only below /tmp it may";
    for (url, why) in [
        ("file:offers.jsonl", Some(nowhere)),
        ("file:/var/log/offers.jsonl", Some(nowhere)),
        ("file:/tmp/../var/offers.jsonl", Some(nowhere)),
        ("file:/tmp/offers.xyz", Some("does not say what is in it")),
        ("file:/tmp", Some(nowhere)),
        ("file:/tmp/offers.jsonl", None),
        ("stdout:", None),
    ] {
        let offers = format!("{{ url: \"{url}\", ephemeral: true }}");
        world.write("pipeline.yaml", cloud().replace("\"${OFFERS:-stdout:}\"", &offers));
        let ended = validate(&world, &["--env-file", "prod.env"]);
        assert_eq!(ended.code == 0, why.is_none(), "{url}: {ended:?}");
        assert!(why.is_none_or(|why| ended.stderr.contains(why)), "{url}: {ended:?}");
    }
}

const MODEL: &str =
    "infer:\n  m: { model: \"${MODEL}\", features: { a: .amount, b: .amount, c: .amount, d: .amount } }\nact:\n";

#[test]
fn a_model_that_only_the_function_reads_is_checked_by_the_file_s_default() {
    let world = World::small();
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/onnx/tests/models/naive_bayes/model.onnx");
    fs::copy(models, world.path("m.onnx")).unwrap();
    world.write("prod.env", format!("{ENVIRONMENT}MODEL=s3://bucket/m.onnx\n"));
    let check = |model: &str, when: &str| {
        let yaml = cloud().replace("act:\n", &MODEL.replace("${MODEL}", model)).replace(".amount > 10.0", when);
        world.write("pipeline.yaml", yaml);
        validate(&world, &["--env-file", "prod.env", "--json"])
    };
    let default = "${MODEL:-file:m.onnx}";
    let ended = check(default, ".m.class == 1");
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = ended.json();
    assert_eq!(said["version"], Value::Null);
    assert_eq!(said["files"], json!(["customers.csv"]));
    let warning = said["warnings"][0].as_str().unwrap();
    assert_eq!(
        warning,
        "`infer.m.model` is `s3:… (from MODEL)`, which only the function reads: the file's default, `file:m.onnx`, is checked instead"
    );
    let ended = check(default, ".m.clas == 1");
    assert!(ended.code == 2 && ended.stdout.contains("did you mean `class`?"), "{ended:?}");

    // Without one, all else is checked.
    let ended = check("${MODEL}", ".m.clas == 1");
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = ended.json();
    let warning = said["warnings"][0].as_str().unwrap();
    assert!(warning.starts_with("`infer.m.model`: `s3:… (from MODEL)` can be read by the function alone"), "{warning}");
    let ended = check("${MODEL}", ".amont > 1.0 && .m.class == 1");
    assert!(ended.code == 2 && ended.stdout.contains("did you mean `amount`?"), "{ended:?}");
    world.write("prod.env", format!("{ENVIRONMENT}MODEL=s3://bucket/\n"));
    let ended = check(default, ".amount > 1.0");
    assert!(ended.code == 2 && ended.stdout.contains("names no object"), "{ended:?}");
}

#[test]
fn a_file_that_is_not_there_is_no_part_of_a_package() {
    let world = World::small();
    world.write("prod.env", ENVIRONMENT);
    world.write("pipeline.yaml", cloud().replace("file:customers.csv", "file:custmers.csv"));
    let ended = validate(&world, &["--env-file", "prod.env"]);
    assert!(ended.code == 2 && ended.stderr.contains("`file:custmers.csv` does not exist"), "{ended:?}");
    // No function has a source.
    world.write("pipeline.yaml", cloud().replace("file:orders.jsonl", "file:ordres.jsonl"));
    assert_eq!(validate(&world, &["--env-file", "prod.env"]).code, 0);
}

#[test]
fn what_is_likely_not_meant_is_warned_of() {
    let world = World::small();
    let once = cloud().replace("to: offers,", "to: offers, once: state,").replace("  id: .id\n", "");
    for (yaml, variables, warning) in [
        (
            once.clone(),
            "SOURCE=function_url",
            Some("over function_url an event has an id only where its sender gives one"),
        ),
        (once.clone(), "SOURCE=kinesis", None),
        (once, "", None),
        (
            cloud(),
            "CORS_ORIGINS='https://shop.example, https://secret.example/'",
            Some("prod.env:6: CORS_ORIGINS names no origin"),
        ),
        (cloud(), "CORS_ORIGINS=*", None),
        (cloud(), "AWS_REGION=secret", Some("prod.env:6: Lambda sets AWS_REGION itself")),
        (cloud(), "PIPELINE=other.yaml", Some("prod.env:6: PIPELINE names another file")),
    ] {
        world.write("pipeline.yaml", yaml);
        world.write("prod.env", ENVIRONMENT.replace("SOURCE=kinesis", "") + variables);
        let ended = validate(&world, &["--env-file", "prod.env"]);
        assert_eq!((ended.code, ended.stderr.is_empty()), (0, warning.is_none()), "{variables}: {ended:?}");
        assert!(warning.is_none_or(|warning| ended.stderr.contains(warning)), "{ended:?}");
        assert!(!ended.stderr.contains("secret"), "{}", ended.stderr);
    }
}

#[test]
fn a_file_of_variables_that_cannot_be_read_is_refused_line_by_line() {
    let world = World::small();
    world.write("pipeline.yaml", cloud());
    world.write("prod.env", "OFFERS=kinesis://secret\nSTATE dynamodb://secret\nOFFERS=secret\nDEAD='secret\n");
    let ended = validate(&world, &["--env-file", "prod.env"]);
    assert_eq!(ended.code, 2);
    let wanted = "error: prod.env:2: this is no variable: write NAME=value\n\
                  error: prod.env:3: OFFERS stands in line 1 already\n\
                  error: prod.env:4: the quote that opens the value of DEAD is not closed in its line\n";
    assert_eq!(ended.stderr, wanted);
    let mistakes = validate(&world, &["--env-file", "prod.env", "--json"]).json()["mistakes"].clone();
    assert_eq!(mistakes[2]["line"], 4);
    world.write("prod.env", b"A=\xff\n");
    assert_eq!(validate(&world, &["--env-file", "prod.env"]).stderr, "error: prod.env: is not UTF-8\n");
    let ended = validate(&world, &["--env-file", "none.env"]);
    assert!(ended.code == 2 && ended.stderr.starts_with("error: none.env: cannot be read: "), "{ended:?}");
    let ended = world.run(&["validate", "pipeline.yaml", "--env-file", "prod.env"]);
    assert!(ended.code == 2 && ended.stderr.contains("--for <PLATFORM>"), "{ended:?}");
}
