//! The types expressions are compiled with, growing from stroke to stroke.

use vrl::{
    compiler::{CompileConfig, Program, compile_with_external, state::ExternalEnv},
    path::{OwnedSegment, OwnedTargetPath, OwnedValuePath, PathPrefix},
    value::{
        Kind,
        kind::{Collection, Field},
    },
};

use super::{
    Change, Expression, How, Wrong, bounds,
    diagnose::{mistake_in, mistakes, unknown_paths},
    functions, paths,
};
use crate::{config::Expr, record::Layout, types::Fields};

/// The types of what an expression may read. Grows from stroke to stroke.
#[derive(Clone)]
pub(crate) struct Scope {
    record: Kind,
    layout: Layout,
}

impl Scope {
    /// Starts from the declared fields; without any, from an object of anything.
    pub fn new(fields: Option<&Fields>) -> Scope {
        let record = fields.map_or_else(|| Kind::object(Collection::json()), Fields::kind);
        let mut layout = Layout::default();
        for name in fields.into_iter().flat_map(Fields::names) {
            layout.add(name);
        }
        Scope { record, layout }
    }

    /// Returns the places of all fields.
    pub fn into_layout(self) -> Layout {
        self.layout
    }

    /// Tells whether the record already has a field.
    pub fn has(&self, name: &str) -> bool {
        self.record.as_object().is_some_and(|object| object.known().contains_key(&Field::from(name)))
    }

    /// Adds a field to the record and returns its place.
    pub fn add(&mut self, name: &str, kind: Kind) -> usize {
        self.record.insert(&OwnedValuePath::single_field(name), kind);
        self.layout.add(name)
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
    pub fn compile(&self, expr: &Expr) -> Result<Expression, Vec<Wrong>> {
        if let Some(function) = &expr.function {
            let kind = function.kind.clone();
            return Ok(Expression { how: How::Function(function.clone()), kind, reads: Vec::new() });
        }
        let program = self.program(expr, CompileConfig::set_read_only)?;
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
        let how = self.without_vrl(expr.text.trim()).unwrap_or_else(|| How::Program(Box::new(program)));
        Ok(Expression { how, kind, reads })
    }

    /// Compiles a program that changes the record, and takes over the types it leaves behind.
    ///
    /// # Errors
    /// Every mistake in it, with its place in the file.
    pub fn compile_change(&mut self, expr: &Expr) -> Result<Change, Vec<Wrong>> {
        let program = self.program(expr, |config| config.set_read_only_path(OwnedTargetPath::metadata_root(), true))?;
        let record = program.final_type_info().state.external.target_kind().clone();
        if !record.is_object() {
            return Err(vec![Wrong::of(mistake_in(expr, "the record must stay an object".to_owned()))]);
        }
        let unknown = unknown_paths(expr, &self.record, &Scope::facts(), Some(&record));
        if !unknown.is_empty() {
            return Err(unknown);
        }
        record.as_object().into_iter().flat_map(|object| object.known().keys()).for_each(|name| {
            self.layout.add(name.as_str());
        });
        self.record = record;
        Ok(Change(Box::new(program)))
    }

    /// Recognises what needs no VRL: a path, or a path compared with plain text.
    fn without_vrl(&self, text: &str) -> Option<How> {
        let found = paths::find(text).into_iter().next().filter(|found| found.span.start == 0)?;
        let rest = text[found.span.end..].trim_start();
        if rest.is_empty() {
            return Some(self.path(found.path));
        }
        let literal = rest.strip_prefix("==")?.trim_start().strip_prefix('"')?.strip_suffix('"')?;
        let plain = !literal.contains(['"', '\\', '{', '\n']);
        plain.then(|| How::Equals(Box::new(self.path(found.path)), literal.to_owned()))
    }

    fn path(&self, path: OwnedTargetPath) -> How {
        match (path.prefix, path.path.segments.as_slice()) {
            (PathPrefix::Event, [OwnedSegment::Field(name), rest @ ..]) => match self.layout.place(name) {
                Some(place) => How::Field(place, rest.to_vec()),
                None => How::Path(path),
            },
            _ => How::Path(path),
        }
    }

    fn program(&self, expr: &Expr, protect: fn(&mut CompileConfig)) -> Result<Program, Vec<Wrong>> {
        bounds::check(&expr.text).map_err(|reason| vec![Wrong::of(mistake_in(expr, reason))])?;
        // An unknown path explains what the compiler then says about types: show that alone.
        let unknown = unknown_paths(expr, &self.record, &Scope::facts(), None);
        let env = ExternalEnv::new_with_kind(self.record.clone(), Scope::facts());
        let compile = || {
            let mut config = CompileConfig::default();
            protect(&mut config);
            compile_with_external(&expr.text, &functions::allowed(), &env, config).map(|compiled| compiled.program)
        };
        match on_a_large_stack(compile) {
            _ if !unknown.is_empty() => Err(unknown),
            Some(Ok(program)) => Ok(program),
            Some(Err(diagnostics)) => Err(mistakes(expr, &self.record, diagnostics)),
            None => Err(vec![Wrong::of(mistake_in(expr, "the compiler gave up on this expression".to_owned()))]),
        }
    }
}

/// Runs the compiler on a thread whose stack holds the deepest text that `bounds` lets through, whoever calls. A panic in
/// it gives nothing.
fn on_a_large_stack<T: Send>(work: impl FnOnce() -> T + Send) -> Option<T> {
    const STACK: usize = 32 << 20;
    std::thread::scope(|scope| {
        std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, work).ok()?.join().ok()
    })
}
