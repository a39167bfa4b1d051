//! What goes wrong.

/// What the handler talks to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Port {
    /// Where actions go.
    Out,
    Log,
    Dead,
    Lookup,
    /// The table that keeps what was done; its troubles are of a key.
    Store,
}

/// How one request ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// 503
    Busy,
    /// 429, with `Retry-After`
    Throttled,
    /// 500: nobody says whether it had its effect. It had none.
    Error,
    /// 500, though it had its effect.
    ErrorAfter,
    /// The connection ends, before the effect.
    CutBefore,
    /// Behind it.
    CutAfter,
    /// No answer ever comes, and it had no effect.
    SilentBefore,
    /// Though it had.
    SilentAfter,
    /// 403
    Forbidden,
    /// 400, for good.
    Refused,
    /// The process ends, before the effect.
    KillBefore,
    /// Behind it, before the answer.
    KillAfter,
    /// The process stands still before the effect, until its time is up and it is ended.
    Stall,
    /// All is well, but the mapping gives the invocation up, which goes on.
    Abandon,
}

impl Fault {
    /// What a service over HTTP does.
    pub const ANSWERS: [Fault; 12] = [
        Fault::Busy,
        Fault::Throttled,
        Fault::Error,
        Fault::ErrorAfter,
        Fault::CutBefore,
        Fault::CutAfter,
        Fault::SilentBefore,
        Fault::SilentAfter,
        Fault::Forbidden,
        Fault::Refused,
        Fault::Abandon,
        // Once more: the commonest.
        Fault::Busy,
    ];
    /// What a table does.
    pub const OF_TABLES: [Fault; 5] = [Fault::Busy, Fault::Error, Fault::ErrorAfter, Fault::CutBefore, Fault::CutAfter];
    /// What becomes of the process.
    pub const ENDS: [Fault; 3] = [Fault::KillBefore, Fault::KillAfter, Fault::Stall];

    /// Whether the request has its effect.
    pub fn has_effect(self) -> bool {
        matches!(self, Fault::ErrorAfter | Fault::CutAfter | Fault::SilentAfter | Fault::KillAfter | Fault::Abandon)
    }
}

/// The next so many requests at a port about an event (or a key, by its number) end so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Trouble {
    pub port: Port,
    pub of: usize,
    pub fault: Fault,
    pub times: u32,
}

impl Trouble {
    pub const ALWAYS: u32 = u32::MAX;
}

/// What befalls an invocation between mapping and function.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mishap {
    /// The function answers, and nobody hears it.
    AnswerLost,
    /// Lambda throttles it.
    NotInvoked,
    /// When it has ended, the shard gets new pollers.
    NewPollers,
}
