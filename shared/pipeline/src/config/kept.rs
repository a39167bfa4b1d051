//! What keeps state, as it is configured: windows, acting once, limits.

use std::time::Duration;

use super::{Expr, Name};

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
