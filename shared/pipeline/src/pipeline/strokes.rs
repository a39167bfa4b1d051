//! The strokes of one batch, up to the choice of actions. On the CPU threads in one go; back on the async ones only to
//! ask a store for what no cache knows.

use std::sync::Arc;

use tokio::time::Instant;
use tracing::{Instrument, Span, info_span};

use super::{
    Inner, Stubs,
    cpu::{self, CHUNK},
    outcomes::OutcomeRule,
};
use crate::{
    clock::{Clock, Deadline},
    enrich::{Advanced, Batch, Wave},
    error::{Code, Error, Stage},
    event::Decoded,
    expression::Evaluator,
    identity::decision_id,
    report::{Decision, Joined, Outcome, Reads, StrokeTimes},
    transform::Memory,
};

/// What the strokes of one batch need.
pub(super) struct Strokes {
    pub pipeline: Arc<Inner>,
    pub inputs: Arc<[Decoded]>,
    pub deadline: Deadline,
    pub clock: Clock,
    pub stubs: Arc<Stubs>,
    /// The batch's, for the threads that take it up.
    pub span: Span,
}

/// What the strokes came to.
pub(super) struct Decided {
    pub decisions: Vec<Decision>,
    /// What windows came to, to be written back.
    pub windows: Vec<Advanced>,
    pub times: StrokeTimes,
    pub reads: Reads,
}

/// A batch between two strokes.
struct Underway {
    decisions: Vec<Decision>,
    times: StrokeTimes,
    /// What windows came to, to be written back.
    windows: Vec<Advanced>,
    reads: Reads,
    /// When enrich began, and its span, which it leaves and enters again.
    enriching: Instant,
    span: Span,
    /// The wave whose keys a store has to be asked for; none: every stroke is done.
    waiting: Option<Wave>,
}

impl Strokes {
    /// Decides what is to be done about each event.
    pub async fn run(self) -> Decided {
        let this = Arc::new(self);
        let (pace, events) = (&this.pipeline.pace, this.inputs.len());
        let strokes = this.clone();
        let mut underway = pace.run(events, move || strokes.begin()).await;
        while let Some(mut wave) = underway.waiting.take() {
            let asking = wave.ask(&this.pipeline.lookups, &this.clock, this.deadline);
            asking.instrument(underway.span.clone()).await;
            let strokes = this.clone();
            underway = pace
                .run(events, move || {
                    let span = underway.span.clone();
                    let (decisions, windows) = (&mut underway.decisions, &mut underway.windows);
                    let next = span.in_scope(|| wave.apply(strokes.batch(), decisions, windows));
                    strokes.go_on(underway, next)
                })
                .await;
        }
        let Underway { decisions, windows, times, reads, .. } = underway;
        Decided { decisions, windows, times, reads }
    }

    fn batch(&self) -> Batch<'_> {
        let Strokes { pipeline, inputs, clock, stubs, .. } = self;
        Batch { lookups: &pipeline.lookups, inputs, clock, stubs }
    }

    fn begin(&self) -> Underway {
        let started = Instant::now();
        let decisions = info_span!(parent: &self.span, "transform").in_scope(|| self.transform());
        let times = StrokeTimes { transform: started.elapsed(), ..StrokeTimes::default() };
        let (windows, reads, enriching) = (Vec::new(), Reads::default(), Instant::now());
        let span = info_span!(parent: &self.span, "enrich");
        self.go_on(Underway { decisions, times, windows, reads, enriching, span, waiting: None }, 0)
    }

    /// Goes on with a wave of lookups, and beyond them if nothing has to be asked for.
    fn go_on(&self, mut underway: Underway, wave: usize) -> Underway {
        let Underway { decisions, times, windows, reads, enriching, span, waiting } = &mut underway;
        *waiting = span.in_scope(|| Wave::from(wave, self.batch(), decisions, windows, reads));
        if waiting.is_some() {
            return underway;
        }
        times.enrich = enriching.elapsed();
        *span = Span::none();
        let inferring = Instant::now();
        in_time(self.deadline, decisions);
        info_span!(parent: &self.span, "infer").in_scope(|| self.infer(decisions));
        times.infer = inferring.elapsed();
        let acting = Instant::now();
        self.choose(decisions);
        times.act = acting.elapsed();
        underway
    }

    fn transform(&self) -> Vec<Decision> {
        let chunks = cpu::map(&self.inputs, CHUNK, |chunk, inputs| {
            let (mut memory, mut evaluator) = (Memory::default(), Evaluator::default());
            let mut decisions = Vec::with_capacity(inputs.len());
            for (place, input) in inputs.iter().enumerate() {
                let number = chunk * CHUNK + place;
                self.pipeline.transform.run(number, input, &mut memory, &mut evaluator, &mut decisions);
            }
            decisions
        });
        joined(chunks)
    }

    fn infer(&self, decisions: &mut [Decision]) {
        if self.pipeline.models.is_empty() {
            return;
        }
        // Two calls of a model cost more than one.
        let size = cpu::share(decisions.len());
        cpu::map_mut(decisions, size, |chunk| {
            let mut evaluator = Evaluator::default();
            for model in &self.pipeline.models {
                model.run(chunk, &self.stubs, &mut evaluator);
            }
        });
    }

    /// Evaluates the rules and what an outcome tells.
    fn choose(&self, decisions: &mut [Decision]) {
        let pipeline = &self.pipeline;
        cpu::map_mut(decisions, CHUNK, |chunk| {
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
    }
}

/// Puts what chunks gave behind each other.
pub(super) fn joined<T>(mut chunks: Vec<Vec<T>>) -> Vec<T> {
    if chunks.len() < 2 {
        return chunks.pop().unwrap_or_default();
    }
    let mut all = Vec::with_capacity(chunks.iter().map(Vec::len).sum());
    chunks.into_iter().for_each(|chunk| all.extend(chunk));
    all
}

/// Past the deadline nothing more is started.
pub(super) fn in_time(deadline: Deadline, decisions: &mut [Decision]) {
    if deadline.passed() {
        for decision in decisions.iter_mut().filter(|decision| decision.error.is_none()) {
            let reason = "the deadline came before the event could act";
            decision.error = Some(Error::retryable(Stage::Act, Code::DEADLINE, reason));
        }
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
    let outcome = |of: bytestring::ByteString| Outcome {
        decision_id: decision_id(pipeline, &of),
        label,
        joined: Joined::Unasked,
    };
    decision.outcome = of.map(outcome);
    Ok(())
}
