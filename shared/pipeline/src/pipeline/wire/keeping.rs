//! What keeps state: limits, windows, and whether a store can keep anything.

use std::{collections::HashMap, sync::Arc};

use vrl::value::{KeyString, Kind, ObjectMap, Value};

use super::Wiring;
use crate::{
    act::Limit,
    clock::span,
    config::{Expr, Give, LookupConfig, Missing, Mistake, Name, RuleConfig, WindowConfig},
    enrich::{Counts, Shape, Window},
    expression::{Expression, Scope, Wrong, mistake_in},
    identity::digest64,
    ports::Store,
    record::Names,
    types::{Base, FieldType, Fields},
};

impl Wiring<'_> {
    /// Returns the store of that name, which must be one that keeps things.
    pub fn keeper(
        &mut self,
        name: &Name,
        stores: &HashMap<String, Arc<dyn Store>>,
    ) -> Option<(Arc<str>, Arc<dyn Store>)> {
        let store = stores.get(&name.text)?;
        if store.is_table() {
            let message = format!("`{}` is a table to look things up in: it keeps nothing", name.text);
            self.mistakes.push(Mistake::new(name.span.clone(), message).help("name a store, such as redb: or memory:"));
            return None;
        }
        Some((name.text.as_str().into(), store.clone()))
    }

    /// Compiles the limits of a rule.
    pub fn limits(
        &mut self,
        scope: &Scope,
        config: &RuleConfig,
        stores: &HashMap<String, Arc<dyn Store>>,
    ) -> Vec<Limit> {
        let mut limits = Vec::new();
        for (place, limit) in config.limits.iter().enumerate() {
            let by: Vec<Option<Expression>> = limit.by.iter().map(|expr| self.text(scope, expr)).collect();
            let help = "count with whole numbers, such as 3, or `to_int(.level)`";
            let at_most = self.typed(scope, &limit.at_most, &Kind::integer(), "an integer", help);
            let keeper = self.keeper(&limit.store, stores);
            let literal = limit.at_most.text.trim().parse::<i64>().ok();
            if literal.is_some_and(|number| !(0..=Limit::MOST).contains(&number)) {
                let message = format!("`{}` must be from 0 to {}", limit.at_most.at, Limit::MOST);
                self.note(&limit.at_most, [Wrong::of(mistake_in(&limit.at_most, message))]);
            }
            let by: Option<Vec<Expression>> = by.into_iter().collect();
            let (Some(by), Some(at_most), Some((store, _))) = (by, at_most, keeper) else { continue };
            let name = &config.name.text;
            // Counted for another time, it is another count. Where there are several, their order tells them apart.
            let kind = format!("limit#{name}#{}s", limit.per.as_secs_f64());
            let kind = if place == 0 { kind } else { format!("{kind}#{}", place + 1) };
            let per = span(limit.per);
            limits.push(Limit { rule: name.as_str().into(), store, by, at_most, per, kind });
        }
        limits
    }

    /// Compiles a window: what it counts, the shape of what it gives, and what it gives where there is no key.
    pub fn window(
        &mut self,
        scope: &Scope,
        lookup: &LookupConfig,
        config: &WindowConfig,
    ) -> Option<(Window, Shape, Value)> {
        let when = config.when.as_ref().map(|expr| self.condition(scope, expr));
        let value = config.value.as_ref().map(|expr| (expr, self.compile(scope, expr)));
        let value = match value {
            Some((expr, compiled)) => {
                let compiled = compiled?;
                self.countable(config, expr, &compiled);
                Some(compiled)
            }
            None => None,
        };
        let is_text = value.as_ref().is_some_and(|value| value.kind.contains_bytes());
        let mut given: Vec<(String, (usize, Give))> = Vec::new();
        for (number, (text, _)) in config.over.iter().enumerate() {
            given.extend(config.give.iter().map(|give| (format!("{}_{text}", give.as_str()), (number, *give))));
        }
        // Objects have their fields sorted, and each name once.
        given.sort_by(|(one, _), (other, _)| one.cmp(other));
        given.dedup_by(|(one, _), (other, _)| one == other);
        let fields = Fields(given.iter().map(|(name, (_, give))| (name.clone(), type_of(*give, is_text))).collect());
        let empty = given.iter().map(|(name, (_, give))| (KeyString::from(name.as_str()), empty(*give)));
        let empty = Value::Object(empty.collect::<ObjectMap>());
        let shape = Shape::new(Some(&fields), &mut Missing::Default(empty.clone()), &lookup.name)
            .map_err(|found| self.mistakes.extend(found))
            .ok()?;
        let names = Names::new(given.iter().map(|(name, _)| (KeyString::from(name.as_str()), None)).collect());
        let fields = given.into_iter().map(|(_, field)| field).collect();
        let text = |expr: &Option<Expr>| expr.as_ref().map(|expr| expr.text.clone()).unwrap_or_default();
        let (of, is) = (text(&config.value), if is_text { "text" } else { "number" });
        let parts = [&self.file.name.text, &text(&config.when), &of, is];
        let digest = digest64(&parts.map(|part| part.as_bytes()));
        let counts = Counts { when: super::flat(when)?, value, digest };
        Some((Window::new(&lookup.name.text, counts, config, names, fields), shape, empty))
    }

    /// Checks that what is counted fits what is made of it.
    fn countable(&mut self, config: &WindowConfig, expr: &Expr, value: &Expression) {
        let number = Kind::integer().or_float().or_null();
        let text = Kind::bytes().or_null();
        let sums = config.give.iter().find(|give| matches!(give, Give::Sum | Give::Mean | Give::Min | Give::Max));
        let fits = number.is_superset(&value.kind).is_ok() || (sums.is_none() && text.is_superset(&value.kind).is_ok());
        if fits {
            return;
        }
        let (what, help) = match sums {
            Some(give) => ("a number", format!("`{}` is made of numbers; convert it in the expression", give.as_str())),
            None => ("a number or text", "convert it in the expression".to_owned()),
        };
        let message = format!("`{}` must be {what}, not {}", expr.at, value.kind);
        self.note(expr, [Wrong::of(mistake_in(expr, message).help(help))]);
    }
}

fn type_of(give: Give, is_text: bool) -> FieldType {
    let (base, nullable) = match give {
        Give::Count | Give::Distinct => (Base::Integer, false),
        Give::Sum => (Base::Float, false),
        Give::Mean | Give::Min | Give::Max => (Base::Float, true),
        Give::Last => (if is_text { Base::String } else { Base::Float }, true),
    };
    FieldType { base, nullable }
}

fn empty(give: Give) -> Value {
    match give {
        Give::Count | Give::Distinct => Value::Integer(0),
        Give::Sum => Value::from_f64_or_zero(0.0),
        Give::Mean | Give::Min | Give::Max | Give::Last => Value::Null,
    }
}
