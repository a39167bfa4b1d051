//! The summary as a page to read.

use std::fmt;

use fourstroke::report::Disposition;

use crate::{
    figures::{micros, percent, printable, share, thousands},
    scores::ScoreSummary,
    summary::{Summary, TypeCount},
    table::Table,
};

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let rate = thousands(self.events_per_second as u64);
        let (events, seconds) = (thousands(self.events), self.seconds);
        writeln!(f, "{}: {events} events in {seconds:.1} s, {rate}/s; {}", self.pipeline, printable(&self.ended))?;
        writeln!(f, "\n{}", self.ends())?;
        write!(f, "{}", self.acted())?;
        if !self.lookups.is_empty() {
            writeln!(f, "{}", self.found())?;
        }
        writeln!(f, "{}", self.waited())?;
        self.errors(f)?;
        if let Some(scores) = &self.scores {
            writeln!(f, "{scores}")?;
        }
        self.places(f)
    }
}

impl Summary {
    /// Tells how events ended, without the ways none did.
    fn ends(&self) -> Table {
        let shown: Vec<&str> =
            Disposition::ALL.iter().map(|way| way.as_str()).filter(|way| self.dispositions[way] > 0).collect();
        let head = ["events by type"].into_iter().chain(shown.iter().copied()).chain(["all"]);
        let mut table = Table::new(head);
        let all = TypeCount { r#type: "all".to_owned(), events: self.events, dispositions: self.dispositions.clone() };
        let sum = (self.types.len() > 1).then_some(&all);
        for row in self.types.iter().chain(sum) {
            let counts = shown.iter().map(|way| match row.dispositions[way] {
                0 => "·".to_owned(),
                count => thousands(count),
            });
            table.row([printable(&row.r#type).into_owned()].into_iter().chain(counts).chain([thousands(row.events)]));
        }
        table
    }

    fn acted(&self) -> String {
        if self.actions.is_empty() {
            return String::new();
        }
        let held = self.actions.iter().any(|action| action.held_back > 0);
        let mut table = Table::new(["actions", "taken"].into_iter().chain(held.then_some("held back")));
        for action in &self.actions {
            let name = format!("{} → {} ({})", action.name, action.sink, action.to);
            let held = held.then(|| thousands(action.held_back));
            table.row([name, thousands(action.taken)].into_iter().chain(held));
        }
        format!("{table}\n")
    }

    fn found(&self) -> Table {
        let mut table = Table::new(["lookups", "found", "missing", "found of all"]);
        for lookup in &self.lookups {
            let all = lookup.found + lookup.missing;
            let (found, missing) = (thousands(lookup.found), thousands(lookup.missing));
            table.row([lookup.name.clone(), found, missing, share(lookup.found, all)]);
        }
        table
    }

    fn waited(&self) -> String {
        let mut table = Table::new(["time in each stroke", "p50", "p99", "max"]);
        for (name, times) in self.latency_us.named() {
            table.row([name.to_owned(), micros(times.p50), micros(times.p99), micros(times.max)]);
        }
        let mut text = format!(
            "{table}An event's time is that of its batch; whole includes the decision log, and is what slo decide is held against.\n"
        );
        for slo in &self.slo {
            let missed = match slo.missed {
                0 => "kept by every event".to_owned(),
                missed => format!("missed by {} events ({})", thousands(missed), share(missed, self.events)),
            };
            text.push_str(&format!(
                "slo {} within {}: {missed}\n",
                slo.name,
                micros(slo.limit_ms.saturating_mul(1_000))
            ));
        }
        text
    }

    fn errors(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for error in &self.errors {
            writeln!(f, "{}: {} events; the first: {}", error.code, thousands(error.events), printable(&error.first))?;
        }
        if self.errors.is_empty() { Ok(()) } else { writeln!(f) }
    }

    /// Says where to look further.
    fn places(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(bytes) = self.peak_memory_bytes {
            writeln!(f, "memory        {} MiB at its peak", thousands(bytes >> 20))?;
        }
        if let Some(log) = &self.log {
            write!(f, "decision log  {}: {} entries added", log.to, thousands(log.written))?;
            if log.diverted > 0 {
                write!(f, ", {} went to the dead letters", thousands(log.diverted))?;
            }
            if log.lost > 0 {
                write!(f, ", {} LOST", thousands(log.lost))?;
            }
            writeln!(f)?;
        }
        writeln!(f, "dead letters  {}: {} added", self.dead_letters.to, thousands(self.dead_letters.written))?;
        if let Some(reloads) = self.reloads.as_ref().filter(|reloads| reloads.replaced + reloads.refused > 0) {
            write!(f, "models        replaced {}", times(reloads.replaced))?;
            match &reloads.last {
                Some(last) => writeln!(f, "; refused {}, at last: {}", times(reloads.refused), printable(last))?,
                None => writeln!(f)?,
            }
        }
        if let Some(outcomes) = &self.outcomes {
            let [found, late, unknown] = [outcomes.found, outcomes.late, outcomes.unknown].map(thousands);
            writeln!(f, "outcomes      {found} found their decision, {late} too late; {unknown} of no known decision")?;
        }
        if let Some(unkept) = self.unkept.as_ref().filter(|unkept| unkept.count > 0) {
            let first = unkept.first.as_deref().map(printable).unwrap_or_default();
            let count = thousands(unkept.count);
            writeln!(f, "state         {count} not kept; the first: {first}")?;
        }
        let Some(breaker) = self.breaker.as_ref().filter(|breaker| breaker.tripped > 0) else { return Ok(()) };
        writeln!(f, "breaker       tripped {}; events held: {}", times(breaker.tripped), thousands(breaker.held))
    }
}

fn times(number: u64) -> String {
    match number {
        0 => "never".to_owned(),
        1 => "once".to_owned(),
        _ => format!("{} times", thousands(number)),
    }
}

impl fmt::Display for ScoreSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (joined, open) = (self.outcomes_joined, self.decisions_without_outcome);
        let happened = share(self.outcomes_that_happened, joined);
        writeln!(f, "Held against what really happened: {} decisions, it happened in {happened}", thousands(joined))?;
        let mut table = Table::new(["", "AUC", "gain", "top 5 % right", "gain"]);
        let baselines = self
            .baselines
            .iter()
            .map(|baseline| ("one rule *", Some(baseline.auc), Some(baseline.precision_top_5_percent)));
        let models = self.models.iter().map(|model| (model.name.as_str(), model.auc, model.precision_top_5_percent));
        let mut before = (None, None);
        for (name, auc, top) in baselines.chain(models) {
            let number = |value: Option<f64>| value.map_or("–".to_owned(), |value| format!("{value:.4}"));
            let gain = |now: Option<f64>, before: Option<f64>| now.zip(before).map(|(now, before)| now - before);
            let auc_gain = gain(auc, before.0).map_or(String::new(), |gain| format!("{gain:+.4}"));
            let top_gain = gain(top, before.1).map_or(String::new(), |gain| format!("{:+.1}", gain * 100.0));
            table.row([name.to_owned(), number(auc), auc_gain, top.map_or("–".to_owned(), percent), top_gain]);
            before = (auc, top);
        }
        write!(f, "{table}")?;
        for baseline in &self.baselines {
            writeln!(f, "* {} Not measured by this run: {}.", baseline.rule, baseline.measured)?;
        }
        if open > 0 {
            writeln!(f, "No outcome was told of {} decisions.", thousands(open))?;
        }
        if self.outcomes_late_or_unknown > 0 {
            writeln!(
                f,
                "{} outcomes came too late or are of no decision of this run.",
                thousands(self.outcomes_late_or_unknown)
            )?;
        }
        Ok(())
    }
}
