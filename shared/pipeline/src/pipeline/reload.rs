//! Models replaced while the pipeline runs. Asked for change at a batch's start, in the background; loaded beside the one
//! that serves; compiled with the whole pipeline, as when it was opened; put in its place between two batches.

use std::{
    fmt, mem,
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use tokio::{
    sync::{Mutex as Turn, OwnedMutexGuard},
    task::spawn_blocking,
    time::{Instant, timeout},
};

use super::{
    Inner,
    build::{Builder, Opened},
    load::{self, Loaded},
};
use crate::{config::Mistake, ports::Objects};

/// How long a model may take to be read and loaded: what hangs must not be the last look ever taken.
const LIMIT: Duration = Duration::from_secs(300);

/// Says what became of a model that changed where it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Reload {
    /// It decides from here on.
    Serving {
        /// Its name in the pipeline file.
        model: String,
        /// The digest of its bytes.
        sha256: String,
    },
    /// It cannot be read, is not the pinned one, or does not fit the pipeline: the one before it goes on deciding.
    Refused {
        /// Its name in the pipeline file.
        model: String,
        /// Why.
        reason: String,
        /// The digest of the one that goes on.
        serving: String,
    },
}

impl fmt::Display for Reload {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Reload::Serving { model, sha256 } => write!(f, "the model `{model}` is {sha256} from here on"),
            Reload::Refused { model, reason, serving } => {
                write!(f, "the model `{model}` was not replaced, {serving} goes on deciding: {reason}")
            }
        }
    }
}

/// The pipeline that serves, and what replaces its models.
pub(super) struct Live {
    serving: RwLock<Arc<Inner>>,
    /// None where no model is ever looked at again. Who has the lock is the one who looks.
    reloading: Option<Arc<Turn<Reloading>>>,
    news: Mutex<Vec<Reload>>,
}

/// What a pipeline is built of again.
pub(super) struct Reloading {
    builder: Arc<Builder>,
    objects: Arc<dyn Objects>,
    opened: Opened,
    watched: Vec<Watched>,
}

/// A model that may be replaced.
struct Watched {
    /// Its place in the file.
    place: usize,
    every: Duration,
    due: Option<Instant>,
    /// The etags of what is being loaded, and how often that took too long.
    trying: (Vec<String>, u32),
    /// The etags of what serves, or was refused.
    seen: Vec<String>,
}

impl Live {
    /// Serves; its models are replaced if some may be.
    pub fn new(inner: Inner, builder: Builder, objects: Arc<dyn Objects>, opened: Opened) -> Live {
        let reloading = Reloading::of(builder, objects, opened).map(|reloading| Arc::new(Turn::new(reloading)));
        Live { serving: RwLock::new(Arc::new(inner)), reloading, news: Mutex::default() }
    }

    /// Returns what serves now; a batch keeps it to its end.
    pub fn serving(&self) -> Arc<Inner> {
        self.serving.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Looks whether models have changed, in the background, where it is time to.
    pub fn look(self: &Arc<Live>) {
        let Some(reloading) = &self.reloading else { return };
        let Ok(mut reloading) = reloading.clone().try_lock_owned() else { return };
        let due = reloading.due();
        if !due.is_empty() {
            let live = self.clone();
            tokio::spawn(async move {
                for number in due {
                    live.renew(&mut reloading, number).await;
                }
            });
        }
    }

    /// Returns what became of models since this was last asked.
    pub fn news(&self) -> Vec<Reload> {
        if self.reloading.is_none() {
            return Vec::new();
        }
        mem::take(&mut self.news.lock().unwrap_or_else(PoisonError::into_inner))
    }

    async fn renew(&self, reloading: &mut OwnedMutexGuard<Reloading>, number: usize) {
        let place = reloading.watched[number].place;
        let replaced = match timeout(LIMIT, reloading.load(number)).await {
            Ok(Ok(None)) => return,
            Ok(Ok(Some(loaded))) => self.replace(reloading, place, loaded).await,
            Ok(Err(found)) => Err(in_words(&found)),
            Err(_) => {
                reloading.watched[number].took_too_long();
                Err(format!("it took longer than {} s", LIMIT.as_secs()))
            }
        };
        let model = reloading.builder.file.infer[place].name.text.clone();
        let serving = reloading.opened.models[place].as_ref().map(|loaded| loaded.sha256.clone()).unwrap_or_default();
        let news = match replaced {
            Ok(()) => Reload::Serving { model, sha256: serving },
            Err(reason) => Reload::Refused { model, reason, serving },
        };
        self.news.lock().unwrap_or_else(PoisonError::into_inner).push(news);
    }

    /// Compiles the pipeline with another model, and lets it serve the batches that start from here on.
    async fn replace(&self, reloading: &mut Reloading, place: usize, loaded: Loaded) -> Result<(), String> {
        let mut opened = reloading.opened.clone();
        opened.models[place] = Some(loaded);
        let (builder, with) = (reloading.builder.clone(), opened.clone());
        let compiled = spawn_blocking(move || {
            let mut mistakes = Vec::new();
            let inner = builder.compile(with, &mut mistakes);
            inner.filter(|_| mistakes.is_empty()).ok_or_else(|| in_words(&mistakes))
        });
        let inner = compiled.await.map_err(|died| died.to_string())??;
        let mut serving = self.serving.write().unwrap_or_else(PoisonError::into_inner);
        // What lookups remember, what the breaker counts and what is being acted on is not the model's.
        let (lookups, breaker) = (serving.lookups.clone(), serving.breaker.clone());
        let mut inner = Inner { lookups, breaker, ..inner };
        if let (Some(ledger), Some(before)) = (&mut inner.ledger, &serving.ledger) {
            ledger.acting = before.acting.clone();
        }
        let before = mem::replace(&mut *serving, Arc::new(inner));
        drop(serving);
        let before = (before, mem::replace(&mut reloading.opened, opened));
        // Letting go of a large model takes a while.
        spawn_blocking(move || drop(before));
        Ok(())
    }
}

impl Watched {
    /// Gives a model up that took too long a few times: what was frozen meanwhile loads at the next try, and what never ends
    /// leaves a thread behind each time.
    fn took_too_long(&mut self) {
        const MOST: u32 = 3;
        self.trying.1 += 1;
        if self.trying.1 >= MOST {
            self.seen.clone_from(&self.trying.0);
        }
    }
}

impl Reloading {
    fn of(builder: Builder, objects: Arc<dyn Objects>, opened: Opened) -> Option<Reloading> {
        let now = Instant::now();
        let models = builder.file.infer.iter().zip(&opened.models).enumerate();
        let watched: Vec<Watched> = models
            .filter_map(|(place, (config, loaded))| {
                let every = config.reload?;
                Some(Watched {
                    place,
                    every,
                    due: now.checked_add(every),
                    trying: <_>::default(),
                    seen: loaded.as_ref()?.etags.clone(),
                })
            })
            .collect();
        (!watched.is_empty()).then(|| Reloading { builder: Arc::new(builder), objects, opened, watched })
    }

    /// Returns the numbers of the watched models it is time to look at, which are due again later.
    fn due(&mut self) -> Vec<usize> {
        let now = Instant::now();
        let due = self.watched.iter_mut().enumerate().filter(|(_, watched)| watched.due.is_some_and(|due| due <= now));
        due.map(|(number, watched)| {
            watched.due = now.checked_add(watched.every);
            number
        })
        .collect()
    }

    /// Loads a model that is not the one that serves. One that was read and refused is not read again before it changes.
    async fn load(&mut self, number: usize) -> Result<Option<Loaded>, Vec<Mistake>> {
        let watched = &mut self.watched[number];
        let config = &self.builder.file.infer[watched.place];
        let etags = load::etags(config, &*self.objects).await?;
        if etags == watched.seen {
            return Ok(None);
        }
        let read = load::read(config, &*self.objects).await;
        if load::etags(config, &*self.objects).await? != etags {
            // It is being written: the next look sees it whole.
            return Ok(None);
        }
        let is_whole = read.iter().all(Result::is_ok);
        if watched.trying.0 != etags {
            watched.trying = (etags.clone(), 0);
        }
        let loaded = load::load(config, read, etags.clone(), &*self.objects).await;
        if is_whole {
            watched.seen = etags;
        }
        let loaded = loaded?;
        let same = |serving: &Loaded| serving.sha256 == loaded.sha256 && serving.tables == loaded.tables;
        Ok(if self.opened.models[watched.place].as_ref().is_some_and(same) { None } else { Some(loaded) })
    }
}

/// Puts mistakes into one line.
fn in_words(mistakes: &[Mistake]) -> String {
    let words = |mistake: &Mistake| match &mistake.help {
        Some(help) => format!("{} ({help})", mistake.message),
        None => mistake.message.clone(),
    };
    mistakes.iter().map(words).collect::<Vec<_>>().join("; ")
}
