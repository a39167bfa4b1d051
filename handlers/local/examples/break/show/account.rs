//! What was sent, and what became of it: by distinct event id, over what all runs wrote.

use serde::Serialize;

/// Accounts for all that was sent.
#[derive(Debug, Serialize)]
pub struct Account {
    pub runs: Vec<Run>,
    pub sent: usize,
    pub acted: usize,
    pub passed: usize,
    pub dead_lettered: usize,
    /// Events without an end: in no log, or said to be acted on or dead-lettered, and were not.
    pub lost: usize,
    /// The ids of the first lost ones.
    pub first_lost: Vec<String>,
    /// Different idempotency keys among the actions.
    pub keys: usize,
    /// Events for which more than one action was written.
    pub acted_more_than_once: usize,
    /// Events that passed in one run and were acted on in another: windows had gone on.
    pub decided_anew: usize,
    /// All actions that were written.
    pub actions: usize,
    /// Half lines of killed runs.
    pub torn: usize,
    pub poison: Vec<PoisonCount>,
    pub wrong: Wrong,
}

/// Counts what must not be.
#[derive(Debug, Default, PartialEq, Serialize)]
pub struct Wrong {
    /// Log entries whose action or dead letter had not been written when the run was killed.
    pub said_but_not_done: usize,
    /// Places in a run's log where it is not the next event's turn, or, in a run that was not killed, not the end yet.
    pub out_of_turn: usize,
    /// Log entries, actions and dead letters of no event that was sent.
    pub never_sent: usize,
    /// Dead letters with other bytes than were sent.
    pub other_bytes: usize,
    /// Real events that were dead-lettered, poison that was not, or for another reason.
    pub misjudged: usize,
    /// Events that one run dead-lettered and another did not.
    pub decided_differently: usize,
    /// Repeated actions with another idempotency key.
    pub other_key: usize,
    /// By how much the different keys are more, or fewer, than the events acted on.
    pub keys_beside_acts: usize,
    /// Half lines that were not set aside.
    pub torn_and_gone: usize,
}

/// Holds what one run did.
#[derive(Debug, Serialize)]
pub struct Run {
    pub ended: String,
    pub entries: usize,
    pub actions: usize,
    pub dead_letters: usize,
    pub torn: usize,
}

/// Counts one kind of poison.
#[derive(Debug, Serialize)]
pub struct PoisonCount {
    pub kind: &'static str,
    pub code: &'static str,
    pub sent: usize,
    pub dead_lettered: usize,
}

impl Account {
    /// Tells whether nothing is lost, and everything as it should be.
    pub fn is_well(&self) -> bool {
        self.lost == 0 && self.wrong == Wrong::default()
    }
}
