//! A pipeline file and what it names, put together: every resource opened at once, every expression compiled with the
//! types of what comes before it, every mistake noted before any is shown.

use std::{collections::HashMap, sync::Arc};

use futures_util::future::{join, join_all};

use super::{
    Inner, Pipeline,
    breaker::Breaker,
    cpu::Pace,
    large::WithLarge,
    load::{self, Loaded, failed},
    log::Kept,
    once::Ledger,
    outcomes::OutcomeRule,
    reload::Live,
    wire::Wiring,
};
use crate::{
    act::Act,
    clock::{Clock, span},
    config::{BodyFormat, EventConfig, Mistake, Mistakes, PipelineFile, Resource},
    enrich::Lookup,
    expression::Scope,
    identity,
    ports::{Objects, Open, Sink, Store},
    transform::{Avro, Decoder, RustTransform, Shape, Step, Transform, Unfit},
    types::Fields,
};

/// Builds a pipeline of its file.
pub struct Builder {
    pub(super) file: PipelineFile,
    clock: Clock,
    transform: Option<(RustTransform, Fields)>,
}

/// Everything the file names, opened; what could not be is a mistake already.
#[derive(Clone, Default)]
pub(super) struct Opened {
    pub stores: HashMap<String, Arc<dyn Store>>,
    pub sinks: HashMap<Arc<str>, Arc<dyn Sink>>,
    pub models: Vec<Option<Loaded>>,
    /// The schema of the events, and the digest of its text.
    pub schema: Option<(Arc<Avro>, String)>,
}

impl Builder {
    /// Starts from a file.
    pub fn new(file: PipelineFile) -> Builder {
        Builder { file, clock: Clock::system(), transform: None }
    }

    /// Replaces the clock.
    pub fn clock(mut self, clock: Clock) -> Builder {
        self.clock = clock;
        self
    }

    /// Transforms with a Rust function instead of the file's program; `adds` are the fields it sets on every record.
    pub fn transform(
        mut self,
        adds: Fields,
        function: impl Fn(&mut crate::record::Record) -> Result<(), String> + Send + Sync + 'static,
    ) -> Builder {
        self.transform = Some((Arc::new(function), adds));
        self
    }

    /// Opens everything the file names, concurrently, and compiles the strokes.
    ///
    /// # Errors
    /// Every mistake in the file, each with its place.
    pub async fn open(self, open: &dyn Open) -> Result<Pipeline, Mistakes> {
        let file = &self.file;
        let mut mistakes = file.mistakes.clone();
        let objects = open.objects();
        let opened = open_all(file, open, &*objects, &mut mistakes).await;
        match self.compile(opened.clone(), &mut mistakes) {
            Some(inner) if mistakes.is_empty() => {
                let name = file.name.text.as_str().into();
                Ok(Pipeline { name, live: Arc::new(Live::new(inner, self, objects, opened)) })
            }
            _ => Err(Mistakes::new(file.path.clone(), file.text.clone(), mistakes)),
        }
    }

    /// Compiles the strokes with the types of what was opened.
    pub(super) fn compile(&self, opened: Opened, mistakes: &mut Vec<Mistake>) -> Option<Inner> {
        let file = &self.file;
        let version = version(file, &opened);
        let mut wiring = Wiring { file, mistakes, broken: file.broken.clone() };

        let avro = opened.schema.map(|(avro, _)| avro);
        let fields = avro.as_ref().map(|avro| &avro.fields).or(file.event.fields.as_ref()).cloned();
        if file.event.format == BodyFormat::Avro && fields.is_none() {
            // The schema is wrong, and it alone says what expressions may read.
            return None;
        }
        let decoded = Scope::new(fields.as_ref());
        let event = &file.event;
        let id = event.id.as_ref().and_then(|expr| wiring.text(&decoded, expr));
        let key = event.key.as_ref().and_then(|expr| wiring.text(&decoded, expr));
        let time = event.time.as_ref().and_then(|expr| wiring.moment(&decoded, expr));
        let mut scope = decoded;
        let step = match (&self.transform, &file.transform) {
            (Some((function, adds)), _) => {
                let adds =
                    adds.0.iter().map(|(name, declared)| (scope.add(name, declared.kind()), name.clone(), *declared));
                Step::Rust(function.clone(), adds.collect())
            }
            (None, Some(expr)) => wiring.change(&mut scope, expr).map_or(Step::Nothing, Step::Vrl),
            (None, None) => Step::Nothing,
        };
        let lookups: Vec<Lookup> = wiring.lookups(&mut scope, &opened.stores);
        let mut models = wiring.models(&scope, opened.models);
        let outcome = file.outcome.as_ref().and_then(|config| {
            let when = wiring.condition(&scope, &config.when);
            let of = wiring.text(&scope, &config.of);
            let label = wiring.condition(&scope, &config.label);
            let store = config.store.as_ref().and_then(|name| wiring.keeper(name, &opened.stores));
            Some(OutcomeRule { when: when?, of: of?, label: label?, within: config.within, store })
        });
        wiring.add_predictions(&mut scope, &mut models);
        let (rules, limits) = wiring.rules(&scope, &opened.stores);
        let ledger = file.act.rules.iter().find_map(|rule| rule.once.as_ref()).and_then(|once| {
            let (name, store) = wiring.keeper(&once.store, &opened.stores)?;
            let keep = span(once.keep);
            Some(Ledger { store, name, keep, acting: Arc::default() })
        });
        let keep = wiring.kept(&scope);
        let models: Vec<_> = models.into_iter().flatten().collect();
        wiring.stubs(&models);
        wiring.givens(&lookups);

        let layout = Arc::new(scope.into_layout());
        let transform = Transform {
            pipeline: file.name.text.clone(),
            decoder: Decoder { format: event.format, shape: Shape { fields, layout }, avro },
            id,
            key,
            time,
            step,
            lookups: lookups.len(),
        };
        let sink = |name: &str| opened.sinks.get(name).cloned();
        let log = match &file.log {
            Some(log) => Some((sink(&log.to.text)?, Kept::new(keep))),
            None => None,
        };
        Some(Inner {
            name: file.name.text.clone(),
            version,
            transform,
            lookups: Arc::new(lookups),
            models,
            act: Act { pipeline: file.name.text.clone(), matches: file.act.matches, rules, limits },
            outcome,
            ledger,
            stores: opened.stores.iter().map(|(name, store)| (name.as_str().into(), store.clone())).collect(),
            dead_letters: sink(&file.dead_letters.text)?,
            log,
            breaker: file.stop_above.map(|limit| Arc::new(Breaker::new(limit))),
            slo: file.slo,
            clock: self.clock.clone(),
            pace: Pace::default(),
            sinks: opened.sinks,
        })
    }
}

/// Returns the hash of the file's text, or the revision of a pipeline in Rust, its models and category tables.
fn version(file: &PipelineFile, opened: &Opened) -> String {
    let mut parts: Vec<Vec<u8>> =
        vec![file.revision.as_ref().map_or(file.text.as_bytes(), |revision| revision.as_bytes()).to_vec()];
    for model in opened.models.iter().flatten() {
        parts.push(model.sha256.clone().into_bytes());
        parts.extend(model.tables.iter().map(|table| table.join("\n").into_bytes()));
    }
    parts.extend(opened.schema.iter().map(|(_, sha256)| sha256.clone().into_bytes()));
    let parts: Vec<&[u8]> = parts.iter().map(Vec::as_slice).collect();
    identity::hash(&parts)
}

/// Opens the stores, sinks and models the strokes name, all at once.
async fn open_all(file: &PipelineFile, open: &dyn Open, objects: &dyn Objects, mistakes: &mut Vec<Mistake>) -> Opened {
    let used = file.used_stores();
    // Code may ask the pipeline for any of its stores.
    let in_code = file.revision.is_some();
    let stores = file.stores.iter().filter(|(name, _)| in_code || used.contains(&name.text.as_str()));
    let sinks = file.sinks.iter().filter(|(name, _)| {
        let named = |other: &str| other == name.text;
        named(&file.dead_letters.text)
            || file.log.iter().any(|log| named(&log.to.text))
            || file.act.rules.iter().any(|rule| named(&rule.to.text))
    });
    let stores =
        join_all(stores.map(|(name, at)| async move { (name, open.store(at).await.map_err(|why| failed(at, &why))) }));
    let sinks = join_all(sinks.map(|(name, at)| async move { (name, sink(at, open).await) }));
    let models = join_all(file.infer.iter().map(|config| load::open(config, objects)));
    let schema = schema(&file.event, objects);
    let ((stores, sinks), (models, schema)) = join(join(stores, sinks), join(models, schema)).await;
    let mut opened = Opened::default();
    match schema {
        Ok(schema) => opened.schema = schema,
        Err(found) => mistakes.extend(found),
    }
    for (name, store) in stores {
        match store {
            Ok(store) => drop(opened.stores.insert(name.text.clone(), store)),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    for (name, sink) in sinks {
        match sink {
            Ok(sink) => drop(opened.sinks.insert(name.text.as_str().into(), sink)),
            Err(mistake) => mistakes.push(mistake),
        }
    }
    for model in models {
        match model {
            Ok(loaded) => opened.models.push(Some(loaded)),
            Err(found) => {
                mistakes.extend(found);
                opened.models.push(None);
            }
        }
    }
    opened
}

/// Opens a sink, and the one for what it refuses.
async fn sink(at: &Resource, open: &dyn Open) -> Result<Arc<dyn Sink>, Mistake> {
    let sink = open.sink(at).await.map_err(|why| failed(at, &why))?;
    let Some(large) = &at.large else { return Ok(sink) };
    let large = open.sink(large).await.map_err(|why| failed(large, &why))?;
    Ok(Arc::new(WithLarge { sink, large }))
}

/// Reads the events' schema, and checks the declared fields against it.
async fn schema(event: &EventConfig, objects: &dyn Objects) -> Result<Option<(Arc<Avro>, String)>, Vec<Mistake>> {
    let Some(at) = &event.schema else { return Ok(None) };
    let text = objects.read(at).await.map_err(|why| vec![failed(at, &why)])?;
    let avro = Avro::new(&text, event.fields.as_ref()).map_err(|unfit| {
        let mistake = |unfit: Unfit| {
            let span = unfit.field.and_then(|place| event.field_spans.get(place));
            let mistake = match span {
                Some(span) => Mistake::new(span.clone(), unfit.reason),
                None => failed(at, &unfit.reason),
            };
            match unfit.help {
                Some(help) => mistake.help(help),
                None => mistake,
            }
        };
        unfit.into_iter().map(mistake).collect::<Vec<_>>()
    })?;
    Ok(Some((Arc::new(avro), identity::sha256(&text))))
}
