//! Bad input, as files: each event ends with its code and its bytes whatever stands around it, each pipeline file gives
//! its mistake at its place. A new case is a file and a line in `corpus/cases.json`.

#[path = "common/accounts.rs"]
mod accounts;
mod common;

use std::{
    collections::{BTreeMap, BTreeSet},
    path::{Path, PathBuf},
};

use accounts::{before, settled};
use common::{World, run};
use fourstroke::{
    config::{Environment, Mistakes, PipelineFile},
    event::{Decoded, Event},
    pipeline::{Builder, Pipeline},
    report::{Disposition, Report},
    testkit::faults::{Fault, Faults},
};
use serde::Deserialize;

#[derive(Deserialize)]
struct Cases {
    /// For each pipeline, an event that acts.
    good: BTreeMap<String, String>,
    events: Vec<EventCase>,
    configs: Vec<ConfigCase>,
}

#[derive(Deserialize)]
struct EventCase {
    pipeline: String,
    #[serde(flatten)]
    input: Input,
    /// For each event in it, `acted` or an error's code.
    gives: Vec<String>,
    /// What the first reason says.
    #[serde(default)]
    says: String,
}

#[derive(Deserialize)]
struct ConfigCase {
    #[serde(flatten)]
    input: Input,
    /// Line and column; none where the file cannot be read as a whole.
    at: Option<String>,
    /// What the mistake there says.
    says: String,
}

/// A file, or what would be too large for one.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Input {
    File(String),
    Made { name: String, start: String, repeat: String, times: usize, end: String },
}

impl Input {
    fn name(&self) -> &str {
        match self {
            Input::File(name) | Input::Made { name, .. } => name,
        }
    }

    fn bytes(&self) -> Vec<u8> {
        match self {
            Input::File(name) => read(name),
            Input::Made { start, repeat, times, end, .. } => {
                format!("{start}{}{end}", repeat.repeat(*times)).into_bytes()
            }
        }
    }
}

fn corpus() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/corpus")
}

fn read(name: &str) -> Vec<u8> {
    std::fs::read(corpus().join(name)).unwrap_or_else(|error| panic!("{name}: {error}"))
}

fn cases() -> Cases {
    serde_json::from_slice(&read("cases.json")).expect("cases.json")
}

async fn pipeline(world: &World, name: &str) -> Pipeline {
    let yaml = String::from_utf8(read(&format!("{name}.yaml"))).unwrap();
    world.open(&yaml).await.unwrap_or_else(|mistakes| panic!("{mistakes}"))
}

/// Says how the events of one input ended: `acted`, or the code and reason.
fn gave(report: &Report, input: usize) -> (Vec<String>, String) {
    let decisions = report.decisions.iter().filter(|decision| decision.input == input);
    let (codes, reasons): (Vec<_>, Vec<_>) = decisions
        .map(|decision| match &decision.error {
            Some(error) => (error.code.as_str().to_owned(), error.reason.clone()),
            None => (decision.disposition.as_str().to_owned(), String::new()),
        })
        .unzip();
    (codes, reasons.into_iter().find(|reason| !reason.is_empty()).unwrap_or_default())
}

#[tokio::test]
async fn each_bad_event_ends_as_it_should_wherever_it_stands_and_its_neighbours_act() {
    let cases = cases();
    let mut wrong = Vec::new();
    for (name, good) in &cases.good {
        let world = World::default();
        let pipeline = pipeline(&world, name).await;
        for case in cases.events.iter().filter(|case| case.pipeline == *name) {
            let bytes = case.input.bytes();
            // The largest would only take long.
            let places: &[usize] = if bytes.len() > 1 << 20 { &[1] } else { &[0, 1, 3] };
            for bad in places {
                let bodies = (0..4).map(|place| if place == *bad { bytes.clone() } else { good.clone().into_bytes() });
                let events = bodies.enumerate().map(|(place, body)| Event::new(format!("{place}"), body).in_group("g"));
                let seen = before(&world);
                let report = run(&pipeline, events.map(Decoded::from).collect()).await;
                settled(&world, &seen, &report);
                for place in (0..4).filter(|place| place != bad) {
                    assert_eq!(gave(&report, place).0, ["acted"], "beside {}", case.input.name());
                }
                let (codes, reason) = gave(&report, *bad);
                if codes != case.gives || !reason.contains(&case.says) {
                    wrong.push(format!("{} in place {bad} gives {codes:?}: {reason}", case.input.name()));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// All the cases of a pipeline in one batch, good events between them; as often as the sink of dead letters wants.
async fn all_at_once(dead_letters: Faults, ends: impl Fn(&str) -> Disposition) {
    let cases = cases();
    for (name, good) in &cases.good {
        let world = World::default().with("sinks.dead", dead_letters.clone());
        let pipeline = pipeline(&world, name).await;
        let mut events = Vec::new();
        let mut expected = Vec::new();
        for case in cases.events.iter().filter(|case| case.pipeline == *name) {
            let bytes = case.input.bytes();
            if bytes.len() <= 1 << 20 {
                let id = |what: &str| format!("{}/{what}", case.input.name());
                events.push(Event::new(id("bad"), bytes).into());
                events.push(Event::new(id("good"), good.clone()).into());
                expected.push(case.gives.iter().map(|code| ends(code)).max().expect("an input has an event"));
                expected.push(Disposition::Acted);
            }
        }
        let seen = before(&world);
        let report = run(&pipeline, events).await;
        settled(&world, &seen, &report);
        for ((input, ended), expected) in report.inputs.iter().zip(report.dispositions()).zip(expected) {
            assert_eq!(ended, expected, "{}", input.event().id);
        }
    }
}

fn ends(code: &str) -> Disposition {
    if code == "acted" { Disposition::Acted } else { Disposition::DeadLettered }
}

#[tokio::test(start_paused = true)]
async fn all_bad_events_at_once_end_as_they_should_though_each_dead_letter_fails_at_first() {
    all_at_once(Faults::first(1, Fault::Before), ends).await;
}

#[tokio::test(start_paused = true)]
async fn where_no_dead_letter_can_be_written_all_bad_events_are_asked_for_again() {
    let asked_again = |code: &str| if code == "acted" { Disposition::Acted } else { Disposition::Retry };
    all_at_once(Faults::plan(|_| Some(Fault::Before)), asked_again).await;
}

async fn opened(case: &ConfigCase) -> Result<Pipeline, Mistakes> {
    let environment = Environment::default();
    let file = match &case.input {
        Input::File(name) => PipelineFile::read(&corpus().join(name), &environment)?,
        Input::Made { name, .. } => {
            let text = String::from_utf8(case.input.bytes()).expect("UTF-8");
            PipelineFile::parse(name.as_ref(), &text, &environment)?
        }
    };
    Builder::new(file).open(&World::default()).await
}

/// Says what is wrong with a bad file's mistakes, if anything is.
fn amiss(case: &ConfigCase) -> Option<String> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let Err(mistakes) = runtime.block_on(opened(case)) else { return Some("is taken".to_owned()) };
    let shown = mistakes.to_string();
    let text = &mistakes.text;
    for mistake in &mistakes.list {
        let (start, end) = (mistake.span.start, mistake.span.end);
        if start > end || !text.is_char_boundary(start) || !text.is_char_boundary(end) {
            return Some(format!("{:?} is no place in the file: {}", mistake.span, mistake.message));
        }
    }
    let place = |at: usize| {
        let line = text[..at].rfind('\n').map_or(0, |end| end + 1);
        format!("{}:{}", text[..at].matches('\n').count() + 1, text[line..at].chars().count() + 1)
    };
    let fits = mistakes.list.iter().any(|mistake| {
        let said = format!("{} {}", mistake.message, mistake.help.as_deref().unwrap_or_default());
        let at =
            case.at.as_ref().is_none_or(|at| *at == place(mistake.span.start) && shown.contains(&format!(":{at}\n")));
        at && said.contains(&case.says)
    });
    let found =
        mistakes.list.iter().take(3).map(|mistake| (place(mistake.span.start), &mistake.message, &mistake.help));
    (!fits).then(|| format!("gives {:?}", found.collect::<Vec<_>>()))
}

#[test]
fn each_bad_pipeline_file_says_what_and_where() {
    // On a stack as small as threads have.
    let work = || {
        let cases = cases();
        let wrong = cases.configs.iter().filter_map(|case| Some(format!("{} {}", case.input.name(), amiss(case)?)));
        wrong.collect::<Vec<_>>()
    };
    let wrong = std::thread::Builder::new().stack_size(2 << 20).spawn(work).unwrap().join().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn the_corpus_is_whole() {
    let cases = cases();
    let inputs: Vec<&Input> =
        cases.events.iter().map(|case| &case.input).chain(cases.configs.iter().map(|case| &case.input)).collect();
    assert!(inputs.len() >= 60, "{} cases", inputs.len());
    let names: BTreeSet<&str> = inputs.iter().map(|input| input.name()).collect();
    assert_eq!(names.len(), inputs.len(), "each case has a name of its own");
    for directory in cases.good.keys().map(String::as_str).chain(["config"]) {
        for file in std::fs::read_dir(corpus().join(directory)).unwrap() {
            let name = format!("{directory}/{}", file.unwrap().file_name().to_str().unwrap());
            assert!(names.contains(name.as_str()), "no case uses {name}");
        }
    }
}
