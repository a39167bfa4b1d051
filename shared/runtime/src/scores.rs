//! Predictions held against what really happened, within one run.

use chrono::{DateTime, TimeDelta, Utc};
use fourstroke::{
    pipeline::Pipeline,
    report::{Decision, Disposition},
};
use serde::{Deserialize, Serialize};

use crate::{
    score_histogram::ScoreHistogram,
    waiting::{Waiting, WaitingRoom},
};

/// How many decisions wait for their outcome at most, about 25 MB of them; then the oldest are forgotten.
const MOST_WAITING: usize = 250_000;

/// The share whose precision is told.
const TOP: f64 = 0.05;

/// Joins outcomes to decisions by id and scores every model that gives a probability.
///
/// `outcome.within` is checked when an outcome comes, and where both events have a time: one event with a time far off
/// says nothing about the others.
pub(crate) struct Scores {
    within: TimeDelta,
    models: Vec<Scored>,
    baselines: Vec<Baseline>,
    waiting: WaitingRoom,
    joined: u64,
    happened: u64,
    unmatched: u64,
    /// Decisions whose outcome came too late.
    late: u64,
}

struct Scored {
    name: String,
    scores: ScoreHistogram,
}

impl Scores {
    /// Prepares for a pipeline's models; none where nothing can be scored.
    pub fn new(pipeline: &Pipeline) -> Option<Scores> {
        let within = pipeline.outcome_within()?;
        let scored: Vec<_> = pipeline.models().into_iter().filter(|model| model.scored).collect();
        let mut baselines: Vec<Baseline> = Vec::new();
        for text in scored.iter().filter_map(|model| model.metadata.get("fourstroke.baseline")) {
            // What an exporter wrote is a courtesy: if it is something else, there is nothing to show.
            let Ok(baseline) = serde_json::from_str(text) else { continue };
            if !baselines.contains(&baseline) {
                baselines.push(baseline);
            }
        }
        let models: Vec<Scored> =
            scored.iter().map(|model| Scored { name: model.name.to_string(), scores: ScoreHistogram::new() }).collect();
        (!models.is_empty()).then(|| Scores {
            within: TimeDelta::from_std(within).unwrap_or(TimeDelta::MAX),
            models,
            baselines,
            waiting: WaitingRoom::new(MOST_WAITING),
            joined: 0,
            happened: 0,
            unmatched: 0,
            late: 0,
        })
    }

    /// Takes in a decision that is final: its probabilities, and what it tells about an earlier one.
    pub fn add(&mut self, decision: &Decision) {
        if decision.disposition == Disposition::Retry {
            return;
        }
        let time = decision.record.facts().time;
        if let Some(outcome) = &decision.outcome {
            self.join(&outcome.decision_id, time, outcome.label);
        }
        let bins: Box<[Option<u16>]> = self.models.iter().map(|model| bin_of(decision, &model.name)).collect();
        if bins.iter().any(Option::is_some) {
            self.waiting.enter(short(&decision.id), Waiting { time, bins });
        }
    }

    fn join(&mut self, decision_id: &str, told: Option<DateTime<Utc>>, happened: bool) {
        // Taken out, so that a second outcome of the same decision does not count again.
        let Some(decision) = self.waiting.leave(short(decision_id)) else {
            self.unmatched += 1;
            return;
        };
        let after = told.zip(decision.time).map(|(told, decided)| told.signed_duration_since(decided));
        if after.is_some_and(|after| after > self.within) {
            self.unmatched += 1;
            self.late += 1;
            return;
        }
        self.joined += 1;
        self.happened += u64::from(happened);
        for (model, bin) in self.models.iter_mut().zip(decision.bins) {
            bin.into_iter().for_each(|bin| model.scores.add(bin, happened));
        }
    }

    /// Sums up.
    pub fn summary(&self) -> ScoreSummary {
        let score = |model: &Scored| ModelScore {
            name: model.name.clone(),
            scored: model.scores.count().0,
            auc: model.scores.auc(),
            precision_top_5_percent: model.scores.precision_of_top(TOP),
        };
        ScoreSummary {
            outcomes_joined: self.joined,
            outcomes_that_happened: self.happened,
            outcomes_late_or_unknown: self.unmatched,
            decisions_without_outcome: self.late + self.waiting.never_left(),
            baselines: self.baselines.clone(),
            models: self.models.iter().map(score).collect(),
        }
    }
}

fn bin_of(decision: &Decision, model: &str) -> Option<u16> {
    let prediction = decision.predictions.iter().find(|prediction| &*prediction.name == model)?;
    prediction.probability().map(ScoreHistogram::bin)
}

/// Returns the first half of a decision id, which is a SHA-256 in hex: enough to tell decisions apart.
fn short(id: &str) -> u128 {
    id.get(..32).and_then(|digits| u128::from_str_radix(digits, 16).ok()).unwrap_or_default()
}

/// Holds a figure that was measured elsewhere, to show beside the models': the `fourstroke.baseline` of a model's
/// metadata.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// The rule, in words.
    pub rule: String,
    /// Its area under the ROC curve.
    pub auc: f64,
    /// How much of its top 5 % happened.
    pub precision_top_5_percent: f64,
    /// Where and on what it was measured.
    pub measured: String,
}

/// Says how good a model was in this run.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ModelScore {
    /// Its name in the pipeline file.
    pub name: String,
    /// How many of its predictions an outcome was joined to.
    pub scored: u64,
    /// The area under the ROC curve; none without both outcomes.
    pub auc: Option<f64>,
    /// How much of the 5 % with the highest probabilities happened.
    pub precision_top_5_percent: Option<f64>,
}

/// Holds the decisions of a run against what really happened.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ScoreSummary {
    /// Outcomes that found their decision in time.
    pub outcomes_joined: u64,
    /// How many of those say that it happened.
    pub outcomes_that_happened: u64,
    /// Outcomes that did not: of a decision longer ago than `outcome.within`, not of this run, or told twice.
    pub outcomes_late_or_unknown: u64,
    /// Decisions no outcome was told of.
    pub decisions_without_outcome: u64,
    /// Not measured by this run.
    pub baselines: Vec<Baseline>,
    /// In the order of the file: each line of the page says what it gains over the one before.
    pub models: Vec<ModelScore>,
}
