//! What criterion does not tell: the ratio to the limit in one run, both cores, run length, peak memory. Each figure
//! comes from a process of its own; `--quick` takes fewer events.

use std::{
    env,
    process::Command,
    time::{Duration, Instant},
};

use anyhow::{Context, ensure};
use fourstroke::report::StrokeTimes;
use fourstroke_bench::{Cost, Face, Flights, Job};
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
    /// Wall time in each stroke, and in the log and between them.
    strokes: [f64; 5],
    peak_mib: f64,
}

fn main() -> anyhow::Result<()> {
    if let Ok(child) = env::var(CHILD) {
        let (faces, plan): (Vec<String>, Plan) = serde_json::from_str(&child)?;
        println!("{}", serde_json::to_string(&measure(&faces, plan)?)?);
        return Ok(());
    }
    let many = if env::args().any(|argument| argument == "--quick") { 20_000 } else { 250_000 };
    faces(many, 100)?;
    faces(many, 1_000)?;
    cores(many)?;
    batches(many)?;
    lengths(many)
}

fn measure(faces: &[String], plan: Plan) -> anyhow::Result<Vec<Found>> {
    const WARM: usize = 5_000;
    let flights = Flights::read()?;
    let jobs = faces.iter().map(|face| Job::new(face.parse()?)).collect::<anyhow::Result<Vec<Job>>>()?;
    for job in &jobs {
        job.run(flights.batches(WARM, plan.batch));
    }
    let mut costs = vec![(Cost::default(), Duration::ZERO); jobs.len()];
    for batch in flights.batches(plan.events, plan.batch) {
        for (job, (cost, wall)) in jobs.iter().zip(&mut costs) {
            let batch = batch.clone();
            let started = Instant::now();
            cost.add(job.run([batch].into_iter()));
            *wall += started.elapsed();
        }
    }
    let peak_mib = peak_mib().unwrap_or(f64::NAN);
    let per_event = |time: Duration| time.as_nanos() as f64 / plan.events as f64;
    let found = costs.into_iter().map(|(cost, wall)| {
        let StrokeTimes { transform, enrich, infer, act, whole } = cost.strokes;
        let strokes = [transform, enrich, infer, act, whole.saturating_sub(transform + enrich + infer + act)];
        Found {
            cpu: per_event(cost.cpu),
            model: per_event(cost.model),
            wall: per_event(wall),
            strokes: strokes.map(per_event),
            peak_mib,
        }
    });
    Ok(found.collect())
}

/// Reads the most memory this process has had, where the system tells.
fn peak_mib() -> Option<f64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"))?;
    Some(line.trim().strip_suffix("kB")?.trim().parse::<f64>().ok()? / 1024.0)
}

/// Measures all faces in one process.
fn together(plan: Plan) -> anyhow::Result<Vec<(String, Found)>> {
    let faces: Vec<String> = Face::ALL.iter().map(Face::to_string).collect();
    let found = child(&faces, plan)?;
    Ok(faces.into_iter().zip(found).collect())
}

/// Measures one face in a process of its own.
fn alone(face: Face, plan: Plan) -> anyhow::Result<Found> {
    child(&[face.to_string()], plan)?.pop().context("no figures")
}

fn child(faces: &[String], plan: Plan) -> anyhow::Result<Vec<Found>> {
    let child = Command::new(env::current_exe()?)
        .env(CHILD, serde_json::to_string(&(faces, plan))?)
        .env("RAYON_NUM_THREADS", plan.threads.to_string())
        .env("TOKIO_WORKER_THREADS", "1")
        .output()?;
    ensure!(child.status.success(), "{faces:?}: {}", String::from_utf8_lossy(&child.stderr));
    serde_json::from_slice(&child.stdout).with_context(|| format!("{faces:?}: no figures"))
}

/// One thread: each batch is decided by all faces in turn, so that a noisy moment meets them all.
fn faces(events: usize, batch: usize) -> anyhow::Result<()> {
    let plan = Plan { events, batch, threads: 1 };
    let found = together(plan)?;
    let of = |face: Face| found.iter().find(|(of, _)| *of == face.to_string()).map(|(_, found)| *found);
    let limit = of(Face::Limit).context("no limit")?;
    let without = |found: Found| found.cpu - found.model;
    println!("\n{events} events, batches of {}, one thread; ns of processor time an event", plan.batch);
    println!("| face | whole | models | without | a CPU-second without | share of the limit | without models |");
    println!("|---|---|---|---|---|---|---|");
    for (face, found) in &found {
        println!(
            "| {face} | {:.0} | {:.0} | {:.0} | {:.0} | {:.2} | {:.2} |",
            found.cpu,
            found.model,
            without(*found),
            1e9 / without(*found),
            limit.cpu / found.cpu,
            without(limit) / without(*found)
        );
    }
    println!(
        "\nns of wall time an event, on one thread\n| face | transform | enrich | infer, with models | act | log |"
    );
    println!("|---|---|---|---|---|---|");
    for (face, Found { strokes: [transform, enrich, infer, act, log], .. }) in
        found.iter().filter(|(_, of)| of.strokes[0] > 0.0)
    {
        println!("| {face} | {transform:.0} | {enrich:.0} | {infer:.0} | {act:.0} | {log:.0} |");
    }
    Ok(())
}

/// Whole decisions a second on one core and on two.
fn cores(events: usize) -> anyhow::Result<()> {
    println!("\n| face | decisions/s, one thread | two | times |\n|---|---|---|---|");
    for face in Face::ALL {
        let rate = |threads| anyhow::Ok(1e9 / alone(face, Plan { events, batch: 1_000, threads })?.wall);
        let (one, two) = (rate(1)?, rate(2)?);
        println!("| {face} | {one:.0} | {two:.0} | {:.2} |", two / one);
    }
    Ok(())
}

/// Processor time an event against the batch's size, on one thread: two on one core slow each other down.
fn batches(events: usize) -> anyhow::Result<()> {
    println!("\n| batch | yaml: ns of processor time an event | without models |\n|---|---|---|");
    for batch in [1, 10, 100, 1_000, 10_000] {
        // Batches of one cost many times more: fewer of them say as much.
        let events = if batch < 100 { events / 10 } else { events };
        let found = alone(Face::Yaml, Plan { events, batch, threads: 1 })?;
        println!("| {batch} | {:.0} | {:.0} |", found.cpu, found.cpu - found.model);
    }
    Ok(())
}

/// Processor time an event and peak memory against the length of the run.
fn lengths(most: usize) -> anyhow::Result<()> {
    println!("\n| events | yaml: ns of processor time an event | peak MiB |\n|---|---|---|");
    for events in [most / 25, most / 5, most, most * 4] {
        let found = alone(Face::Yaml, Plan { events, batch: 1_000, threads: 2 })?;
        println!("| {events} | {:.0} | {:.0} |", found.cpu, found.peak_mib);
    }
    Ok(())
}
