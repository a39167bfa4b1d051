//! The transitions of one entry, without any input or output: the pipeline and the model check (`model.rs`) share them.
//!
//! An entry is put before anything is sent, with a lease: while it lasts nobody else acts. What cannot be prevented is that a
//! worker's lease ends while what it sends is on its way: then another one sends the same under the same key. So a sink that
//! honours the key takes an action once, and one that does not, at least once.

/// What a worker finds under the key of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Found {
    Nothing,
    /// Everything of the decision is done.
    Done,
    /// Put by this very attempt: the answer got lost.
    Mine,
    /// Another attempt holds it.
    Leased,
    /// An attempt has ended, or its lease has, before everything was done.
    Open,
}

/// What is to be done about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Claim {
    /// Put the decision, if still nothing is there.
    Begin,
    /// Take the entry over, if it still has that version, and act on what it holds.
    TakeOver,
    /// Act: it is held already.
    Act,
    /// Ask for the event again later.
    Wait,
    /// Nothing is left to be done.
    Skip,
}

/// Says what follows from what was found.
pub(crate) fn claim(found: Found) -> Claim {
    match found {
        Found::Nothing => Claim::Begin,
        Found::Done => Claim::Skip,
        Found::Mine => Claim::Act,
        Found::Leased => Claim::Wait,
        Found::Open => Claim::TakeOver,
    }
}

/// How an attempt at one action ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(crate) enum Sending {
    /// The sink has it, by this attempt or an earlier one.
    Taken,
    /// The sink certainly does not have it of this attempt.
    Not,
    /// It may have it.
    Unknown,
}

/// What becomes of the entry at the end of an attempt, if it is still the one this attempt put.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum End {
    /// Marked: nothing is left to be done.
    Done,
    /// Kept with what is done, without a lease: the next delivery goes on with this decision.
    GiveBack,
    /// Removed: nothing can have happened, so the next delivery may decide anew.
    Remove,
}

/// Says what follows from how the actions ended. Earlier attempts may have sent anything.
pub(crate) fn end(sendings: impl IntoIterator<Item = Sending>, first_attempt: bool) -> End {
    let (mut all_taken, mut none_sent) = (true, true);
    for sending in sendings {
        all_taken &= sending == Sending::Taken;
        none_sent &= sending == Sending::Not;
    }
    match (all_taken, none_sent && first_attempt) {
        (true, _) => End::Done,
        (false, true) => End::Remove,
        (false, false) => End::GiveBack,
    }
}
