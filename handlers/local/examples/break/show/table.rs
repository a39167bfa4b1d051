//! The account as a page to read.

use std::fmt;

use super::Account;

impl fmt::Display for Account {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let width = self.runs.iter().map(|run| run.ended.len()).max().unwrap_or_default();
        writeln!(f, "run  {:<width$}  log entries  actions  dead letters  torn lines", "ended")?;
        for (number, run) in (1..).zip(&self.runs) {
            let counts = [run.entries, run.actions, run.dead_letters, run.torn].map(grouped);
            let [entries, actions, letters, torn] = counts;
            writeln!(f, "{number:<3}  {:<width$}  {entries:>11}  {actions:>7}  {letters:>12}  {torn:>10}", run.ended)?;
        }

        let wrong = &self.wrong;
        let sent = [
            ("sent: distinct events", self.sent),
            ("  acted on", self.acted),
            ("  passed: nothing to do", self.passed),
            ("  dead-lettered, byte for byte as sent", self.dead_lettered),
            ("lost", self.lost),
        ];
        let repeated = [
            ("different idempotency keys of the actions", self.keys),
            ("acted on more than once: killed between the action and its mark", self.acted_more_than_once),
            ("  actions in all, a repetition with the first one's key", self.actions),
            ("passed in one run and acted on in another, as windows had gone on", self.decided_anew),
        ];
        let checks = [
            ("must be 0: logged, but not done when the run was killed", wrong.said_but_not_done),
            ("  left out of a run's log, or out of turn", wrong.out_of_turn),
            ("  never sent, but logged, acted on or dead-lettered", wrong.never_sent),
            ("  dead-lettered with other bytes than were sent", wrong.other_bytes),
            ("  real but dead-lettered, poison but not, or for another reason", wrong.misjudged),
            ("  dead-lettered by one run and not by another", wrong.decided_differently),
            ("  repeated with another idempotency key", wrong.other_key),
            ("  more keys than events acted on, or fewer", wrong.keys_beside_acts),
            ("  torn lines that were not set aside", wrong.torn_and_gone),
        ];
        for part in [&sent[..], &repeated, &checks] {
            writeln!(f)?;
            for (what, count) in part {
                writeln!(f, "{what:<66}  {:>7}", grouped(*count))?;
            }
        }
        if !self.first_lost.is_empty() {
            writeln!(f, "\nthe first that are lost: {}", self.first_lost.join(", "))?;
        }
        Ok(())
    }
}

/// Puts commas between thousands.
pub fn grouped(number: usize) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}
