//! Lookups: keys that fit the store, defaults that fit its fields, waves.

use std::{collections::HashMap, sync::Arc};

use vrl::value::Value;

use super::Wiring;
use crate::{
    config::{LookupConfig, Missing, Mistake, WindowConfig},
    enrich::{Cache, Lookup, Shape},
    expression::{Expression, Scope},
    ports::Store,
    record::Shared,
};

impl Wiring<'_> {
    /// Compiles the lookups in their order; each adds its value to the record's type.
    pub fn lookups(&mut self, scope: &mut Scope, stores: &HashMap<String, Arc<dyn Store>>) -> Vec<Lookup> {
        let mut lookups: Vec<Lookup> = Vec::new();
        for config in &self.file.enrich {
            self.free(scope, &config.name);
            match self.lookup(scope, config, stores, &lookups) {
                Some(mut lookup) => {
                    lookup.place = scope.add(&config.name.text, lookup.shape.kind(&config.missing));
                    lookups.push(lookup);
                }
                None => self.broken.push(config.name.text.clone()),
            }
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
        if let Some(window) = &config.window {
            return self.window_lookup(scope, config, window, stores, earlier);
        }
        let (_, resource) = self.file.stores.iter().find(|(name, _)| name.text == config.from.text)?;
        let keys: Vec<Option<Expression>> = config.key.iter().map(|expr| self.text(scope, expr)).collect();
        let computed = config.computed.as_ref();
        let fields = computed.map(|computed| &computed.fields).or(resource.fields.as_ref());
        if computed.is_none() && !resource.key.is_empty() && keys.len() != resource.key.len() {
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
        if let (Missing::Default(_), None) = (&missing, fields) {
            let message =
                format!("the default of `{}` needs the store's `fields`, to know its types", config.name.text);
            self.mistakes.push(Mistake::new(config.name.span.clone(), message));
        }
        let shape = Shape::new(fields, &mut missing, &config.name).map_err(|found| self.mistakes.extend(found)).ok();
        let keys: Vec<Expression> = keys.into_iter().collect::<Option<_>>()?;
        let wave = wave_of(keys.iter(), earlier);
        Some(Lookup {
            name: config.name.text.as_str().into(),
            place: 0,
            store: match (stores.get(&config.from.text)?.clone(), computed) {
                (store, Some(computed)) => computed.before(store),
                (store, None) => store,
            },
            keys,
            shape: shape?,
            missing: match missing {
                Missing::Poison => None,
                Missing::Null => Some(Value::Null),
                Missing::Default(value) => Some(value),
            }
            .map(|value| Arc::new(Shared::new(value))),
            timeout: config.timeout,
            wave,
            cache: config.cache.map(Cache::new),
            window: None,
        })
    }

    fn window_lookup(
        &mut self,
        scope: &Scope,
        config: &LookupConfig,
        window: &WindowConfig,
        stores: &HashMap<String, Arc<dyn Store>>,
        earlier: &[Lookup],
    ) -> Option<Lookup> {
        let keys: Vec<Option<Expression>> = config.key.iter().map(|expr| self.text(scope, expr)).collect();
        let window = self.window(scope, config, window);
        let (_, store) = self.keeper(&config.from, stores)?;
        let keys: Vec<Expression> = keys.into_iter().collect::<Option<_>>()?;
        let (window, shape, empty) = window?;
        let wave = wave_of(keys.iter().chain(&window.when).chain(&window.value), earlier);
        Some(Lookup {
            name: config.name.text.as_str().into(),
            place: 0,
            store,
            keys,
            shape,
            missing: Some(Arc::new(Shared::new(empty))),
            timeout: None,
            wave,
            cache: None,
            window: Some(window),
        })
    }
}

/// Returns the first wave whose lookups may read all that those expressions read.
fn wave_of<'a>(expressions: impl Iterator<Item = &'a Expression>, earlier: &[Lookup]) -> usize {
    let reads: Vec<&str> = expressions.flat_map(|expression| &expression.reads).map(String::as_str).collect();
    // An empty name reads everything.
    let needs = |lookup: &&Lookup| reads.iter().any(|read| read.is_empty() || **read == *lookup.name);
    earlier.iter().filter(needs).map(|lookup| lookup.wave + 1).max().unwrap_or(0)
}
