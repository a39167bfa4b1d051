//! One batch's way: the strokes, barrier, act, log. Every event leaves with exactly one disposition.

use std::sync::Arc;

use futures_util::future::join;
use tokio::time::Instant;
use tracing::{Instrument, Span, info_span};

use super::{
    Inner, Stubs, barrier,
    breaker::{Breaker, Turn},
    cpu::{self, CHUNK},
    dead_letter, held, log,
    once::Claims,
    outcomes,
    send::send,
    strokes::{self, Decided, Strokes},
    windows,
};
use crate::{
    clock::{Clock, Deadline},
    enrich::Advanced,
    error::{Code, Error, Kind, Stage},
    event::Decoded,
    ports::Outgoing,
    report::{Decision, Disposition, Report},
};

/// A batch on its way.
pub(super) struct Run {
    pub(super) pipeline: Arc<Inner>,
    pub(super) inputs: Arc<[Decoded]>,
    pub(super) deadline: Deadline,
    pub(super) clock: Clock,
    pub(super) report: Report,
    /// Where the pipeline has a breaker.
    pub(super) turn: Option<Turn>,
}

pub(super) async fn run(
    pipeline: Arc<Inner>,
    inputs: Arc<[Decoded]>,
    deadline: Deadline,
    stubs: Arc<Stubs>,
    breaker: Option<&Arc<Breaker>>,
) -> Report {
    let started = Instant::now();
    let clock = stubs.now.map_or_else(|| pipeline.clock.clone(), Clock::fixed);
    let report = Report { inputs: inputs.clone(), ..Report::default() };
    let mut run = Run { pipeline, inputs, deadline, clock, report, turn: None };
    if !run.enter(breaker) {
        run.report.decisions = held::all(&run.pipeline, &run.inputs);
        run.report.times.whole = started.elapsed();
        return run.report;
    }
    let (pipeline, inputs, clock) = (run.pipeline.clone(), run.inputs.clone(), run.clock.clone());
    let decided = Strokes { pipeline, inputs, deadline, clock, stubs, span: Span::current() }.run().await;
    let Decided { mut decisions, windows, times, reads } = decided;
    (run.report.times, run.report.reads) = (times, reads);
    let acting = Instant::now();
    strokes::in_time(deadline, &mut decisions);
    run.act(&mut decisions, &windows).instrument(info_span!("act")).await;
    run.report.times.act += acting.elapsed();

    run.log(&mut decisions).instrument(info_span!("log")).await;
    run.report.decisions = decisions;
    run.report.times.whole = started.elapsed();
    run.report
}

/// Tells whether what a store keeps, or does not take, made the event a dead letter, after the breaker looked.
fn is_new_poison(decision: &Decision) -> bool {
    const CODES: [Code; 4] = [Code::OTHER_BODY, Code::STATE_DAMAGED, Code::LIMIT_FAILED, Code::ONCE_FAILED];
    let error = decision.error.as_ref().filter(|_| decision.disposition == Disposition::DeadLettered);
    error.is_some_and(|error| error.stage == Stage::Act && CODES.contains(&error.code))
}

impl Run {
    async fn act(&mut self, decisions: &mut [Decision], windows: &[Advanced]) {
        for decision in decisions.iter_mut() {
            decision.disposition = self.disposition(decision.error.as_ref());
        }
        barrier::hold(&self.inputs, decisions);
        self.cut(decisions, |_| true);
        self.limit(decisions).await;
        barrier::hold(&self.inputs, decisions);
        let claims = self.claim(decisions).await;
        barrier::hold(&self.inputs, decisions);
        if decisions.iter().any(is_new_poison) {
            self.cut(decisions, is_new_poison);
        }
        self.in_time(claims.as_ref(), decisions);
        barrier::hold(&self.inputs, decisions);
        self.write_dead_letters(decisions).await;
        barrier::hold(&self.inputs, decisions);
        self.in_time(claims.as_ref(), decisions);
        barrier::hold(&self.inputs, decisions);
        self.send_actions(decisions, claims.as_ref()).await;
        self.report.acted_at = Some(self.clock.now());
        if let Some(claims) = &claims {
            claims.end_twins(decisions);
        }
        barrier::hold(&self.inputs, decisions);
        self.keep(decisions, windows, claims.as_ref()).await;
        barrier::hold(&self.inputs, decisions);
        self.leave(decisions);
    }

    /// Writes down what the batch leaves behind for later ones: what was done, what is counted, what waits for its outcome.
    async fn keep(&mut self, decisions: &mut [Decision], windows: &[Advanced], claims: Option<&Claims>) {
        let (pipeline, clock, margin) = (&*self.pipeline, &self.clock, self.margin());
        let settled = async {
            match claims {
                Some(claims) => self.settle(claims, decisions).await,
                None => Vec::new(),
            }
        };
        let written = windows::write(pipeline, windows, decisions, clock, margin);
        let joined = outcomes::join(pipeline, decisions, clock, margin);
        let (mut lost, (unwritten, joined)) = join(settled, join(written, joined)).await;
        let (unjoined, unnoted) = joined.take(decisions);
        lost.extend(unwritten.refused.into_iter().chain(unnoted));
        self.report.unkept = (lost.len(), lost.into_iter().next());
        for (place, error) in unwritten.again.into_iter().chain(unjoined) {
            // Of what cannot be kept the event has acted all the same; it comes again, and acts again where it is not `once`.
            self.disposition(Some(&error));
            decisions[place].disposition = Disposition::Retry;
            decisions[place].error = Some(error);
        }
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

    /// What was done is written down even when the sends used up the time: handlers leave a margin for all of it.
    pub(super) fn margin(&self) -> Deadline {
        self.deadline.grace()
    }

    /// Writes the decision log: an entry per event that ended. What cannot be written there goes to the dead letters.
    async fn log(&mut self, decisions: &mut Vec<Decision>) {
        let Some((sink, _)) = &self.pipeline.log else { return };
        let (pipeline, times, size) = (self.pipeline.clone(), self.report.times, self.inputs.len());
        let decided_at = self.clock.now();
        let entries = if decisions.len() <= CHUNK {
            // A fraction of a millisecond: waking another thread would cost more.
            log::Batch::new(&pipeline, decided_at, size, times).entries(decisions)
        } else {
            let taken = std::mem::take(decisions);
            let (back, entries) = cpu::run(move || {
                let batch = log::Batch::new(&pipeline, decided_at, size, times);
                let entries = cpu::map(&taken, CHUNK, |_, decisions| batch.entries(decisions));
                (taken, strokes::joined(entries))
            })
            .await;
            *decisions = back;
            entries
        };
        if entries.is_empty() {
            return;
        }
        let answers = send(&**sink, &entries, self.margin()).await;
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
        self.report.log_written = entries.len() - diverted.len();
        if diverted.is_empty() {
            return;
        }
        let answers = send(&*self.pipeline.dead_letters, &diverted, self.margin()).await;
        self.report.log_lost = answers.iter().filter(|answer| answer.is_err()).count();
        self.report.log_diverted = answers.len() - self.report.log_lost;
    }
}
