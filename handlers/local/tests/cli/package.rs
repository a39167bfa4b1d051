//! `package`: what is in the zip, and what is never put into one.

use std::{
    collections::BTreeMap,
    fs::{self, File},
    io::Read,
    path::Path,
};

use fourstroke::identity::sha256;
use serde_json::{Value, json};
use zip::ZipArchive;

use crate::{
    elf::{ARM64, Elf, LOADER, X86_64},
    support::{Ended, PIPELINE, World, flights, flights_pipeline},
};

/// The files of a zip: name, mode, content.
fn unpacked(path: &Path) -> Vec<(String, u32, Vec<u8>)> {
    let mut zip = ZipArchive::new(File::open(path).expect("the zip is there")).expect("a zip");
    let files = 0..zip.len();
    let file = |place| {
        let mut file = zip.by_index(place).expect("a file");
        let mut content = Vec::new();
        file.read_to_end(&mut content).expect("its content");
        (file.name().expect("a name").into_owned(), file.unix_mode().expect("a mode"), content)
    };
    files.map(file).collect()
}

/// A directory with a binary for Lambda in it.
fn with_binary(world: World) -> World {
    world.write("bootstrap", Elf::default().bytes());
    world
}

fn package(world: &World, more: &[&str]) -> Ended {
    let fixed = ["package", "pipeline.yaml", "--for", "lambda", "--binary", "bootstrap"];
    world.run(&[&fixed, more].concat())
}

/// The small pipeline with everything in the cloud but what a package has.
fn cloud() -> String {
    PIPELINE
        .replace("offers: \"stdout:\"", "offers: \"kinesis://offers\"")
        .replace("\"file:out/decisions.jsonl\"", "\"s3://bucket/decisions\"")
        .replace("\"file:out/dead.jsonl\"", "\"${DEAD:-file:out/dead.jsonl}\"")
}

const ENVIRONMENT: &str = "DEAD=s3://bucket/dead\n";

#[test]
fn the_example_is_packaged_with_what_it_names() {
    let world = with_binary(World::empty());
    let lambda_env = flights().join("lambda.env").to_str().unwrap().to_owned();
    let pipeline = flights_pipeline();
    let fixed = ["package", &pipeline, "--for", "lambda", "--binary", "bootstrap"];
    let ended = world.run(&[&fixed[..], &["--env-file", &lambda_env, "--json"]].concat());
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));

    let files = unpacked(&world.path("out/function.zip"));
    let names: Vec<(&str, u32)> = files.iter().map(|(name, mode, _)| (name.as_str(), mode & 0o777)).collect();
    let named = [
        "data/planes.csv.gz",
        "data/weather.csv.gz",
        "models/carriers.json",
        "models/dests.json",
        "models/late.onnx",
        "models/late_event_only.onnx",
        "models/late_no_history.onnx",
    ];
    let wanted = [("bootstrap", 0o755), ("pipeline.yaml", 0o644)].into_iter().chain(named.map(|name| (name, 0o644)));
    assert_eq!(names, wanted.collect::<Vec<_>>());
    let content: BTreeMap<&str, &[u8]> =
        files.iter().map(|(name, _, content)| (name.as_str(), content.as_slice())).collect();
    for name in named.into_iter().chain(["pipeline.yaml"]) {
        assert_eq!(content[name], fs::read(flights().join(name)).unwrap(), "{name}");
    }

    let manifest = ended.json();
    let written: Value = serde_json::from_slice(&fs::read(world.path("out/function.json")).unwrap()).unwrap();
    assert_eq!(manifest, written);
    let validated = world.run(&["validate", &pipeline, "--json"]).json();
    for (key, value) in [
        ("v", json!(1)),
        ("for", json!("lambda")),
        ("pipeline", json!("flight-delays")),
        ("version", validated["version"].clone()),
        ("architecture", json!("x86_64")),
        ("glibc", json!("2.34")),
    ] {
        assert_eq!(manifest[key], value, "{key}");
    }
    let zip = fs::read(world.path("out/function.zip")).unwrap();
    assert_eq!(manifest["zip"], json!({ "path": "function.zip", "bytes": zip.len(), "sha256": sha256(&zip) }));
    let listed = |(name, _, content): &(String, u32, Vec<u8>)| json!({ "path": name, "bytes": content.len(), "sha256": sha256(content) });
    assert_eq!(manifest["files"], Value::Array(files.iter().map(listed).collect()));
    let variables = manifest["variables"].as_array().unwrap();
    let dead = json!({ "name": "DEAD_LETTERS", "used_by": ["sinks.dead"], "default": true });
    assert!(variables.contains(&dead) && variables.len() == 12, "{variables:?}");
    assert!(!written.to_string().contains("flights-log-"), "values are not written down");
}

#[test]
fn the_same_input_makes_the_same_bytes() {
    let world = with_binary(World::small());
    world.write("pipeline.yaml", cloud());
    world.write("prod.env", ENVIRONMENT);
    let make = |to: &str| {
        let ended = package(&world, &["--env-file", "prod.env", "--to", to]);
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        (fs::read(world.path(to)).unwrap(), fs::read(world.path(to).with_extension("json")).unwrap())
    };
    let (first, manifest) = make("a/function.zip");
    // Written anew, at another time.
    for name in ["pipeline.yaml", "customers.csv", "bootstrap"] {
        let content = fs::read(world.path(name)).unwrap();
        fs::remove_file(world.path(name)).unwrap();
        world.write(name, content);
        File::open(world.path(name)).unwrap().set_modified(std::time::UNIX_EPOCH).unwrap();
    }
    assert_eq!(make("b/function.zip"), (first.clone(), manifest));
    world.write("customers.csv", "customer,level\nada,9\n");
    assert_ne!(make("b/function.zip").0, first);
    assert_eq!(fs::read_dir(world.path("b")).unwrap().count(), 2, "nothing else is left");
}

#[test]
fn all_that_is_read_where_it_runs_is_packaged_and_nothing_else() {
    let world = with_binary(World::small());
    for folder in ["models", "tables"] {
        fs::create_dir(world.path(folder)).unwrap();
    }
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../shared/onnx/tests/models/naive_bayes/model.onnx");
    let model = fs::read(models).unwrap();
    world.write("models/m.onnx", &model);
    world.write("models/m.bin", "weights");
    let digest = sha256(&[model.as_slice(), b"weights"].concat());
    world.write("models/m.onnx.sha256", digest);
    world.write("models/customers.json", r#"["ada", "bob"]"#);
    world.write("tables/levels.csv", "customer,level\nada,2\n");
    world.write("token", "hush\n");
    world.write("name", "rest");
    let yaml = cloud()
        .replace("stores:\n", "stores:\n  unused: { url: \"file:unused.csv\", key: [id] }\n")
        .replace("sources: { orders: \"file:orders.jsonl\" }", "sources: { orders: \"file:${file:name}.jsonl\" }")
        .replace("\"file:customers.csv\"", "\"file:./tables//levels.csv\"")
        .replace(
            "\"kinesis://offers\"",
            "{ url: \"https://example.org/offers\", headers: { Authorization: \"Bearer ${file:token}\" } }",
        )
        .replace(
            "act:\n",
            "infer:\n  m:\n    model: file:models/m.onnx\n    sha256: beside\n    external_data: [m.bin]\n    \
             features: { a: .customer, b: .amount, c: .amount, d: .amount }\n    \
             categories: { a: \"${CUSTOMERS:-file:models/customers.json}\" }\nact:\n",
        );
    world.write("pipeline.yaml", yaml);
    world.write("prod.env", ENVIRONMENT);
    let ended = package(&world, &["--env-file", "prod.env"]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    let names: Vec<String> = unpacked(&world.path("out/function.zip")).into_iter().map(|(name, ..)| name).collect();
    let wanted = [
        "bootstrap",
        "pipeline.yaml",
        "models/customers.json",
        "models/m.bin",
        "models/m.onnx",
        "models/m.onnx.sha256",
        "name",
        "tables/levels.csv",
        "token",
    ];
    assert_eq!(names, wanted);

    // What is elsewhere there stays out, also where its default is here.
    world.write("prod.env", format!("{ENVIRONMENT}CUSTOMERS=s3://bucket/customers.json\n"));
    let ended = package(&world, &["--env-file", "prod.env", "--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    let said = "`infer.m.categories.a` is `s3:… (from CUSTOMERS)`, which only the function reads: the file's default, \
                `file:models/customers.json`, is checked instead";
    assert_eq!(ended.stderr, format!("warning: {said}\n"));
    let manifest = ended.json();
    assert_eq!(manifest["version"], Value::Null, "it depends on what the function reads");
    assert!(!manifest["files"].to_string().contains("customers.json"), "{manifest}");
    assert!(!manifest.to_string().contains("bucket"), "{manifest}");
}

#[test]
fn a_schema_is_packaged() {
    let world = with_binary(World::small());
    let schema = r#"{ "type": "record", "name": "Order", "fields": [
        { "name": "id", "type": "string" }, { "name": "customer", "type": "string" }, { "name": "amount", "type": "double" }
    ] }"#;
    world.write("order.avsc", schema);
    world.write("pipeline.yaml", cloud().replace("event:\n", "event:\n  format: avro\n  schema: file:order.avsc\n"));
    let ended = package(&world, &["--json"]);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert_eq!(ended.json()["files"][3]["path"], "order.avsc");
}

#[test]
fn without_an_environment_what_depends_on_variables_is_not_held_against_a_file() {
    let world = with_binary(World::small());
    world.write("pipeline.yaml", cloud().replace("\"kinesis://offers\"", "\"${OFFERS}\""));
    let ended = package(&world, &[]);
    assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
    assert!(ended.stdout.contains("starts only where these are set: DEAD, OFFERS\n"), "{}", ended.stdout);
    assert!(ended.stdout.starts_with("out/function.zip: small for lambda on x86_64: 3 files, "), "{}", ended.stdout);
    let ended = package(&world, &["--json"]);
    let variables = json!([
        { "name": "DEAD", "used_by": ["sinks.dead"], "default": true },
        { "name": "OFFERS", "used_by": ["sinks.offers"], "default": false },
    ]);
    assert_eq!(ended.json()["variables"], variables);

    // The process's own variables are none of the function's.
    let fixed = ["package", "pipeline.yaml", "--for", "lambda", "--binary", "bootstrap", "--json"];
    let ended = world.run_with(&fixed, &[("OFFERS", "redb:x"), ("DEAD", "nonsense")], b"");
    assert_eq!(ended.code, 0, "{ended:?}");

    world.write("pipeline.yaml", PIPELINE);
    let ended = package(&world, &[]);
    assert_eq!(ended.code, 2);
    for part in ["`sinks.offers` is `stdout:`", "`sinks.dead` is `file:`", "pipeline.yaml: 3 mistakes"] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
}

#[test]
fn no_path_leads_out_of_a_package() {
    let world = with_binary(World::small());
    let absolute = world.path("customers.csv");
    let absolute = absolute.to_str().unwrap();
    for (path, why) in [
        ("../customers.csv", "climbs with `..`"),
        ("tables/../customers.csv", "climbs with `..`"),
        (absolute, "an absolute path leads out of the package"),
        ("bootstrap", "`bootstrap` is something else in a package"),
        ("./pipeline.yaml", "`pipeline.yaml` is something else in a package"),
        ("bootstrap/customers.csv", "`bootstrap` is something else in a package"),
        ("pipeline.yaml/customers.csv", "`pipeline.yaml` is something else in a package"),
    ] {
        world.write("pipeline.yaml", cloud().replace("file:customers.csv", &format!("file:{path}")));
        let ended = package(&world, &[]);
        assert_eq!(ended.code, 2, "{path}: {ended:?}");
        let place = "`stores.customers`: ";
        assert!(ended.stderr.contains(why) && ended.stderr.contains(place), "{path}: {}", ended.stderr);
        assert!(ended.stderr.ends_with("pipeline.yaml: 1 mistake\n"), "{}", ended.stderr);
        assert!(ended.stderr.contains("pipeline.yaml:5:21") && ended.stderr.contains("^^^^"), "{}", ended.stderr);
        assert!(!world.has_output(), "nothing is written");
    }
    world.write("pipeline.yaml", cloud().replace("kinesis://offers", "kinesis://${file:../name}"));
    let ended = package(&world, &[]);
    assert!(ended.code == 2 && ended.stderr.contains("`sinks.offers`: no path in a package"), "{ended:?}");
}

#[test]
fn a_binary_that_would_not_start_there_is_refused() {
    let world = World::small();
    world.write("pipeline.yaml", cloud());
    let refused = |elf: &[u8], more: &[&str]| {
        world.write("bootstrap", elf);
        let ended = package(&world, more);
        assert!(ended.code == 2 && !world.has_output(), "{ended:?}");
        ended.stderr
    };
    let newer = Elf { versions: &["GLIBC_2.2.5", "GLIBC_2.38", "GLIBC_2.34"], ..Elf::default() };
    let relative = Elf { versions: &["GLIBC_2.2.5", "GLIBC_ABI_DT_RELR"], ..Elf::default() };
    let newest = Elf { versions: &["GLIBC_2.2.5", "GLIBC_ABI_GNU2_TLS"], ..Elf::default() };
    for (elf, more, why) in [
        (newer.bytes(), &[][..], "wants glibc 2.38, and there it is 2.34"),
        (newer.bytes(), &["--glibc", "2.36"], "wants glibc 2.38, and there it is 2.36"),
        (relative.bytes(), &["--glibc", "2.35"], "wants glibc 2.36"),
        (newest.bytes(), &[], "wants glibc 2.42"),
        (Elf { versions: &[], ..Elf::default() }.bytes(), &[], "does not say which glibc it wants"),
        (Elf::default().bytes(), &["--architecture", "arm64"], "is for x86_64, not for arm64"),
        (Elf { machine: ARM64, ..Elf::default() }.bytes(), &[], "is for arm64, not for x86_64"),
        (Elf { machine: 8, ..Elf::default() }.bytes(), &[], "is for another processor, not for x86_64"),
        (Elf { machine: ARM64, ..Elf::default() }.bytes(), &["--architecture", "arm64"], "is started by /lib64/ld-"),
        (Elf { loader: Some("/lib/ld-musl-x86_64.so.1"), ..Elf::default() }.bytes(), &[], "is started by /lib/ld-musl"),
        (Elf { entry: 0, ..Elf::default() }.bytes(), &[], "is no executable for Linux"),
        (b"#!/bin/sh\n".to_vec(), &[], "is no 64-bit ELF executable"),
        (Vec::new(), &[], "is no 64-bit ELF executable"),
        (Elf::default().bytes()[..200].to_vec(), &[], "is damaged: "),
    ] {
        let stderr = refused(&elf, more);
        assert!(stderr.contains(why) && stderr.ends_with("; `make lambda` builds it\n"), "{why}: {stderr}");
    }

    let fine = |elf: Elf<'_>, more: &[&str], glibc: Value| {
        world.write("bootstrap", elf.bytes());
        let ended = package(&world, &[more, &["--json", "--to", "fine/f.zip"]].concat());
        assert_eq!((ended.code, ended.stderr.as_str()), (0, ""));
        assert_eq!(ended.json()["glibc"], glibc);
    };
    fine(newer, &["--glibc", "2.38"], json!("2.38"));
    fine(Elf { loader: None, versions: &[], ..Elf::default() }, &[], Value::Null);
    let arm =
        Elf { machine: ARM64, loader: Some("/lib/ld-linux-aarch64.so.1"), versions: &["GLIBC_2.17"], ..Elf::default() };
    fine(arm, &["--architecture", "arm64"], json!("2.17"));
    assert_eq!((X86_64, LOADER), (Elf::default().machine, "/lib64/ld-linux-x86-64.so.2"));
}

#[test]
fn a_binary_that_is_not_there_is_made_by_make() {
    let world = World::small();
    world.write("pipeline.yaml", cloud());
    for (more, path) in [
        (&[][..], "target/handlers/lambda/x86_64/bootstrap"),
        (&["--architecture", "arm64"], "target/handlers/lambda/arm64/bootstrap"),
    ] {
        let ended = world.run(&[&["package", "pipeline.yaml", "--for", "lambda"], more].concat());
        assert_eq!(ended.code, 2);
        assert!(ended.stderr.contains(path) && ended.stderr.contains("`make lambda` builds it"), "{}", ended.stderr);
    }
    fs::create_dir_all(world.path("target/handlers/lambda/x86_64")).unwrap();
    world.write("target/handlers/lambda/x86_64/bootstrap", Elf::default().bytes());
    assert_eq!(world.run(&["package", "pipeline.yaml", "--for", "lambda"]).code, 0);
    fs::create_dir(world.path("bootstrap")).unwrap();
    let ended = package(&world, &[]);
    assert!(ended.code == 2 && ended.stderr.contains("it is no file"), "{ended:?}");
}

#[test]
fn more_than_lambda_unpacks_is_refused() {
    let world = with_binary(World::small());
    world.write("pipeline.yaml", cloud());
    let binary = File::options().write(true).open(world.path("bootstrap")).unwrap();
    for (size, why) in
        [(300 << 20, Some("larger than the 250 MB")), (250 << 20, Some("more than 250 MB")), (1 << 20, None)]
    {
        binary.set_len(size).unwrap();
        let ended = package(&world, &[]);
        assert_eq!(ended.code == 0, why.is_none(), "{ended:?}");
        assert!(why.is_none_or(|why| ended.stderr.contains(why)), "{}", ended.stderr);
    }
}

#[test]
fn a_zip_that_cannot_be_written_leaves_nothing() {
    let world = with_binary(World::small());
    world.write("pipeline.yaml", cloud());
    world.write("file", "");
    let ended = package(&world, &["--to", "file/function.zip"]);
    assert!(ended.code == 1 && ended.stderr.starts_with("error: file/function.zip: "), "{ended:?}");
    fs::create_dir_all(world.path("out/function.zip")).unwrap();
    let ended = package(&world, &[]);
    assert_eq!(ended.code, 1, "{ended:?}");
    let left: Vec<_> = fs::read_dir(world.path("out")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(left, ["function.zip"], "the directory alone");
    for to in ["function.tar", "out/", "zip"] {
        let ended = package(&world, &["--to", to]);
        assert!(ended.code == 2 && ended.stderr.contains("must end in .zip"), "{ended:?}");
    }
}

#[test]
fn what_validate_refuses_is_refused() {
    let world = with_binary(World::small());
    world.write("pipeline.yaml", cloud().replace("key: .customer", "key: .custmer"));
    world.write("prod.env", "SOURCE=kafka\nPIPELINE=flows/a.yaml\nDEAD=redb:secret.redb\n");
    let ended = package(&world, &["--env-file", "prod.env"]);
    assert_eq!((ended.code, ended.stdout.as_str()), (2, ""));
    for part in [
        "error: prod.env:1: SOURCE names no service that invokes functions; known are kinesis, ",
        "error: prod.env:2: PIPELINE names another file than the one in the package, which is pipeline.yaml",
        "did you mean `customer`?",
        "`sinks.dead` is `redb:`, which does not outlive this process",
        "pipeline.yaml: 2 mistakes",
    ] {
        assert!(ended.stderr.contains(part), "{part}: {}", ended.stderr);
    }
    assert!(!ended.stderr.contains("secret") && !ended.stderr.contains("kafka"), "{}", ended.stderr);
    world.write("pipeline.yaml", cloud());
    world.write("prod.env", format!("PIPELINE=pipeline.yaml\n{ENVIRONMENT}"));
    assert_eq!(package(&world, &["--env-file", "prod.env"]).code, 0);
    world.write("prod.env", "PIPELINE=flows/a.yaml\nDEAD=s3://bucket/dead\n");
    assert_eq!(package(&world, &["--env-file", "prod.env"]).code, 2);
}
