//! Quick look.
use fourstroke::clock::Deadline;
use fourstroke_bench::*;
use std::{
    sync::Arc,
    sync::atomic::Ordering::Relaxed,
    time::{Duration, Instant},
};

fn main() -> anyhow::Result<()> {
    let args: Vec<String> = std::env::args().collect();
    let n: usize = args.iter().filter_map(|a| a.parse().ok()).next().unwrap_or(50_000);
    let which = args.get(2).cloned().unwrap_or_default();
    let rt = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let all = events(n)?;
    let opener = Opener::default();
    let pipeline = rt.block_on(flights(&opener))?;
    let limit_nanos = opener.model_nanos.clone();
    let limit = limit::Limit::load(|bytes| {
        Ok(Arc::new(Timed::new(
            Arc::new(fourstroke_onnx::load(bytes).map_err(|e| e.to_string())?),
            limit_nanos.clone(),
        )))
    })?;
    for round in 0..3 {
        for name in ["yaml", "limit"] {
            if !which.is_empty() && which != name {
                continue;
            }
            let batches = batches(&all, 1000);
            opener.model_nanos.store(0, Relaxed);
            let (cpu, wall) = (cpu_time(), Instant::now());
            let mut times = fourstroke::report::StrokeTimes::default();
            for batch in batches {
                if name == "yaml" {
                    let report = rt.block_on(pipeline.run(batch, Deadline::after(Duration::from_secs(60))));
                    times.transform += report.times.transform;
                    times.enrich += report.times.enrich;
                    times.infer += report.times.infer;
                    times.act += report.times.act;
                    times.whole += report.times.whole;
                } else {
                    std::hint::black_box(limit.run(&batch, chrono::Utc::now()));
                }
            }
            let (cpu, wall) = (cpu_time() - cpu, wall.elapsed());
            let model = opener.model_nanos.load(Relaxed) as f64 / n as f64;
            let per = cpu.as_nanos() as f64 / n as f64;
            println!(
                "{round} {name}: cpu {per:.0} ns/event, model {model:.0}, rest {:.0} ns = {:.0}/s; wall {:.0}/s; {:?}",
                per - model,
                1e9 / (per - model),
                n as f64 / wall.as_secs_f64(),
                times
            );
        }
    }
    Ok(())
}
