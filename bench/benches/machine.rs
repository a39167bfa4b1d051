//! What criterion does not tell: the ratio to the limit in one run, both cores, run length, peak memory. Each figure
//! comes from a process of its own; `--quick` takes fewer events.

use std::{
    collections::HashMap,
    env,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use fourstroke_bench::{Face, Flights, Job};
use serde::{Deserialize, Serialize};

const CHILD: &str = "FOURSTROKE_BENCH_CHILD";

/// What a process is to do.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Plan {
    events: usize,
    batch: usize,
    threads: usize,
}

/// What it found, per event.
#[derive(Clone, Copy, Serialize, Deserialize)]
struct Found {
    cpu: f64,
    model: f64,
    wall: f64,
    strokes: [f64; 4],
    peak_mib: f64,
}

fn main() -> anyhow::Result<()> {
    if let Ok(child) = env::var(CHILD) {
        let (face, plan): (String, Plan) = serde_json::from_str(&child)?;
        println!("{}", serde_json::to_string(&measure(face.parse()?, plan)?)?);
        return Ok(());
    }
    let many = if env::args().any(|argument| argument == "--quick") { 20_000 } else { 250_000 };
    faces(many)?;
    cores(many)?;
    batches(many)?;
    lengths(many)
}

fn measure(face: Face, plan: Plan) -> anyhow::Result<Found> {
    const WARM: usize = 5_000;
    let (flights, job) = (Flights::read()?, Job::new(face)?);
    job.run(flights.batches(WARM, plan.batch));
    let started = Instant::now();
    let cost = job.run(flights.batches(plan.events, plan.batch));
    let per_event = |time: Duration| time.as_nanos() as f64 / plan.events as f64;
    let strokes = [cost.strokes.transform, cost.strokes.enrich, cost.strokes.infer, cost.strokes.act];
    Ok(Found {
        cpu: per_event(cost.cpu),
        model: per_event(cost.model),
        wall: per_event(started.elapsed()),
        strokes: strokes.map(per_event),
        peak_mib: peak_mib().unwrap_or(f64::NAN),
    })
}

/// Reads the most memory this process has had, where the system tells.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

fn in_child(face: Face, plan: Plan) -> anyhow::Result<Found> {
    let child = Command::new(env::current_exe()?)
        .env(CHILD, serde_json::to_string(&(face.to_string(), plan))?)
        .env("RAYON_NUM_THREADS", plan.threads.to_string())
        .env("TOKIO_WORKER_THREADS", "1")
        .output()?;
    ensure!(child.status.success(), "{face}: {}", String::from_utf8_lossy(&child.stderr));
    serde_json::from_slice(&child.stdout).with_context(|| format!("{face}: no figures"))
}

/// One thread, batches of 1,000: the faces in turn, five times, and the median of each figure.
fn faces(events: usize) -> anyhow::Result<()> {
    const ROUNDS: usize = 5;
    let plan = Plan { events, batch: 1_000, threads: 1 };
    let mut found: HashMap<String, Vec<Found>> = HashMap::new();
    for _ in 0..ROUNDS {
        for face in Face::ALL {
            found.entry(face.to_string()).or_default().push(in_child(face, plan)?);
        }
    }
    let median = |face: Face, figure: &dyn Fn(&Found) -> f64| {
        let mut all: Vec<f64> = found[&face.to_string()].iter().map(figure).collect();
        all.sort_by(f64::total_cmp);
        all[all.len() / 2]
    };
    let limit = median(Face::Limit, &|found| found.cpu);
    let without = |found: &Found| found.cpu - found.model;
    let limit_without = median(Face::Limit, &without);
    println!(
        "\n{events} events, batches of {}, one thread, median of {ROUNDS} rounds; ns of processor time an event",
        plan.batch
    );
    println!("| face | whole | models | without | a CPU-second without | share of the limit | without models |");
    println!("|---|---|---|---|---|---|---|");
    for face in Face::ALL {
        let (whole, rest) = (median(face, &|found| found.cpu), median(face, &without));
        println!(
            "| {face} | {whole:.0} | {:.0} | {rest:.0} | {:.0} | {:.2} | {:.2} |",
            median(face, &|found| found.model),
            1e9 / rest,
            limit / whole,
            limit_without / rest
        );
    }
    println!("\n| face | transform | enrich | infer, with models | act, to the log |\n|---|---|---|---|---|");
    for face in [Face::Yaml, Face::Rust] {
        let stroke = |place: usize| median(face, &|found| found.strokes[place]);
        println!("| {face} | {:.0} | {:.0} | {:.0} | {:.0} |", stroke(0), stroke(1), stroke(2), stroke(3));
    }
    Ok(())
}

/// Whole decisions a second on one core and on two.
fn cores(events: usize) -> anyhow::Result<()> {
    println!("\n| face | decisions/s, one thread | two | times |\n|---|---|---|---|");
    for face in Face::ALL {
        let rate = |threads| anyhow::Ok(1e9 / in_child(face, Plan { events, batch: 1_000, threads })?.wall);
        let (one, two) = (rate(1)?, rate(2)?);
        println!("| {face} | {one:.0} | {two:.0} | {:.2} |", two / one);
    }
    Ok(())
}

/// Processor time an event against the batch's size.
fn batches(events: usize) -> anyhow::Result<()> {
    println!("\n| batch | yaml: ns of processor time an event |\n|---|---|");
    for batch in [1, 10, 100, 1_000, 10_000] {
        // Batches of one cost many times more: fewer of them say as much.
        let events = if batch < 100 { events / 10 } else { events };
        println!("| {batch} | {:.0} |", in_child(Face::Yaml, Plan { events, batch, threads: 2 })?.cpu);
    }
    Ok(())
}

/// Processor time an event and peak memory against the length of the run.
fn lengths(most: usize) -> anyhow::Result<()> {
    println!("\n| events | yaml: ns of processor time an event | peak MiB |\n|---|---|---|");
    for events in [most / 25, most / 5, most, most * 4] {
        let found = in_child(Face::Yaml, Plan { events, batch: 1_000, threads: 2 })?;
        println!("| {events} | {:.0} | {:.0} |", found.cpu, found.peak_mib);
    }
    Ok(())
}
