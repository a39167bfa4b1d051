//! Expressions compiled for their place: what type each must have, and what each stroke adds for the next.

mod keeping;
mod lookups;
mod models;
mod stubs;

use std::{collections::HashMap, sync::Arc};

use vrl::{
    path::{OwnedTargetPath, parse_target_path},
    value::Kind,
};

pub(super) use stubs::fit_prediction;

use crate::{
    act::{Limit, Rule},
    config::{Expr, Format, Mistake, Name, PipelineFile},
    expression::{Change, Expression, Scope, Wrong, mistake_in, names_read, names_set},
    ports::Store,
};

/// The file being compiled, and the mistakes found so far.
pub(super) struct Wiring<'a> {
    pub file: &'a PipelineFile,
    pub mistakes: &'a mut Vec<Mistake>,
    /// Names whose type is not known because something about them is wrong already: what reads them is excused.
    pub broken: Vec<String>,
}

impl Wiring<'_> {
    fn compile(&mut self, scope: &Scope, expr: &Expr) -> Option<Expression> {
        match scope.compile(expr) {
            Ok(compiled) => Some(compiled),
            Err(found) => {
                self.note(expr, found);
                None
            }
        }
    }

    /// Notes mistakes in an expression, unless it reads something that is known to be wrong.
    fn note(&mut self, expr: &Expr, found: impl IntoIterator<Item = Wrong>) {
        for wrong in found {
            let about = wrong.about.unwrap_or_else(|| names_read(&expr.text));
            if !about.iter().any(|name| self.broken.contains(name)) {
                self.mistakes.push(wrong.mistake);
            }
        }
    }

    /// Compiles an expression whose type must lie within `allowed`.
    fn typed(&mut self, scope: &Scope, expr: &Expr, allowed: &Kind, what: &str, help: &str) -> Option<Expression> {
        let compiled = self.compile(scope, expr)?;
        if allowed.is_superset(&compiled.kind).is_ok() {
            return Some(compiled);
        }
        let message = format!("`{}` must be {what}, not {}", expr.at, compiled.kind);
        self.note(expr, [Wrong::of(mistake_in(expr, message).help(help))]);
        None
    }

    /// Compiles a key: text, an integer, or null.
    pub fn text(&mut self, scope: &Scope, expr: &Expr) -> Option<Expression> {
        let allowed = Kind::bytes().or_integer().or_null();
        self.typed(scope, expr, &allowed, "text or an integer", "declare the field's type, or wrap it in string!()")
    }

    /// Compiles what `event.time` may be.
    pub fn moment(&mut self, scope: &Scope, expr: &Expr) -> Option<Expression> {
        let allowed = Kind::bytes().or_integer().or_float().or_timestamp().or_null();
        self.typed(scope, expr, &allowed, "a timestamp", "declare the field as `timestamp`")
    }

    /// Compiles a condition.
    pub fn condition(&mut self, scope: &Scope, expr: &Expr) -> Option<Expression> {
        let help = "compare something, such as `.amount > 100`; for what may be null say `(.flag || false)`";
        self.typed(scope, expr, &Kind::boolean(), "true or false", help)
    }

    /// Compiles the transform's program.
    pub fn change(&mut self, scope: &mut Scope, expr: &Expr) -> Option<Change> {
        match scope.compile_change(expr) {
            Ok(change) => Some(change),
            Err(found) => {
                self.note(expr, found);
                self.broken.extend(names_set(&expr.text));
                None
            }
        }
    }

    /// Notes a name that would overwrite a field.
    fn free(&mut self, scope: &Scope, name: &Name) {
        if scope.has(&name.text) {
            let message = format!("the record already has a field `{}`", name.text);
            self.mistakes.push(Mistake::new(name.span.clone(), message).help("give the lookup or model another name"));
        }
    }

    /// Compiles the rules.
    pub fn rules(&mut self, scope: &Scope, stores: &HashMap<String, Arc<dyn Store>>) -> (Vec<Rule>, Vec<Limit>) {
        let file = self.file;
        let (mut rules, mut limits) = (Vec::new(), Vec::new());
        for config in &file.act.rules {
            let when = config.when.as_ref().map(|expr| self.condition(scope, expr));
            let key = config.key.as_ref().map(|expr| self.text(scope, expr));
            let data = config.data.as_ref().map(|expr| self.compile(scope, expr));
            let first = limits.len();
            limits.extend(self.limits(scope, config, stores));
            let (Some(when), Some(key), Some(data)) = (flat(when), flat(key), flat(data)) else { continue };
            let of_limits = limits[first..].iter().flat_map(|limit: &Limit| limit.by.iter().chain([&limit.at_most]));
            let parts = [&when, &key, &data].into_iter().flatten().chain(of_limits);
            let reads: Vec<&String> = parts.flat_map(|expression| &expression.reads).collect();
            // A condition on the whole record reads every model; data may well be the record as it is.
            let whole = when.iter().chain(&key).any(|expression| expression.reads.iter().any(String::is_empty));
            let format = file.sinks.iter().find(|(name, _)| name.text == config.to.text);
            rules.push(Rule {
                name: config.name.text.as_str().into(),
                to: config.to.text.as_str().into(),
                format: format.map_or(Format::Json, |(_, resource)| resource.format),
                models: file
                    .infer
                    .iter()
                    .map(|model| model.name.text.as_str())
                    .filter(|model| {
                        let needed = config.needs.iter().any(|needed| needed.text == **model);
                        whole || needed || reads.iter().any(|read| read == model)
                    })
                    .map(Arc::from)
                    .collect(),
                when,
                key,
                data,
                once: config.once.is_some(),
                limits: first..limits.len(),
            });
        }
        (rules, limits)
    }

    /// Reads the paths the log keeps.
    pub fn kept(&mut self, scope: &Scope) -> Vec<OwnedTargetPath> {
        let file = self.file;
        let mut kept = Vec::new();
        for expr in file.log.iter().flat_map(|log| &log.keep) {
            if self.compile(scope, expr).is_none() {
                continue;
            }
            match parse_target_path(expr.text.trim()) {
                Ok(path) if expr.text.trim().starts_with('.') => kept.push(path),
                _ => {
                    let message = format!("`{}` must be a path, such as `.route`", expr.at);
                    self.note(expr, [Wrong::of(mistake_in(expr, message))]);
                }
            }
        }
        kept
    }
}

/// Tells a part that is not there from one that is wrong.
fn flat<T>(part: Option<Option<T>>) -> Option<Option<T>> {
    match part {
        None => Some(None),
        Some(None) => None,
        Some(Some(part)) => Some(Some(part)),
    }
}
