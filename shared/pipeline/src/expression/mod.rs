//! Expressions: VRL, compiled when the pipeline is built, with the types of everything they may read carried forward.

mod bounds;
mod diagnose;
mod functions;
mod paths;
mod scope;

use std::{
    borrow::Cow,
    panic::{AssertUnwindSafe, catch_unwind},
};

use vrl::{
    compiler::{Context, ExpressionError, Program, TimeZone, state::RuntimeState},
    path::{OwnedSegment, OwnedTargetPath},
    value::{Kind, Value},
};

pub(crate) use diagnose::{Wrong, mistake_in, names_read, names_set};
pub(crate) use paths::read as paths_read;
pub(crate) use scope::Scope;

use crate::{code::Function, record::Record};

/// A compiled expression that reads and changes nothing.
#[derive(Clone)]
pub(crate) struct Expression {
    how: How,
    /// What it gives.
    pub kind: Kind,
    /// The top-level fields it reads; an empty name where it reads the whole record.
    pub reads: Vec<String>,
}

#[derive(Clone)]
enum How {
    /// Only a path, as all that follow but the last: read without running VRL. This one begins with a field that has a
    /// place.
    Field(usize, Vec<OwnedSegment>),
    Path(OwnedTargetPath),
    /// A path compared with text, as most conditions are: done without running VRL too.
    Equals(Box<How>, String),
    Program(Box<Program>),
    Function(Function),
}

/// A compiled program that changes the record.
#[derive(Clone)]
pub(crate) struct Change(Box<Program>);

/// What running expressions needs, kept over many runs.
pub(crate) struct Evaluator {
    state: RuntimeState,
    timezone: TimeZone,
}

impl Default for Evaluator {
    fn default() -> Self {
        let timezone = TimeZone::parse("UTC").expect("UTC is a time zone");
        Evaluator { state: RuntimeState::default(), timezone }
    }
}

impl Evaluator {
    /// Runs a program. A panic in one of VRL's functions is that event's error, not the end of the process.
    fn run(&mut self, record: &mut Record, program: &Program) -> Result<Value, String> {
        // Not by VRL's `Runtime`, which first asks for the record as a whole.
        let ended = catch_unwind(AssertUnwindSafe(|| {
            program.resolve(&mut Context::new(record, &mut self.state, &self.timezone))
        }));
        match ended {
            Ok(result) => {
                self.state.clear();
                match result {
                    Ok(value) | Err(ExpressionError::Return { value, .. }) => Ok(value),
                    Err(error) => Err(error.to_string()),
                }
            }
            Err(_) => {
                self.state = RuntimeState::default();
                Err("a function panicked on a value it cannot handle".to_owned())
            }
        }
    }
}

impl How {
    /// Finds what a path names.
    fn find<'a>(&self, record: &'a Record) -> Option<&'a Value> {
        match self {
            How::Field(place, rest) => record.behind(*place, rest),
            How::Path(path) => record.at(path),
            How::Equals(..) | How::Program(_) | How::Function(_) => None,
        }
    }
}

impl Expression {
    /// Evaluates for one record.
    ///
    /// # Errors
    /// The runtime error in words.
    pub fn eval<'a>(&self, record: &'a mut Record, evaluator: &mut Evaluator) -> Result<Cow<'a, Value>, String> {
        match &self.how {
            How::Program(program) => evaluator.run(record, program).map(Cow::Owned),
            How::Equals(path, text) => {
                let equal = path.find(record).and_then(Value::to_str).is_some_and(|found| found == text.as_str());
                Ok(Cow::Owned(Value::Boolean(equal)))
            }
            How::Function(function) => catch_unwind(AssertUnwindSafe(|| (function.call)(record)))
                .unwrap_or_else(|_| Err("the closure panicked".to_owned()))
                .map(Cow::Owned),
            path => Ok(path.find(record).map_or(Cow::Owned(Value::Null), Cow::Borrowed)),
        }
    }

    /// Tells whether it only reads what a path names.
    pub fn is_path(&self) -> bool {
        matches!(self.how, How::Field(..) | How::Path(_))
    }

    /// Reads what it names, if it is only a path; null where there is nothing.
    pub fn read<'a>(&self, record: &'a Record) -> Option<&'a Value> {
        self.is_path().then(|| self.how.find(record).unwrap_or(&Value::Null))
    }

    /// Evaluates to true or false; the type was checked when it was compiled.
    ///
    /// # Errors
    /// The runtime error in words.
    pub fn holds(&self, record: &mut Record, evaluator: &mut Evaluator) -> Result<bool, String> {
        let value = self.eval(record, evaluator)?;
        value.as_boolean().ok_or_else(|| format!("{} is neither true nor false", crate::types::describe(&value)))
    }

    /// Evaluates to text: a string, or an integer in digits; null is none.
    ///
    /// # Errors
    /// The runtime error in words.
    pub fn text(
        &self,
        record: &mut Record,
        evaluator: &mut Evaluator,
    ) -> Result<Option<bytestring::ByteString>, String> {
        let value = self.eval(record, evaluator)?;
        match value {
            Cow::Borrowed(Value::String(text)) => Ok(Some(text.clone())),
            Cow::Owned(Value::String(text)) => Ok(Some(text)),
            value => Ok(written(&value)?.map(|text| text.into_owned().into())),
        }
    }

    /// Evaluates to text as [`Expression::text`] does, without making a copy of what the record has.
    ///
    /// # Errors
    /// The runtime error in words.
    pub fn str<'a>(&self, record: &'a mut Record, evaluator: &mut Evaluator) -> Result<Option<Cow<'a, str>>, String> {
        match self.eval(record, evaluator)? {
            Cow::Borrowed(value) => written(value),
            Cow::Owned(value) => Ok(written(&value)?.map(|text| Cow::Owned(text.into_owned()))),
        }
    }
}

/// Returns what a value is as text; null is none.
fn written(value: &Value) -> Result<Option<Cow<'_, str>>, String> {
    match value {
        Value::Null => Ok(None),
        Value::Integer(number) => Ok(Some(Cow::Owned(number.to_string()))),
        value => match value.to_str() {
            Some(text) => Ok(Some(Cow::Borrowed(text))),
            None => Err(format!("{} is neither text nor an integer", crate::types::describe(value))),
        },
    }
}

impl Change {
    /// Changes one record.
    ///
    /// # Errors
    /// The runtime error in words.
    pub fn run(&self, record: &mut Record, evaluator: &mut Evaluator) -> Result<(), String> {
        evaluator.run(record, &self.0).map(drop)
    }
}
