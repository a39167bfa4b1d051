//! Lookups, models and rules, part by part.

use std::{sync::Arc, time::Duration};

use vrl::value::Value;

use super::{Answers, Computed, name_of, object, placed};
use crate::{
    config::{
        CacheConfig, Categories, Expr, Give, LimitConfig, LookupConfig, Missing, ModelConfig, Name, OnceConfig, Pin,
        Resource, RuleConfig, WindowConfig, parse,
    },
    ports::{Key, Store},
    types::Fields,
};

/// Looks something up.
pub struct Lookup(pub(super) LookupConfig, pub(super) Option<(String, MakeComputed)>);

/// Makes a computed lookup, once its fields are read.
type MakeComputed = Box<dyn FnOnce(Fields) -> Computed + Send>;

impl Lookup {
    /// Looks up `name` in a store. What is not found makes the event poison, unless there is a default.
    pub fn new<const N: usize>(name: &str, from: &str, key: [impl Into<Expr>; N]) -> Lookup {
        Lookup(
            LookupConfig {
                name: name_of(name),
                from: name_of(from),
                key: key.into_iter().map(|part| placed(part, &format!("enrich.{name}.key"))).collect(),
                cache: None,
                timeout: None,
                missing: Missing::Poison,
                window: None,
                computed: None,
            },
            None,
        )
    }

    /// Lets a closure answer, from a store that is open already: it is given the store and the different keys of a batch, and
    /// gives an answer for each. `fields` are those of what it gives: `"visits: integer, last: timestamp?"`. It runs on the
    /// async threads and may ask the store as often as it likes; what fails retryably is asked again.
    pub fn computed<const N: usize, F>(
        name: &str,
        from: &str,
        key: [impl Into<Expr>; N],
        fields: &str,
        answer: impl Fn(Arc<dyn Store>, Vec<Key>) -> F + Send + Sync + 'static,
    ) -> Lookup
    where
        F: Future<Output = Answers> + Send + 'static,
    {
        let Lookup(config, _) = Lookup::new(name, from, key);
        let make: MakeComputed = Box::new(move |fields| Computed::new(fields, answer));
        Lookup(config, Some((fields.to_owned(), make)))
    }

    /// Counts events in a store, apart by a key, and gives what they came to lately: see [`Counting`].
    pub fn window<const N: usize>(name: &str, counts_in: &str, by: [impl Into<Expr>; N], counting: Counting) -> Lookup {
        let at = format!("enrich.{name}.window");
        let config = WindowConfig {
            when: counting.0.when.map(|when| placed(when, &format!("{at}.when"))),
            value: counting.0.value.map(|value| placed(value, &format!("{at}.value"))),
            ..counting.0
        };
        Lookup(
            LookupConfig {
                name: name_of(name),
                from: name_of(counts_in),
                key: by.into_iter().map(|part| placed(part, &format!("{at}.by"))).collect(),
                cache: None,
                timeout: None,
                missing: Missing::Null,
                window: Some(config),
                computed: None,
            },
            None,
        )
    }

    /// Remembers answers for so long.
    pub fn cache(mut self, ttl: Duration) -> Lookup {
        self.0.cache = Some(CacheConfig { ttl, size: CacheConfig::SIZE });
        self
    }

    /// Bounds one call.
    pub fn timeout(mut self, timeout: Duration) -> Lookup {
        self.0.timeout = Some(timeout);
        self
    }

    /// Sets what stands in for something that is not found.
    pub fn default<const N: usize>(mut self, fields: [(&str, Value); N]) -> Lookup {
        self.0.missing = Missing::Default(object(fields));
        self
    }

    /// Lets null stand in for something that is not found.
    pub fn or_null(mut self) -> Lookup {
        self.0.missing = Missing::Null;
        self
    }
}

/// Says what a window counts, and what it gives: a field for each of `gives` and each duration, such as `mean_1h`.
pub struct Counting(WindowConfig);

impl Counting {
    /// Covers durations as the pipeline file writes them: `"1h 3h"`. What is no duration is a mistake when it is opened.
    pub fn over(durations: &str, gives: &[Give]) -> Counting {
        let over = durations.split_whitespace().map(|text| (text.to_owned(), parse(text).unwrap_or_default()));
        let late = WindowConfig::LATE;
        Counting(WindowConfig { when: None, value: None, over: over.collect(), give: gives.to_vec(), late })
    }

    /// Counts only some events.
    pub fn when(mut self, when: impl Into<Expr>) -> Counting {
        self.0.when = Some(when.into());
        self
    }

    /// Counts something of them; where it is null, nothing.
    pub fn value(mut self, value: impl Into<Expr>) -> Counting {
        self.0.value = Some(value.into());
        self
    }

    /// Tells events that come this much later than the latest one from those that are counted already.
    pub fn late(mut self, late: Duration) -> Counting {
        self.0.late = late;
        self
    }
}

/// Runs a model.
pub struct Infer(pub(super) ModelConfig);

impl Infer {
    /// Runs the model at a URL; its answer is the field `name`.
    pub fn new(name: &str, url: &str) -> Infer {
        Infer(ModelConfig {
            name: name_of(name),
            model: Resource::new(format!("infer.{name}.model"), url),
            sha256: None,
            external_data: Vec::new(),
            reload: None,
            when: None,
            positive: None,
            features: Vec::new(),
            categories: Vec::new(),
            missing: Vec::new(),
        })
    }

    /// Pins the model's bytes.
    pub fn sha256(mut self, digest: &str) -> Infer {
        self.0.sha256 = Some(Pin::Digest(name_of(digest)));
        self
    }

    /// Pins the model's bytes by what stands in `<url>.sha256`.
    pub fn sha256_beside(mut self) -> Infer {
        self.0.sha256 = Some(Pin::Beside);
        self
    }

    /// Names a file beside the model that holds weights of it.
    pub fn external_data(mut self, name: &str) -> Infer {
        self.0.external_data.push(name_of(name));
        self
    }

    /// Replaces the model while the pipeline runs, when it changed: asked for at most this often.
    pub fn reload(mut self, every: Duration) -> Infer {
        self.0.reload = Some(every);
        self
    }

    /// Runs it only for some events.
    pub fn when(mut self, when: impl Into<Expr>) -> Infer {
        self.0.when = Some(placed(when, &format!("infer.{}.when", self.0.name.text)));
        self
    }

    /// Names the class whose probability counts.
    pub fn positive(mut self, class: &str) -> Infer {
        self.0.positive = Some(name_of(class));
        self
    }

    /// Adds a feature.
    pub fn feature(mut self, name: &str, expr: impl Into<Expr>) -> Infer {
        let at = format!("infer.{}.features.{name}", self.0.name.text);
        self.0.features.push((name_of(name), placed(expr, &at)));
        self
    }

    /// Adds features that are paths, named after their last part unless a name is given: `".origin built=.plane.year"`.
    pub fn features(self, paths: &str) -> Infer {
        paths.split_whitespace().fold(self, |infer, feature| {
            let last = |path: &str| path.rsplit('.').next().unwrap_or_default().to_owned();
            let (name, path) =
                feature.split_once('=').map_or((last(feature), feature), |(name, path)| (name.to_owned(), path));
            infer.feature(&name, path)
        })
    }

    /// Gives a feature its category table.
    pub fn categories(mut self, feature: &str, list: &[&str]) -> Infer {
        let list = list.iter().map(ToString::to_string).collect();
        self.0.categories.push((name_of(feature), Categories::Inline(list)));
        self
    }

    /// Gives a feature its category table, a JSON array at a URL.
    pub fn table(mut self, feature: &str, url: &str) -> Infer {
        let at = format!("infer.{}.categories.{feature}", self.0.name.text);
        self.0.categories.push((name_of(feature), Categories::Table(Box::new(Resource::new(at, url)))));
        self
    }

    /// Sets what stands in for null in some features; NaN where the model knows what to do with it.
    pub fn missing(mut self, features: &[&str], number: f64) -> Infer {
        self.0.missing.extend(features.iter().map(|feature| (name_of(feature), number)));
        self
    }
}

/// Chooses an action.
pub struct Rule(pub(super) RuleConfig);

impl Rule {
    /// Acts on a sink: always, with the whole record, under the event's key, unless more is said.
    pub fn new(name: &str, to: &str) -> Rule {
        let to: Name = name_of(to);
        Rule(RuleConfig {
            name: name_of(name),
            needs: Vec::new(),
            when: None,
            to,
            key: None,
            data: None,
            once: None,
            limits: Vec::new(),
        })
    }

    /// Names models without whose prediction the rule does not match. What VRL text reads is needed anyhow; what a closure
    /// reads is not known.
    pub fn needs(mut self, models: &[&str]) -> Rule {
        self.0.needs = models.iter().map(|model| name_of(model)).collect();
        self
    }

    /// Acts only when this holds.
    pub fn when(mut self, when: impl Into<Expr>) -> Rule {
        self.0.when = Some(placed(when, &format!("act.{}.when", self.0.name.text)));
        self
    }

    /// Sets the key in whose order the sink takes the actions.
    pub fn key(mut self, key: impl Into<Expr>) -> Rule {
        self.0.key = Some(placed(key, &format!("act.{}.key", self.0.name.text)));
        self
    }

    /// Sets what is sent.
    pub fn data(mut self, data: impl Into<Expr>) -> Rule {
        self.0.data = Some(placed(data, &format!("act.{}.data", self.0.name.text)));
        self
    }

    /// Acts once per event, however often that is delivered: a store remembers.
    pub fn once(mut self, store: &str) -> Rule {
        self.0.once = Some(OnceConfig { store: name_of(store), keep: OnceConfig::KEEP });
        self
    }

    /// Acts once per event, and remembers it for so long.
    pub fn once_for(mut self, store: &str, keep: Duration) -> Rule {
        self.0.once = Some(OnceConfig { store: name_of(store), keep });
        self
    }

    /// Acts at most so often in a time, for each of what `by` tells apart; a store counts.
    pub fn limit<const N: usize>(
        mut self,
        counts_in: &str,
        by: [impl Into<Expr>; N],
        at_most: impl Into<Expr>,
        per: Duration,
    ) -> Rule {
        let at = format!("act.{}.limit", self.0.name.text);
        self.0.limits.push(LimitConfig {
            store: name_of(counts_in),
            by: by.into_iter().map(|part| placed(part, &format!("{at}.by"))).collect(),
            at_most: placed(at_most, &format!("{at}.at_most")),
            per,
        });
        self
    }
}
