//! Expressions compiled for their place: what type each must have, and what each stroke adds for the next.

use std::{collections::HashMap, sync::Arc};

use vrl::{
    path::{OwnedTargetPath, parse_target_path},
    value::{Kind, Value, kind::Collection},
};

use super::build::Loaded;
use crate::{
    act::Rule,
    config::{Expr, Format, LookupConfig, Missing, Mistake, ModelConfig, Name, PipelineFile, did_you_mean},
    enrich::{Cache, Lookup, Shape},
    expression::{Change, Expression, Scope, Wrong, mistake_in, names_read, names_set},
    infer::{Feature, Inference, Layout, Outputs},
    ports::{Dtype, Signature, Store},
    types::Fields,
};

/// The file being compiled, and the mistakes found so far.
pub(super) struct Wiring<'a> {
    pub file: &'a PipelineFile,
    pub mistakes: &'a mut Vec<Mistake>,
    /// Names whose type is not known because something about them is wrong already: what reads them is excused.
    pub broken: Vec<String>,
}

/// Returns the type of a decoded record.
pub(super) fn record_kind(fields: Option<&Fields>) -> Kind {
    fields.map_or_else(|| Kind::object(Collection::json()), Fields::kind)
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

    /// Compiles the lookups in their order; each adds its value to the record's type.
    pub fn lookups(&mut self, scope: &mut Scope, stores: &HashMap<String, Arc<dyn Store>>) -> Vec<Lookup> {
        let mut lookups: Vec<Lookup> = Vec::new();
        for config in &self.file.enrich {
            self.free(scope, &config.name);
            let built = self.lookup(scope, config, stores, &lookups);
            match &built {
                Some(lookup) => scope.add(&config.name.text, lookup.shape.kind(&lookup.missing)),
                None => self.broken.push(config.name.text.clone()),
            }
            lookups.extend(built);
        }
        lookups
    }

    fn lookup(
        &mut self,
        scope: &Scope,
        config: &LookupConfig,
        stores: &HashMap<String, Arc<dyn Store>>,
        earlier: &[Lookup],
    ) -> Option<Lookup> {
        let (_, resource) = self.file.stores.iter().find(|(name, _)| name.text == config.from.text)?;
        let keys: Vec<Option<Expression>> = config.key.iter().map(|expr| self.text(scope, expr)).collect();
        if !resource.key.is_empty() && keys.len() != resource.key.len() {
            let message = format!(
                "`{}` gives {} key parts, but the store `{}` has {}",
                config.name.text,
                keys.len(),
                config.from.text,
                resource.key.len()
            );
            let help = format!("its key is: {}", resource.key.join(", "));
            self.mistakes.push(Mistake::new(config.name.span.clone(), message).help(help));
        }
        let mut missing = config.missing.clone();
        if let (Missing::Default(_), None) = (&missing, &resource.fields) {
            let message =
                format!("the default of `{}` needs the store's `fields`, to know its types", config.name.text);
            self.mistakes.push(Mistake::new(config.name.span.clone(), message));
        }
        let shape = Shape::new(resource.fields.as_ref(), &mut missing, &config.name)
            .map_err(|found| self.mistakes.extend(found))
            .ok();
        let keys: Vec<Expression> = keys.into_iter().collect::<Option<_>>()?;
        let reads = |name: &str| keys.iter().any(|key| key.reads.iter().any(|read| read == name));
        let wave = earlier.iter().filter(|lookup| reads(&lookup.name)).map(|lookup| lookup.wave + 1).max().unwrap_or(0);
        Some(Lookup {
            name: config.name.text.as_str().into(),
            store: stores.get(&config.from.text)?.clone(),
            keys,
            shape: shape?,
            missing,
            timeout: config.timeout,
            wave,
            cache: config.cache.map(Cache::new),
        })
    }

    /// Compiles the models; none where one could not be loaded or does not fit.
    pub fn models(&mut self, scope: &Scope, loaded: Vec<Option<Loaded>>) -> Vec<Option<Inference>> {
        let file = self.file;
        file.infer.iter().zip(loaded).map(|(config, loaded)| self.model(scope, config, loaded)).collect()
    }

    fn model(&mut self, scope: &Scope, config: &ModelConfig, loaded: Option<Loaded>) -> Option<Inference> {
        let when = config.when.as_ref().map(|expr| self.condition(scope, expr));
        let features: Vec<Option<Expression>> =
            config.features.iter().map(|(_, expr)| self.compile(scope, expr)).collect();
        let loaded = loaded?;
        let signature = loaded.model.signature();
        let positive = config.positive.as_ref().map(|name| name.text.as_str());
        let outputs = Outputs::new(signature, positive)
            .map_err(|message| {
                let span = config.positive.as_ref().map_or(config.name.span.clone(), |name| name.span.clone());
                self.mistakes.push(Mistake::new(span, message));
            })
            .ok();
        let layout = self.layout(config, signature);
        if let Some(layout) = &layout {
            self.feature_types(config, layout, &features);
        }
        let features = config.features.iter().zip(features).map(|((name, _), expression)| {
            let table = config.categories.iter().position(|(of, _)| of.text == name.text);
            Some(Feature {
                name: name.text.as_str().into(),
                expression: expression?,
                missing: config.missing.iter().find(|(of, _)| of.text == name.text).map(|(_, number)| *number),
                categories: table.map(|place| {
                    loaded.tables[place]
                        .iter()
                        .enumerate()
                        .map(|(number, text)| (text.clone(), number as i64))
                        .collect()
                }),
            })
        });
        let features: Vec<Feature> = features.collect::<Option<_>>()?;
        let when = match when {
            Some(when) => Some(when?),
            None => None,
        };
        Some(Inference {
            name: config.name.text.as_str().into(),
            sha256: loaded.sha256.as_str().into(),
            when,
            columns: features.iter().map(|feature| feature.name.clone()).collect(),
            features,
            layout: layout?,
            outputs: outputs?,
            scored: positive.is_some(),
            model: loaded.model,
        })
    }

    /// Matches the features to the model's inputs: one matrix, or a column each.
    fn layout(&mut self, config: &ModelConfig, signature: &Signature) -> Option<Layout> {
        let names: Vec<&str> = config.features.iter().map(|(name, _)| name.text.as_str()).collect();
        let help = format!("the model is {signature}");
        let name = &config.name;
        if let [input] = signature.inputs.as_slice() {
            if input.width() != names.len() {
                let message =
                    format!("`{}` has {} features, but the model takes {}", name.text, names.len(), input.width());
                self.mistakes.push(Mistake::new(name.span.clone(), message).help(help));
                return None;
            }
            let columns = signature.metadata.get("fourstroke.features");
            let columns: Option<Vec<String>> = columns.and_then(|text| serde_json::from_str(text).ok());
            if let Some(columns) = columns.as_ref().filter(|columns| columns.len() != names.len()) {
                let message = format!(
                    "`fourstroke.features` of the model names {} columns, it takes {}",
                    columns.len(),
                    names.len()
                );
                self.mistakes
                    .push(Mistake::new(name.span.clone(), message).help("export the model again with all names"));
                return None;
            }
            for ((feature, _), column) in config.features.iter().zip(columns.iter().flatten()) {
                if feature.text != *column {
                    let message = format!("the model's column here is `{column}`, not `{}`", feature.text);
                    let help = format!(
                        "its columns are: {}",
                        columns.iter().flatten().cloned().collect::<Vec<_>>().join(", ")
                    );
                    self.mistakes.push(Mistake::new(feature.span.clone(), message).help(help));
                    return None;
                }
            }
            return Some(Layout::Matrix(input.dtype));
        }
        let mut columns = Vec::new();
        for input in &signature.inputs {
            match names.iter().position(|known| *known == input.name) {
                Some(place) if input.width() == 1 => columns.push((place, input.dtype)),
                Some(_) => {
                    let message = format!("the model's input `{input}` takes more than one number per row");
                    self.mistakes.push(Mistake::new(name.span.clone(), message).help(help.clone()));
                }
                None => {
                    let message = format!("`{}` has no feature for the model's input `{input}`", name.text);
                    self.mistakes.push(Mistake::new(name.span.clone(), message).help(help.clone()));
                }
            }
        }
        for (feature, _) in &config.features {
            if !signature.inputs.iter().any(|input| input.name == feature.text) {
                let message = format!("the model has no input `{}`", feature.text);
                let help = did_you_mean(&feature.text, signature.inputs.iter().map(|input| input.name.as_str()))
                    .unwrap_or_else(|| help.clone());
                self.mistakes.push(Mistake::new(feature.span.clone(), message).help(help));
            }
        }
        (columns.len() == names.len()).then_some(Layout::Columns(columns))
    }

    /// Checks each feature's type against what the model takes.
    fn feature_types(&mut self, config: &ModelConfig, layout: &Layout, features: &[Option<Expression>]) {
        for (place, ((name, expr), compiled)) in config.features.iter().zip(features).enumerate() {
            let dtype = match layout {
                Layout::Matrix(dtype) => *dtype,
                Layout::Columns(columns) => {
                    columns.iter().find(|(of, _)| *of == place).map_or(Dtype::F32, |(_, dtype)| *dtype)
                }
            };
            let Some(compiled) = compiled else { continue };
            let table = config.categories.iter().any(|(of, _)| of.text == name.text);
            let (allowed, what) = match (table, dtype) {
                (true, _) => (Kind::bytes().or_integer(), "text or an integer, as it has a category table"),
                (false, Dtype::String) => (Kind::bytes().or_integer(), "text, as the model takes it"),
                (false, Dtype::I64) => (Kind::integer().or_boolean(), "an integer, as the model takes it"),
                (false, _) => (Kind::integer().or_float().or_boolean(), "a number, as the model takes it"),
            };
            if allowed.or_null().is_superset(&compiled.kind).is_err() {
                let message = format!("the feature `{}` must be {what}, not {}", name.text, compiled.kind);
                let help = match (table, compiled.kind.contains_bytes()) {
                    (false, true) => format!("give it a table: `categories: {{ {}: [...] }}`", name.text),
                    _ => "convert it in the expression".to_owned(),
                };
                self.note(expr, [Wrong::of(mistake_in(expr, message).help(help))]);
            }
            let nan = config.missing.iter().find(|(of, number)| of.text == name.text && number.is_nan());
            if let (Some((at, _)), Dtype::I64 | Dtype::Bool | Dtype::String) = (nan, dtype) {
                let message = format!("`{}` cannot be nan: the model takes {dtype:?}", name.text);
                self.mistakes.push(Mistake::new(at.span.clone(), message));
            }
        }
    }

    /// Adds what the models say to the record's type. In `act` they are typed as present: a rule that reads a model
    /// that did not run does not match.
    pub fn add_predictions(&mut self, scope: &mut Scope, models: &[Option<Inference>]) {
        for (config, model) in self.file.infer.iter().zip(models) {
            self.free(scope, &config.name);
            match model {
                Some(model) => scope.add(&config.name.text, model.outputs.kind()),
                None => self.broken.push(config.name.text.clone()),
            }
        }
    }

    /// Compiles the rules.
    pub fn rules(&mut self, scope: &Scope) -> Vec<Rule> {
        let file = self.file;
        let mut rules = Vec::new();
        for config in &file.act.rules {
            let when = config.when.as_ref().map(|expr| self.condition(scope, expr));
            let key = config.key.as_ref().map(|expr| self.text(scope, expr));
            let data = config.data.as_ref().map(|expr| self.compile(scope, expr));
            let (Some(when), Some(key), Some(data)) = (flat(when), flat(key), flat(data)) else { continue };
            let reads: Vec<&String> =
                [&when, &key, &data].into_iter().flatten().flat_map(|expression| &expression.reads).collect();
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
                    .filter(|model| whole || reads.iter().any(|read| read == model))
                    .map(Arc::from)
                    .collect(),
                when,
                key,
                data,
            });
        }
        rules
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

    /// Checks that what tests let lookups find fits the store's fields.
    pub fn givens(&mut self, lookups: &[Lookup]) {
        for (name, value) in self.file.tests.iter().flat_map(|test| &test.given) {
            let Some(lookup) = lookups.iter().find(|lookup| *lookup.name == *name.text) else { continue };
            if let Err(reason) = lookup.shape.accepts(value) {
                let message = format!("`{}` cannot find this: {reason}", name.text);
                self.mistakes.push(Mistake::new(name.span.clone(), message));
            }
        }
    }

    /// Checks that what tests let models say is something they can say.
    pub fn stubs(&mut self, models: &[Inference]) {
        for (name, value) in self.file.tests.iter().flat_map(|test| &test.predict) {
            let Some(model) = models.iter().find(|model| *model.name == *name.text) else { continue };
            let kind = model.outputs.kind();
            let fields =
                kind.as_object().map(|object| object.known().keys().map(ToString::to_string).collect::<Vec<_>>());
            let known = fields.unwrap_or_default();
            let said = value.as_object().map(|object| object.keys().map(|key| key.to_string()).collect::<Vec<_>>());
            match said {
                None => {
                    let message =
                        format!("what `{}` says must be a mapping, such as {{ probability: 0.8 }}", name.text);
                    self.mistakes.push(Mistake::new(name.span.clone(), message));
                }
                Some(said) => {
                    for field in said.iter().filter(|field| !known.contains(field)) {
                        let message = format!("`{}` never says `{field}`", name.text);
                        let help = did_you_mean(field, known.iter().map(String::as_str))
                            .unwrap_or_else(|| format!("it says: {}", known.join(", ")));
                        self.mistakes.push(Mistake::new(name.span.clone(), message).help(help));
                    }
                }
            }
        }
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

/// Makes whole numbers floats where a model's field is one, as people write `1` for `1.0`.
pub(super) fn fit_prediction(model: &Inference, value: Value) -> Value {
    let kind = model.outputs.kind();
    let Value::Object(said) = value else { return value };
    let fitted = said.into_iter().map(|(name, value)| {
        let float = kind.as_object().and_then(|object| object.known().get(&name.to_string().into()).cloned());
        match (float, &value) {
            (Some(float), Value::Integer(number)) if float.is_float() => {
                (name, Value::from_f64_or_zero(*number as f64))
            }
            _ => (name, value),
        }
    });
    Value::Object(fitted.collect())
}
