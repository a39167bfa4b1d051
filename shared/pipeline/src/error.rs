//! How something failed: kind, stage, stable code, reason. What becomes of the event is decided elsewhere.

use std::fmt;

/// Tells what can be done about a failure. Classified once, where the service's error is still typed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Kind {
    /// Trying again may help: throttled, timed out, connection lost, or anything unknown.
    Retryable,
    /// This event will never succeed: bad JSON, a missing field, a wrong shape, a runtime error in an expression.
    Poison,
    /// Nothing will succeed until somebody acts: no model, bad configuration, access denied.
    Fatal,
}

impl Kind {
    /// Returns the word used in dead letters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Kind::Retryable => "retryable",
            Kind::Poison => "poison",
            Kind::Fatal => "fatal",
        }
    }
}

/// Names the place in an event's path where it failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Stage {
    /// Bytes to typed fields, id, key and time.
    Decode,
    /// The first stroke.
    Transform,
    /// The second stroke.
    Enrich,
    /// The third stroke.
    Infer,
    /// The fourth stroke.
    Act,
    /// Writing the decision log.
    Log,
}

impl Stage {
    /// Returns the word used in dead letters and logs.
    pub fn as_str(self) -> &'static str {
        match self {
            Stage::Decode => "decode",
            Stage::Transform => "transform",
            Stage::Enrich => "enrich",
            Stage::Infer => "infer",
            Stage::Act => "act",
            Stage::Log => "log",
        }
    }
}

/// Declares the codes once: the constant, its text and its line in docs/ERRORS.md.
macro_rules! codes {
    ($($name:ident $text:literal $meaning:literal;)*) => {
        /// Identifies a failure, stable over versions. Each is documented in docs/ERRORS.md.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        pub struct Code(&'static str);

        impl Code {
            $(#[doc = $meaning] pub const $name: Code = Code($text);)*

            /// Every code with its meaning, in the order of the documentation.
            pub const ALL: &'static [(Code, &'static str)] = &[$((Code::$name, $meaning)),*];
        }
    };
}

codes! {
    MALFORMED        "FS-D001" "The body is not what `event.format` says.";
    FIELD_MISSING    "FS-D002" "A declared field that may not be null is missing or null.";
    FIELD_TYPE       "FS-D003" "A declared field has another type.";
    TOO_LARGE        "FS-D004" "The body is larger, or nested deeper, than allowed.";
    UNDECODABLE      "FS-D005" "The platform's record could not be taken apart.";
    EVENT_ID         "FS-D006" "`event.id` gave no id, or `event.key` no key.";
    EVENT_TIME       "FS-D007" "The event's time is neither RFC 3339 nor epoch.";
    TRANSFORM        "FS-T001" "The transform ended with an error.";
    LOOKUP_FAILED    "FS-E001" "A lookup failed, also when tried again.";
    LOOKUP_TIMEOUT   "FS-E002" "A lookup took longer than its `timeout`, also when tried again.";
    LOOKUP_MISSING   "FS-E003" "A lookup found nothing, and `missing` is `poison`.";
    LOOKUP_SHAPE     "FS-E004" "A lookup found something that does not fit the store's `fields`.";
    LOOKUP_KEY       "FS-E005" "A lookup's key expression ended with an error.";
    WINDOW_VALUE     "FS-E006" "A window's expression ended with an error, or gave what cannot be counted.";
    WINDOW_FAILED    "FS-E007" "A window could not be read or written, also when tried again.";
    INFER_WHEN       "FS-I001" "A model's `when` ended with an error.";
    FEATURE_MISSING  "FS-I002" "A feature is null, and `missing` does not name it.";
    FEATURE_VALUE    "FS-I003" "A feature is infinite, or its expression ended with an error.";
    MODEL_REFUSED    "FS-I004" "The model refused the row.";
    OUTPUT_VALUE     "FS-I005" "The model's answer is not a finite number, or a probability outside 0 to 1.";
    MODEL_FAILED     "FS-I006" "The model cannot run.";
    RULE             "FS-A001" "A rule's expression ended with an error.";
    SEND_FAILED      "FS-A002" "A sink did not take an action, also when tried again.";
    SEND_REFUSED     "FS-A003" "A sink refuses this action for good.";
    SINK_FATAL       "FS-A004" "A sink cannot be used: access denied, or it is not there.";
    STORE_FATAL      "FS-A005" "A store cannot be used: access denied, or it is not there.";
    OUTCOME          "FS-A006" "An `outcome` expression ended with an error.";
    LIMIT_FAILED     "FS-A007" "What a limit counts could not be read or written, also when tried again.";
    ONCE_FAILED      "FS-A008" "What was done about the event could not be read or written, also when tried again.";
    LEASED           "FS-A009" "Another worker is acting on the event, or ended while it was.";
    OTHER_BODY       "FS-A010" "An event of the same id but another body was acted on once.";
    OUTCOME_FAILED   "FS-A011" "The decision an outcome is of could not be looked for, also when tried again.";
    STATE_DAMAGED    "FS-A012" "An item in a store is not what this version keeps there.";
    HELD             "FS-B001" "An earlier event of the same group is asked for again.";
    DEADLINE         "FS-B002" "The deadline came before the event could act.";
    BREAKER          "FS-B003" "Too many of the last events are poison: events are held until a batch gets through again.";
    DEAD_LETTER      "FS-L001" "The dead letter could not be written; the event is asked for again.";
    LOG              "FS-L002" "The decision log could not be written; the entry went to the dead letters.";
}

impl Code {
    /// Returns the text form, such as `FS-T001`.
    pub fn as_str(self) -> &'static str {
        self.0
    }
}

/// Describes why one event failed.
#[derive(Clone, Debug, PartialEq)]
pub struct Error {
    /// What can be done about it.
    pub kind: Kind,
    /// Where it happened.
    pub stage: Stage,
    /// The stable code.
    pub code: Code,
    /// What happened, in words, naming the field, lookup, model or sink.
    pub reason: String,
}

impl Error {
    /// Makes an error that no repetition will mend.
    pub fn poison(stage: Stage, code: Code, reason: impl Into<String>) -> Error {
        Error { kind: Kind::Poison, stage, code, reason: reason.into() }
    }

    /// Makes an error that may go away.
    pub fn retryable(stage: Stage, code: Code, reason: impl Into<String>) -> Error {
        Error { kind: Kind::Retryable, stage, code, reason: reason.into() }
    }

    /// Makes an error that somebody has to act on.
    pub fn fatal(stage: Stage, code: Code, reason: impl Into<String>) -> Error {
        Error { kind: Kind::Fatal, stage, code, reason: reason.into() }
    }
}

impl Error {
    /// Says what it is and where it happened, such as `FS-D001 in decode`, without the reason: that may quote the event.
    pub fn place(&self) -> String {
        format!("{} in {}", self.code.as_str(), self.stage.as_str())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.place(), self.reason)
    }
}

impl std::error::Error for Error {}
