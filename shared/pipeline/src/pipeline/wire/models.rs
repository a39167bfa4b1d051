//! Models: features that fit the signature, outputs that get names.

use vrl::value::{Kind, Value};

use super::Wiring;
use crate::{
    config::{Mistake, ModelConfig, did_you_mean},
    expression::{Expression, Scope, Wrong, mistake_in},
    infer::{Feature, Inference, Layout, Outputs},
    pipeline::load::Loaded,
    ports::{Dtype, Signature},
};

impl Wiring<'_> {
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
                json: format!("{}:", Value::from(name.text.as_str())),
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
            place: 0,
            sha256: loaded.sha256.as_str().into(),
            when,
            features: features.into(),
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
    pub fn add_predictions(&mut self, scope: &mut Scope, models: &mut [Option<Inference>]) {
        for (config, model) in self.file.infer.iter().zip(models) {
            self.free(scope, &config.name);
            match model {
                Some(model) => model.place = scope.add(&config.name.text, model.outputs.kind()),
                None => self.broken.push(config.name.text.clone()),
            }
        }
    }
}
