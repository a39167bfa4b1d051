//! Models as people export them, each with inputs and the outputs onnxruntime gave: every one must load and say the same.
//!
//! The folder is `FOURSTROKE_ZOO`, else `../shared/zoo` seen from the repository; every folder below it with a `meta.json` and
//! an `inputs.json` is a case. `ZOO_ONLY` names a part of the cases to run.

mod case;
mod compare;

use std::path::{Path, PathBuf};

use case::Case;

fn folders(below: &Path, found: &mut Vec<PathBuf>) {
    let Ok(entries) = std::fs::read_dir(below) else { return };
    let mut entries: Vec<PathBuf> = entries.filter_map(|entry| Some(entry.ok()?.path())).collect();
    entries.sort();
    if below.join("meta.json").exists() && below.join("inputs.json").exists() {
        found.push(below.to_owned());
    }
    entries.iter().filter(|path| path.is_dir()).for_each(|path| folders(path, found));
}

/// Runs every case below a folder.
fn run(zoo: &Path) -> (usize, Vec<String>) {
    let only = std::env::var("ZOO_ONLY").unwrap_or_default();
    let mut found = Vec::new();
    folders(zoo, &mut found);
    found.retain(|path| path.to_string_lossy().contains(&only));
    let wrong = found.iter().filter_map(|path| {
        let name = path.strip_prefix(zoo).unwrap_or(path).display().to_string();
        Case::read(path).and_then(|case| case.run()).err().map(|why| format!("{name}: {why}"))
    });
    let wrong = wrong.collect();
    (found.len(), wrong)
}

fn report((count, wrong): (usize, Vec<String>)) {
    println!("{} of {count} models say what onnxruntime says", count - wrong.len());
    assert!(wrong.is_empty(), "{} of {count} are wrong:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn every_model_of_the_zoo_says_what_onnxruntime_says() {
    let beside = concat!(env!("CARGO_MANIFEST_DIR"), "/../../../shared/zoo");
    let zoo = std::env::var("FOURSTROKE_ZOO").unwrap_or_else(|_| beside.to_owned());
    if !Path::new(&zoo).is_dir() {
        println!("SKIPPED: the model zoo is not here; FOURSTROKE_ZOO says where it is");
        return;
    }
    report(run(Path::new(&zoo)));
}

/// Made by `tests/models/make.py`.
#[test]
fn our_own_models_say_what_onnxruntime_says() {
    let own = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models");
    let (count, wrong) = run(&own);
    assert!(count >= 9 || std::env::var("ZOO_ONLY").is_ok(), "{count} models");
    report((count, wrong));
}
