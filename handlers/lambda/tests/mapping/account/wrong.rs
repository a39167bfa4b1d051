//! What must never be.

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Wrong {
    /// An event is neither done with nor in an on-failure record.
    Lost,
    /// The mapping was told that it is done, and when it was told it was not.
    NotDone,
    /// An event acted before an earlier one of its key did.
    OutOfOrder,
    /// What was taken, and known to be, was sent again.
    Repeated,
    /// An action has no key.
    NoKey,
    /// The same action came under another key.
    OtherKey,
    /// Another event's action came under the same key.
    SharedKey,
    /// What is to be acted on was not, or the other way round.
    Misjudged,
    /// A dead letter has other bytes.
    OtherBytes,
    /// Something is asked for again, and nothing had failed.
    AskedAgain,
    /// A record is asked for again that was not there.
    OtherRecord,
    /// A record is asked for again, and the decision log has it as ended.
    Ended,
    /// The decision log had no entry when the mapping was told that the event is done, or says what is not so.
    Log,
    /// A service was asked what no handler should ask.
    Nonsense,
}
