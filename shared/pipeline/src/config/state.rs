//! What keeps state: `once` and `limit` of a rule, `window` of an `enrich` entry; what they are, and how they are read.

use std::time::Duration;

use super::{
    Expr, Mistake, Name,
    cursor::{Cursor, Section},
    yaml::{Data, Node},
};

/// `window`: counts events per key, and gives what they came to lately.
#[derive(Clone, Debug)]
pub struct WindowConfig {
    /// `when`: which events are counted; none: all.
    pub when: Option<Expr>,
    /// `value`: what of them; an event where it is null is not counted.
    pub value: Option<Expr>,
    /// `over`: how far back, as it is written and as it is meant.
    pub over: Vec<(String, Duration)>,
    /// `give`: what is made of it.
    pub give: Vec<Give>,
    /// `late`: how much later than the latest one an event may come and still be told from one that was counted already.
    pub late: Duration,
}

impl WindowConfig {
    /// How late an event may come where nothing else is said.
    pub(crate) const LATE: Duration = Duration::from_secs(600);
    /// The most durations a window covers: each has buckets of its own in the stored item.
    pub(super) const MOST_OVER: usize = 4;

    /// Says what the reader of the file would have refused.
    pub(super) fn mistakes(&self) -> Vec<String> {
        let mut found = Vec::new();
        let (over, most) = (&self.over, WindowConfig::MOST_OVER);
        let twice = (1..over.len()).any(|nth| over[..nth].iter().any(|(_, known)| *known == over[nth].1));
        if !(1..=most).contains(&over.len()) || twice || over.iter().any(|(_, over)| over.is_zero()) {
            found.push(format!("a window covers 1 to {most} different durations, such as \"1h 3h\""));
        }
        if self.give.is_empty() {
            found.push("a window gives something".to_owned());
        }
        if self.value.is_none() && self.give.iter().any(|give| *give != Give::Count) {
            found.push(
                "only `count` is made without a value: say what is counted, such as `.value(\".amount\")`".to_owned(),
            );
        }
        found
    }
}

/// What a window gives, for each duration it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Give {
    /// How many events.
    Count,
    /// Their values, added up.
    Sum,
    /// The mean of their values.
    Mean,
    /// The least value.
    Min,
    /// The greatest value.
    Max,
    /// The value of the latest event.
    Last,
    /// How many different values.
    Distinct,
}

impl Give {
    /// All of them.
    pub const ALL: [Give; 7] = [Give::Count, Give::Sum, Give::Mean, Give::Min, Give::Max, Give::Last, Give::Distinct];

    /// Returns the word in the pipeline file.
    pub fn as_str(self) -> &'static str {
        match self {
            Give::Count => "count",
            Give::Sum => "sum",
            Give::Mean => "mean",
            Give::Min => "min",
            Give::Max => "max",
            Give::Last => "last",
            Give::Distinct => "distinct",
        }
    }
}

/// `once`: where is remembered which actions have been done.
#[derive(Clone, Debug)]
pub struct OnceConfig {
    /// The store; one for all rules.
    pub store: Name,
    /// `keep`: for how long; it should be longer than a source may deliver an event again.
    pub keep: Duration,
}

impl OnceConfig {
    /// How long is remembered where nothing else is said: longer than any stream keeps its events.
    pub(crate) const KEEP: Duration = Duration::from_secs(366 * 24 * 3600);
    /// The shortest time: well beyond a lease.
    pub(crate) const SHORTEST: Duration = Duration::from_secs(60);
}

/// One entry of `limit`: not more often than that, for each of what `by` tells apart.
#[derive(Clone, Debug)]
pub struct LimitConfig {
    /// `in`: the store that counts.
    pub store: Name,
    /// `by`: an expression per key part; null: there is no limit for this event.
    pub by: Vec<Expr>,
    /// `at_most`: how many actions; an integer.
    pub at_most: Expr,
    /// `per`: in how long, by wall clock.
    pub per: Duration,
}

pub(super) const WINDOW: &[&str] = &["in", "by", "when", "value", "over", "give", "late"];
pub(super) const LIMIT: &[&str] = &["in", "by", "at_most", "per"];
pub(super) const ONCE: &[&str] = &["in", "keep"];

/// `once: STORE`, or with how long it is remembered.
pub(super) fn once<'a>(cursor: &'a Cursor<'a>, node: &'a Node, at: &str) -> Option<OnceConfig> {
    if !matches!(node.data, Data::Mapping(_)) {
        return Some(OnceConfig { store: cursor.name(node, at)?, keep: OnceConfig::KEEP });
    }
    let section = cursor.section(node, at, ONCE)?;
    let store = section.require("in", "the store that remembers").and_then(|_| section.name("in"));
    let keep = match section.get("keep") {
        Some(node) => keep(cursor, node, &section.place("keep")),
        None => Some(OnceConfig::KEEP),
    };
    Some(OnceConfig { store: store?, keep: keep? })
}

/// Reads how long is remembered: longer than a lease, or two could begin.
fn keep(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Duration> {
    let keep = cursor.duration(node, at)?;
    if keep < OnceConfig::SHORTEST {
        cursor.note(Mistake::new(node.span.clone(), format!("`{at}` must be at least 1m")));
        return None;
    }
    Some(keep)
}

/// `limit`: one, or a list.
pub(super) fn limits<'a>(cursor: &'a Cursor<'a>, node: &'a Node, at: &str) -> Vec<LimitConfig> {
    match node.data {
        Data::Sequence(_) => {
            cursor.items(node, at).into_iter().filter_map(|(node, at)| limit(cursor, node, &at)).collect()
        }
        _ => limit(cursor, node, at).into_iter().collect(),
    }
}

fn limit<'a>(cursor: &'a Cursor<'a>, node: &'a Node, at: &str) -> Option<LimitConfig> {
    let section = cursor.section(node, at, LIMIT)?;
    let store = section.require("in", "the store that counts").and_then(|_| section.name("in"));
    let at_most = section.require("at_most", "how often").and_then(|_| section.expr("at_most"));
    let per = section
        .require("per", "in what time, such as 1h")
        .and_then(|node| positive(cursor, node, &section.place("per")));
    let by = by(&section);
    Some(LimitConfig { store: store?, by: by?, at_most: at_most?, per: per? })
}

/// `window`
pub(super) fn window<'a>(cursor: &'a Cursor<'a>, node: &'a Node, at: &str) -> Option<(Name, Vec<Expr>, WindowConfig)> {
    let section = cursor.section(node, at, WINDOW)?;
    let store = section.require("in", "the store that counts").and_then(|_| section.name("in"));
    let by = by(&section);
    let give = section.require("give", "what to compute, such as [count, mean]").map(|node| {
        let words = Give::ALL.map(|give| (give.as_str(), give));
        let items = cursor.items(node, &section.place("give"));
        if items.is_empty() {
            cursor.note(Mistake::new(node.span.clone(), format!("`{}` names nothing", section.place("give"))));
        }
        items.into_iter().filter_map(|(node, at)| cursor.word(node, &at, &words)).collect::<Vec<Give>>()
    });
    let over = section.require("over", "how far back, such as [1h, 3h]").map(|node| over(cursor, node, &section));
    let late = section.get("late").map_or(Some(WindowConfig::LATE), |_| section.duration("late"));
    let config = WindowConfig {
        when: section.expr("when"),
        value: section.expr("value"),
        over: over?,
        give: give?,
        late: late?,
    };
    let needs = config.give.iter().find(|give| **give != Give::Count);
    if let (Some(give), None) = (needs, section.get("value")) {
        section.require("value", &format!("`{}` is made of a value, such as `value: .amount`", give.as_str()));
    }
    Some((store?, by?, config))
}

/// Reads durations, each with its text, which names what is given: `mean_1h`.
fn over(cursor: &Cursor<'_>, node: &Node, section: &Section<'_>) -> Vec<(String, Duration)> {
    let place = section.place("over");
    let items = cursor.items(node, &place);
    if items.is_empty() || items.len() > WindowConfig::MOST_OVER {
        let most = WindowConfig::MOST_OVER;
        let message = format!("`{place}` must be 1 to {most} durations, such as [1h, 3h]");
        cursor.note(Mistake::new(node.span.clone(), message));
    }
    let read = |(node, at): (&Node, String)| Some((cursor.text(node, &at)?, positive(cursor, node, &at)?));
    let over: Vec<(String, Duration)> = items.into_iter().filter_map(read).collect();
    for (number, (text, duration)) in over.iter().enumerate() {
        if let Some((other, _)) = over[..number].iter().find(|(_, known)| known == duration) {
            let message = format!("`{place}` has `{text}`, which is as long as `{other}`");
            cursor.note(Mistake::new(node.span.clone(), message));
        }
    }
    over
}

fn positive(cursor: &Cursor<'_>, node: &Node, at: &str) -> Option<Duration> {
    let duration = cursor.duration(node, at)?;
    if duration.is_zero() {
        cursor.note(Mistake::new(node.span.clone(), format!("`{at}` must be longer than 0s, such as 1h")));
        return None;
    }
    Some(duration)
}

fn by(section: &Section<'_>) -> Option<Vec<Expr>> {
    let node = section.require("by", "one expression per key part: `by: [.field]`")?;
    let (cursor, place) = (section.cursor(), section.place("by"));
    let by: Vec<Expr> =
        cursor.items(node, &place).into_iter().filter_map(|(node, at)| cursor.expr(node, &at)).collect();
    if by.is_empty() {
        let message = format!("`{place}` must name what is counted apart, such as [.customer]");
        cursor.note(Mistake::new(node.span.clone(), message));
        return None;
    }
    Some(by)
}
