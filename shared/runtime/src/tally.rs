//! Counts a run as it goes, in memory that does not grow with it.

use std::{
    collections::{BTreeMap, HashMap},
    time::Duration,
};

use fourstroke::{
    clock::Clock,
    config::{PipelineFile, SloConfig},
    pipeline::{Pipeline, Reload},
    report::{BreakerChange, Decision, Disposition, Joined, Report},
};
use tokio::time::Instant;

use crate::{
    latency::StrokeLatency,
    memory,
    scores::Scores,
    summary::{
        ActionCount, BreakerCount, ErrorCount, LogCount, LookupCount, OutcomeCount, ReloadCount, SloCount, Summary,
        TypeCount, UnkeptCount, WrittenCount,
    },
    worker::End,
};

/// Types beyond these many share one line: rotten input may make up a new one for each event.
const MOST_TYPES: usize = 40;
const OTHER_TYPES: &str = "(others)";
/// The most characters of a type that are kept.
const LONGEST_TYPE: usize = 40;

/// How many events ended each way, in the order of [`Disposition::ALL`].
type Ends = [u64; Disposition::ALL.len()];

/// Collects what a run's reports say.
pub struct Tally {
    pipeline: Pipeline,
    clock: Clock,
    started: Instant,
    types: BTreeMap<String, Ends>,
    actions: Vec<ActionCount>,
    lookups: Vec<LookupCount>,
    /// By code: how many, and what the first says.
    errors: BTreeMap<&'static str, (u64, String)>,
    latency: StrokeLatency,
    slo: SloConfig,
    decide_missed: u64,
    age_missed: u64,
    log: Option<LogCount>,
    dead_letters: WrittenCount,
    breaker: Option<BreakerCount>,
    reloads: Option<ReloadCount>,
    unkept: Option<UnkeptCount>,
    outcomes: Option<OutcomeCount>,
    scores: Option<Scores>,
}

impl Tally {
    /// Starts counting, and the time.
    pub fn new(file: &PipelineFile, pipeline: &Pipeline, clock: Clock) -> Tally {
        let shown: HashMap<&str, String> =
            file.sinks.iter().map(|(name, resource)| (name.text.as_str(), resource.shown())).collect();
        let to = |sink: &str| shown.get(sink).cloned().unwrap_or_default();
        let actions = file.act.rules.iter().map(|rule| ActionCount {
            name: rule.name.text.clone(),
            sink: rule.to.text.clone(),
            to: to(&rule.to.text),
            taken: 0,
            held_back: 0,
        });
        let lookups =
            file.enrich.iter().map(|lookup| LookupCount { name: lookup.name.text.clone(), found: 0, missing: 0 });
        let log = file.log.as_ref().map(|log| LogCount { to: to(&log.to.text), written: 0, diverted: 0, lost: 0 });
        Tally {
            pipeline: pipeline.clone(),
            clock,
            started: Instant::now(),
            types: BTreeMap::new(),
            actions: actions.collect(),
            lookups: lookups.collect(),
            errors: BTreeMap::new(),
            latency: StrokeLatency::new(),
            slo: file.slo,
            decide_missed: 0,
            age_missed: 0,
            log,
            dead_letters: WrittenCount { to: to(&file.dead_letters.text), written: 0 },
            breaker: file.stop_above.map(|_| BreakerCount::default()),
            reloads: file.infer.iter().any(|model| model.reload.is_some()).then(ReloadCount::default),
            unkept: {
                let outcome = file.outcome.iter().any(|outcome| outcome.store.is_some());
                let once = file.act.rules.iter().any(|rule| rule.once.is_some());
                let window = file.enrich.iter().any(|lookup| lookup.window.is_some());
                (outcome || once || window).then(UnkeptCount::default)
            },
            outcomes: file.outcome.as_ref().and_then(|outcome| outcome.store.as_ref()).map(|_| OutcomeCount::default()),
            scores: Scores::new(pipeline),
        }
    }

    /// Takes in how a batch ended at last.
    pub fn add(&mut self, report: &Report) {
        for decision in &report.decisions {
            self.decision(decision);
        }
        let events = report.decisions.len() as u64;
        self.latency.add(&report.times, events);
        if self.slo.decide.is_some_and(|limit| report.times.whole > limit) {
            self.decide_missed += events;
        }
        if let Some(log) = &mut self.log {
            log.written += report.log_written as u64;
            log.diverted += report.log_diverted as u64;
            log.lost += report.log_lost as u64;
        }
        self.dead_letters.written += (report.count(Disposition::DeadLettered) + report.log_diverted) as u64;
        report.reloads.iter().for_each(|reload| self.reload(reload));
        if let Some(unkept) = &mut self.unkept {
            let (count, first) = &report.unkept;
            unkept.count += *count as u64;
            unkept.first = unkept.first.take().or_else(|| first.clone());
        }
        if let Some(breaker) = &mut self.breaker {
            breaker.held += report.held() as u64;
            for change in report.breaker.iter().filter(|change| matches!(change, BreakerChange::Tripped { .. })) {
                breaker.tripped += 1;
                breaker.first.get_or_insert_with(|| change.to_string());
            }
        }
    }

    fn reload(&mut self, reload: &Reload) {
        let Some(reloads) = &mut self.reloads else { return };
        match reload {
            Reload::Serving { .. } => reloads.replaced += 1,
            Reload::Refused { .. } => {
                reloads.refused += 1;
                reloads.last = Some(reload.to_string());
            }
        }
    }

    fn decision(&mut self, decision: &Decision) {
        self.end_of_type(decision)[place(decision.disposition)] += 1;
        // Also beside one that was refused: it has had its effect.
        for action in decision.actions.iter().filter(|action| action.taken) {
            let rule = self.actions.iter_mut().find(|rule| *rule.name == *action.name);
            rule.into_iter().for_each(|rule| rule.taken += 1);
        }
        // What was done before was held back before, and what is asked for again may be held back then.
        if !matches!(decision.disposition, Disposition::Skipped | Disposition::Retry) {
            let held = |rule: &&mut ActionCount| decision.held_back.iter().any(|name| **name == *rule.name);
            self.actions.iter_mut().filter(held).for_each(|rule| rule.held_back += 1);
        }
        self.outcome(decision);
        for seen in &decision.lookups {
            let Some(lookup) = self.lookups.iter_mut().find(|lookup| *lookup.name == *seen.name) else { continue };
            *(if seen.found { &mut lookup.found } else { &mut lookup.missing }) += 1;
        }
        if let Some(error) = &decision.error {
            let (count, _) = self.errors.entry(error.code.as_str()).or_insert_with(|| (0, error.reason.clone()));
            *count += 1;
        }
        if let (Some(limit), Some(time)) = (self.slo.event_age, decision.record.facts().time) {
            let age = self.clock.now().signed_duration_since(time).to_std().unwrap_or(Duration::ZERO);
            self.age_missed += u64::from(age > limit);
        }
        self.scores.iter_mut().for_each(|scores| scores.add(decision));
    }

    fn outcome(&mut self, decision: &Decision) {
        let (Some(counts), Some(outcome)) = (&mut self.outcomes, &decision.outcome) else { return };
        match outcome.joined {
            _ if decision.disposition == Disposition::Retry => {}
            Joined::Unasked => {}
            Joined::Found { .. } => counts.found += 1,
            Joined::Late => counts.late += 1,
            Joined::Unknown => counts.unknown += 1,
        }
    }

    fn end_of_type(&mut self, decision: &Decision) -> &mut Ends {
        let text = decision.record.get("type").and_then(|value| value.to_str()).unwrap_or("-");
        let text = text.char_indices().nth(LONGEST_TYPE).map_or(text, |(end, _)| &text[..end]);
        let known = self.types.contains_key(text) || self.types.len() < MOST_TYPES;
        self.types.entry(if known { text } else { OTHER_TYPES }.to_owned()).or_default()
    }

    /// Returns how many events have been counted that ended as dead-lettered or retry.
    pub fn failed(&self) -> u64 {
        let failed = |ends: &Ends| ends[place(Disposition::DeadLettered)] + ends[place(Disposition::Retry)];
        self.types.values().map(failed).sum()
    }

    /// Sums up.
    pub fn finish(self, end: &End) -> Summary {
        let seconds = self.started.elapsed().as_secs_f64();
        let mut all = Ends::default();
        for ends in self.types.values() {
            all.iter_mut().zip(ends).for_each(|(sum, count)| *sum += count);
        }
        let events: u64 = all.iter().sum();
        let millis = |limit: Duration| u64::try_from(limit.as_millis()).unwrap_or(u64::MAX);
        let slo = [("decide", self.slo.decide, self.decide_missed), ("event_age", self.slo.event_age, self.age_missed)];
        Summary {
            pipeline: self.pipeline.name().to_owned(),
            version: self.pipeline.version(),
            ended: end.to_string(),
            orderly: end.is_orderly(),
            events,
            seconds,
            events_per_second: if seconds > 0.0 { events as f64 / seconds } else { 0.0 },
            peak_memory_bytes: memory::peak(),
            dispositions: named(&all),
            types: self
                .types
                .into_iter()
                .map(|(r#type, ends)| TypeCount { r#type, events: ends.iter().sum(), dispositions: named(&ends) })
                .collect(),
            actions: self.actions,
            lookups: self.lookups,
            errors: self.errors.into_iter().map(|(code, (events, first))| ErrorCount { code, events, first }).collect(),
            latency_us: self.latency.summary(),
            slo: slo
                .into_iter()
                .filter_map(|(name, limit, missed)| Some(SloCount { name, limit_ms: millis(limit?), missed }))
                .collect(),
            log: self.log,
            dead_letters: self.dead_letters,
            breaker: self.breaker,
            reloads: self.reloads,
            unkept: self.unkept,
            outcomes: self.outcomes,
            scores: self.scores.as_ref().map(Scores::summary),
        }
    }
}

fn place(disposition: Disposition) -> usize {
    Disposition::ALL.iter().position(|known| *known == disposition).unwrap_or_default()
}

fn named(ends: &Ends) -> BTreeMap<&'static str, u64> {
    Disposition::ALL.iter().map(|disposition| disposition.as_str()).zip(ends.iter().copied()).collect()
}
