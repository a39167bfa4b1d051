//! What there was.

use std::{collections::BTreeMap, fmt, ops::AddAssign};

/// How often something happened, by its name.
#[derive(Clone, Debug, Default)]
pub struct Counts(BTreeMap<String, usize>);

impl Counts {
    /// Checks that were in force: nothing excused what they look at.
    pub const HELD_INVOCATIONS: &str = "invocations that had no reason to ask for anything again";
    pub const HELD_ONCE: &str = "actions done once, known to be, delivered again and not repeated";
    pub const HELD_ENDS: &str = "events asked for again that had to have no log entry";
    pub const HELD_ENTRIES: &str = "events done that had to have their log entry by then";

    pub fn add(&mut self, what: &str, more: usize) {
        *self.0.entry(what.to_owned()).or_default() += more;
    }

    pub fn of(&self, what: &str) -> usize {
        self.0.get(what).copied().unwrap_or_default()
    }
}

impl AddAssign for Counts {
    fn add_assign(&mut self, other: Counts) {
        other.0.into_iter().for_each(|(what, more)| self.add(&what, more));
    }
}

impl fmt::Display for Counts {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|(what, count)| writeln!(f, "{count:>9} {what}"))
    }
}
