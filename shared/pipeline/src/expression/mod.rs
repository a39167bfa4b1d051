//! Expressions: VRL, compiled when the pipeline is built, with the types of everything they may read carried forward.

mod functions;
mod paths;

use std::{borrow::Cow, ops::Range};

use vrl::{
    compiler::{CompileConfig, Program, TimeZone, compile_with_external, runtime::Runtime, state::ExternalEnv},
    diagnostic::DiagnosticList,
    path::{OwnedTargetPath, OwnedValuePath, PathPrefix},
    value::{Kind, Value, kind::Collection},
};

use crate::{
    config::{Expr, Mistake, did_you_mean},
    record::Record,
};

/// The types of what an expression may read. Grows from stroke to stroke.
#[derive(Clone)]
pub(crate) struct Scope {
    record: Kind,
}

/// A compiled expression that reads and changes nothing.
#[derive(Clone)]
pub(crate) struct Expression {
    how: How,
    /// What it gives.
    pub kind: Kind,
    /// The top-level fields it reads.
    pub reads: Vec<String>,
}

#[derive(Clone)]
enum How {
    /// Only a path: read without running VRL.
    Path(OwnedTargetPath),
    Program(Box<Program>),
}

/// A compiled program that changes the record.
#[derive(Clone)]
pub(crate) struct Change(Box<Program>);

/// What running expressions needs, kept over many runs.
pub(crate) struct Evaluator {
    runtime: Runtime,
    timezone: TimeZone,
}

impl Default for Evaluator {
    fn default() -> Self {
        let timezone = TimeZone::parse("UTC").expect("UTC is a time zone");
        Evaluator { runtime: Runtime::default(), timezone }
    }
}

impl Evaluator {
    fn run(&mut self, record: &mut Record, program: &Program) -> Result<Value, String> {
        let result = self.runtime.resolve(record, program, &self.timezone);
        self.runtime.clear();
        result.map_err(|ended| ended.to_string())
    }
}

impl Scope {
    /// Starts from the record's type.
    pub fn new(record: Kind) -> Scope {
        Scope { record }
    }

    /// Adds a field to the record.
    pub fn add(&mut self, name: &str, kind: Kind) {
        self.record.insert(&OwnedValuePath::single_field(name), kind);
    }

    fn facts() -> Kind {
        let text = Collection::from_unknown(Kind::bytes());
        Kind::object(
            Collection::empty()
                .with_known("id", Kind::bytes())
                .with_known("key", Kind::bytes().or_null())
                .with_known("time", Kind::timestamp().or_null())
                .with_known("attributes", Kind::object(text)),
        )
    }

    /// Compiles an expression.
    ///
    /// # Errors
    /// Every mistake in it, with its place in the file.
    pub fn compile(&self, expr: &Expr) -> Result<Expression, Vec<Mistake>> {
        let mut config = CompileConfig::default();
        config.set_read_only();
        let program = self.program(expr, config, &self.unknown_paths(expr))?;
        let info = program.final_type_info();
        let reads = program
            .info()
            .target_queries
            .iter()
            .filter(|path| path.prefix == PathPrefix::Event)
            .map(|path| match path.path.segments.first() {
                Some(segment) => segment.to_string(),
                None => String::new(),
            })
            .collect();
        let kind = info.result.kind().clone().upgrade_undefined();
        let only = paths::find(&expr.text).into_iter().find(|found| expr.text[found.span.clone()] == *expr.text.trim());
        let how = match only {
            Some(found) => How::Path(found.path),
            None => How::Program(Box::new(program)),
        };
        Ok(Expression { how, kind, reads })
    }

    /// Compiles a program that changes the record, and takes over the types it leaves behind.
    ///
    /// # Errors
    /// Every mistake in it, with its place in the file.
    pub fn compile_change(&mut self, expr: &Expr) -> Result<Change, Vec<Mistake>> {
        let mut config = CompileConfig::default();
        config.set_read_only_path(OwnedTargetPath::metadata_root(), true);
        let program = self.program(expr, config, &self.unknown_paths(expr))?;
        let record = program.final_type_info().state.external.target_kind().clone();
        if !record.is_object() {
            return Err(vec![mistake(expr, 0..expr.text.len(), "the record must stay an object".to_owned())]);
        }
        self.record = record;
        Ok(Change(Box::new(program)))
    }

    fn program(&self, expr: &Expr, config: CompileConfig, unknown: &[Mistake]) -> Result<Program, Vec<Mistake>> {
        let env = ExternalEnv::new_with_kind(self.record.clone(), Scope::facts());
        let functions = functions::allowed();
        // An unknown path explains what the compiler then says about types: show that alone.
        match compile_with_external(&expr.text, &functions, &env, config) {
            _ if !unknown.is_empty() => Err(unknown.to_vec()),
            Ok(compiled) => Ok(compiled.program),
            Err(diagnostics) => Err(mistakes(expr, diagnostics)),
        }
    }

    /// Notes every path that nothing gives.
    fn unknown_paths(&self, expr: &Expr) -> Vec<Mistake> {
        let facts = Scope::facts();
        let found = paths::find(&expr.text);
        let first = |path: &OwnedTargetPath| path.path.segments.first().cloned();
        let assigned: Vec<_> = found.iter().filter(|found| found.assigned).map(|found| first(&found.path)).collect();
        let mut unknown = Vec::new();
        for found in found.iter().filter(|found| !found.assigned && !assigned.contains(&first(&found.path))) {
            let root = match found.path.prefix {
                PathPrefix::Event => &self.record,
                PathPrefix::Metadata => &facts,
            };
            if !root.at_path(&found.path.path).is_undefined() {
                continue;
            }
            let known_part = (0..found.path.path.segments.len())
                .map(|length| OwnedValuePath { segments: found.path.path.segments[..length].to_vec() })
                .rfind(|path| !root.at_path(path).is_undefined())
                .unwrap_or_else(OwnedValuePath::root);
            let names: Vec<String> = match root.at_path(&known_part).as_object() {
                Some(object) => object.known().keys().map(|field| field.to_string()).collect(),
                None => Vec::new(),
            };
            let wrong = found.path.path.segments.get(known_part.segments.len()).map(ToString::to_string);
            let help = did_you_mean(&wrong.unwrap_or_default(), names.iter().map(String::as_str)).unwrap_or_else(
                || match names.as_slice() {
                    [] => "there are no fields here".to_owned(),
                    names => format!("there are: {}", names.join(", ")),
                },
            );
            let message = format!("nothing gives `{}`", &expr.text[found.span.clone()]);
            unknown.push(mistake(expr, found.span.clone(), message).help(help));
        }
        unknown
    }
}

impl Expression {
    /// Evaluates for one record.
    ///
    /// # Errors
    /// The runtime error in words.
    pub fn eval<'a>(&self, record: &'a mut Record, evaluator: &mut Evaluator) -> Result<Cow<'a, Value>, String> {
        match &self.how {
            How::Path(path) => Ok(record.at(path).map_or(Cow::Owned(Value::Null), Cow::Borrowed)),
            How::Program(program) => evaluator.run(record, program).map(Cow::Owned),
        }
    }

    /// Evaluates to true or false; the type was checked when it was compiled.
    ///
    /// # Errors
    /// The runtime error in words.
    pub fn holds(&self, record: &mut Record, evaluator: &mut Evaluator) -> Result<bool, String> {
        Ok(self.eval(record, evaluator)?.as_boolean().unwrap_or(false))
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
        match value.as_ref() {
            Value::Null => Ok(None),
            Value::String(text) => Ok(Some(text.clone())),
            Value::Integer(number) => Ok(Some(number.to_string().into())),
            value => match value.to_str() {
                Some(text) => Ok(Some(text.into())),
                None => Err(format!("{} is neither text nor an integer", crate::types::describe(value))),
            },
        }
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

/// Returns every name in the paths a text reads.
pub(crate) fn names_read(text: &str) -> Vec<String> {
    names(paths::find(text).into_iter().filter(|found| !found.assigned))
}

/// Returns every name in the paths a text assigns.
pub(crate) fn names_set(text: &str) -> Vec<String> {
    names(paths::find(text).into_iter().filter(|found| found.assigned))
}

fn names(found: impl Iterator<Item = paths::Found>) -> Vec<String> {
    found.flat_map(|found| found.path.path.segments).map(|segment| segment.to_string()).collect()
}

/// Makes a mistake at a place in an expression's text.
pub(crate) fn mistake(expr: &Expr, span: Range<usize>, message: String) -> Mistake {
    let at = |byte: usize| expr.offsets.get(byte).or(expr.offsets.last()).copied().unwrap_or_default();
    let end = match span.end.checked_sub(1) {
        Some(last) if span.end > span.start => at(last) + 1,
        _ => at(span.end),
    };
    Mistake::new(at(span.start)..end, message)
}

/// Makes a mistake about a whole expression.
pub(crate) fn mistake_in(expr: &Expr, message: String) -> Mistake {
    let trimmed = expr.text.trim();
    let start = expr.text.find(trimmed).unwrap_or(0);
    mistake(expr, start..start + trimmed.len(), message)
}

fn mistakes(expr: &Expr, diagnostics: DiagnosticList) -> Vec<Mistake> {
    diagnostics
        .into_iter()
        .filter(|diagnostic| diagnostic.is_problem())
        .map(|diagnostic| {
            let primary = diagnostic.labels.iter().find(|label| label.primary).or(diagnostic.labels.first());
            let span = primary.map_or(0..expr.text.len(), |label| label.span.range());
            let mut message = diagnostic.message.clone();
            if let Some(label) = primary.filter(|label| !label.message.is_empty() && label.message != message) {
                message = format!("{message}: {}", label.message);
            }
            let others = diagnostic.labels.iter().filter(|label| !label.primary).map(|label| label.message.clone());
            let notes = diagnostic.notes.iter().map(ToString::to_string);
            let help: Vec<String> = others.chain(notes).filter(|text| !text.contains("http")).collect();
            let mistake = mistake(expr, span, message);
            if help.is_empty() { mistake } else { mistake.help(help.join(" ")) }
        })
        .collect()
}
