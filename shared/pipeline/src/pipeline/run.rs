//! One batch's way: transform, enrich, infer, barrier, act, log. Every event leaves with exactly one disposition.

use std::{sync::Arc, time::Duration};

use rayon::prelude::*;
use tokio::time::Instant;

use super::{Inner, OutcomeRule, Stubs, barrier, cpu, dead_letter, log, send::send};
use crate::{
    clock::{Clock, Deadline},
    enrich,
    error::{Code, Error, Kind, Stage},
    event::Decoded,
    expression::Evaluator,
    identity::decision_id,
    ports::Outgoing,
    report::{Decision, Disposition, Outcome, Report},
    transform::Memory,
};

/// Records handled by one CPU thread at a time: enough for a model to run in batches, few enough to fill all cores.
const CHUNK: usize = 256;

/// The time the decision log has at least.
const MARGIN: Duration = Duration::from_secs(1);

/// A batch on its way.
pub(super) struct Run {
    pub(super) pipeline: Arc<Inner>,
    pub(super) inputs: Arc<[Decoded]>,
    pub(super) deadline: Deadline,
    pub(super) clock: Clock,
    pub(super) report: Report,
}

pub(super) async fn run(pipeline: Arc<Inner>, inputs: Arc<[Decoded]>, deadline: Deadline, stubs: Arc<Stubs>) -> Report {
    let started = Instant::now();
    let clock = stubs.now.map_or_else(|| pipeline.clock.clone(), Clock::fixed);
    let report = Report { inputs: inputs.clone(), ..Report::default() };
    let mut run = Run { pipeline, inputs, deadline, clock, report };

    let mut decisions = run.transform().await;
    run.report.times.transform = started.elapsed();

    let enriching = Instant::now();
    decisions = enrich::run(&run.pipeline.lookups, decisions, &run.clock, deadline, &stubs).await;
    run.report.times.enrich = enriching.elapsed();

    let inferring = Instant::now();
    run.in_time(&mut decisions);
    decisions = run.infer(decisions, stubs).await;
    run.report.times.infer = inferring.elapsed();

    let acting = Instant::now();
    decisions = run.choose(decisions).await;
    run.in_time(&mut decisions);
    run.act(&mut decisions).await;
    run.report.times.act = acting.elapsed();

    run.log(&mut decisions).await;
    run.report.decisions = decisions;
    run.report.times.whole = started.elapsed();
    run.report
}

impl Run {
    async fn transform(&self) -> Vec<Decision> {
        let (pipeline, inputs) = (self.pipeline.clone(), self.inputs.clone());
        cpu::run(move || {
            inputs
                .par_chunks(CHUNK)
                .enumerate()
                .flat_map_iter(|(chunk, inputs)| {
                    let (mut memory, mut evaluator) = (Memory::default(), Evaluator::default());
                    let mut decisions = Vec::with_capacity(inputs.len());
                    for (place, input) in inputs.iter().enumerate() {
                        let input_number = chunk * CHUNK + place;
                        pipeline.transform.run(input_number, input, &mut memory, &mut evaluator, &mut decisions);
                    }
                    decisions
                })
                .collect()
        })
        .await
    }

    async fn infer(&self, mut decisions: Vec<Decision>, stubs: Arc<Stubs>) -> Vec<Decision> {
        let pipeline = self.pipeline.clone();
        if pipeline.models.is_empty() {
            return decisions;
        }
        cpu::run(move || {
            let size = decisions.len().div_ceil(rayon::current_num_threads()).clamp(1, CHUNK);
            decisions.par_chunks_mut(size).for_each(|chunk| {
                let mut evaluator = Evaluator::default();
                for model in &pipeline.models {
                    model.run(chunk, &stubs, &mut evaluator);
                }
            });
            decisions
        })
        .await
    }

    /// Evaluates the rules and what an outcome tells.
    async fn choose(&self, mut decisions: Vec<Decision>) -> Vec<Decision> {
        let pipeline = self.pipeline.clone();
        cpu::run(move || {
            decisions.par_chunks_mut(CHUNK).for_each(|chunk| {
                let mut evaluator = Evaluator::default();
                for decision in chunk.iter_mut().filter(|decision| decision.error.is_none()) {
                    let chosen = pipeline.act.choose(decision, &mut evaluator);
                    let told = match &pipeline.outcome {
                        Some(rule) => outcome(&pipeline.name, rule, decision, &mut evaluator),
                        None => Ok(()),
                    };
                    if let Err(error) = chosen.and(told) {
                        decision.actions.clear();
                        decision.candidates.clear();
                        decision.error = Some(error);
                    }
                }
            });
            decisions
        })
        .await
    }

    /// Past the deadline nothing more is started.
    fn in_time(&self, decisions: &mut [Decision]) {
        if self.deadline.passed() {
            for decision in decisions.iter_mut().filter(|decision| decision.error.is_none()) {
                let reason = "the deadline came before the event could act";
                decision.error = Some(Error::retryable(Stage::Act, Code::DEADLINE, reason));
            }
        }
    }

    async fn act(&mut self, decisions: &mut [Decision]) {
        for decision in decisions.iter_mut() {
            decision.disposition = self.disposition(decision.error.as_ref());
        }
        barrier::hold(&self.inputs, decisions);
        self.write_dead_letters(decisions).await;
        barrier::hold(&self.inputs, decisions);
        self.send_actions(decisions).await;
        barrier::hold(&self.inputs, decisions);
    }

    /// Says how an event ends whose error, if any, is this, before any action is sent.
    pub(super) fn disposition(&mut self, error: Option<&Error>) -> Disposition {
        let Some(error) = error else { return Disposition::Passed };
        match error.kind {
            Kind::Poison => Disposition::DeadLettered,
            Kind::Retryable => Disposition::Retry,
            Kind::Fatal => {
                self.report.fatal.get_or_insert_with(|| error.clone());
                Disposition::Retry
            }
        }
    }

    /// The log is written before the reply even when the sends used up the time: handlers leave a margin for it.
    fn margin(&self) -> Deadline {
        Deadline::after(self.deadline.left().max(MARGIN))
    }

    /// Writes the decision log: an entry per event that ended. What cannot be written there goes to the dead letters.
    async fn log(&mut self, decisions: &mut Vec<Decision>) {
        let Some((sink, _)) = &self.pipeline.log else { return };
        let (pipeline, times, size) = (self.pipeline.clone(), self.report.times, self.inputs.len());
        let decided_at = self.clock.now();
        let taken = std::mem::take(decisions);
        let (back, entries) = cpu::run(move || {
            let keep = pipeline.log.as_ref().map_or(&[][..], |(_, keep)| keep);
            let batch = log::Batch {
                pipeline: &pipeline.name,
                version: &pipeline.version,
                models: &pipeline.models,
                keep,
                decided_at,
                size,
                times,
            };
            let entries = taken
                .par_iter()
                .with_min_len(CHUNK)
                .filter(|decision| decision.disposition != Disposition::Retry)
                .map(|decision| batch.entry(decision))
                .collect::<Vec<Outgoing>>();
            (taken, entries)
        })
        .await;
        *decisions = back;
        if entries.is_empty() {
            return;
        }
        let answers = send(&**sink, entries.clone(), self.margin()).await;
        let (name, version) = (&self.pipeline.name, &self.pipeline.version);
        let diverted: Vec<Outgoing> = entries
            .iter()
            .zip(answers)
            .filter_map(|(entry, answer)| {
                let failed = answer.err()?;
                let error = Error { kind: failed.kind, stage: Stage::Log, code: Code::LOG, reason: failed.reason };
                Some(dead_letter::of_log_entry(name, version, entry, &error))
            })
            .collect();
        if diverted.is_empty() {
            return;
        }
        let answers = send(&*self.pipeline.dead_letters, diverted, self.margin()).await;
        self.report.log_lost = answers.iter().filter(|answer| answer.is_err()).count();
        self.report.log_diverted = answers.len() - self.report.log_lost;
    }
}

/// Notes what an event tells about an earlier decision.
fn outcome(
    pipeline: &str,
    rule: &OutcomeRule,
    decision: &mut Decision,
    evaluator: &mut Evaluator,
) -> Result<(), Error> {
    let in_part =
        |part: &str, reason: String| Error::poison(Stage::Act, Code::OUTCOME, format!("`outcome.{part}`: {reason}"));
    let record = &mut decision.record;
    if !rule.when.holds(record, evaluator).map_err(|reason| in_part("when", reason))? {
        return Ok(());
    }
    let of = rule.of.text(record, evaluator).map_err(|reason| in_part("of", reason))?;
    let label = rule.label.holds(record, evaluator).map_err(|reason| in_part("label", reason))?;
    decision.outcome = of.map(|of| Outcome { decision_id: decision_id(pipeline, &of), label });
    Ok(())
}
