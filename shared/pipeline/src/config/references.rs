//! Names that refer to something: stores, sinks, lookups, models and rules.

use super::{Expectation, Mistake, Name, PipelineFile, mistake::did_you_mean};

/// Checks that every name that refers to something refers to something that is there.
pub(super) fn check(file: &PipelineFile, broken: &[String], note: &dyn Fn(Mistake)) {
    let check = |name: &Name, known: &[&Name], what: &str| {
        let broken = broken.contains(&name.text);
        if name.text.is_empty() || broken || known.iter().any(|known| known.text == name.text) {
            return;
        }
        let known: Vec<&str> = known.iter().map(|name| name.text.as_str()).collect();
        let help = did_you_mean(&name.text, known.iter().copied()).unwrap_or_else(|| match known.as_slice() {
            [] => format!("the file has no {what}s"),
            known => format!("the file has: {}", known.join(", ")),
        });
        note(Mistake::new(name.span.clone(), format!("there is no {what} `{}`", name.text)).help(help));
    };
    fn names<T>(list: &[(Name, T)]) -> Vec<&Name> {
        list.iter().map(|(name, _)| name).collect()
    }
    let (stores, sinks) = (names(&file.stores), names(&file.sinks));
    file.enrich.iter().for_each(|lookup| check(&lookup.from, &stores, "store"));
    file.act.rules.iter().for_each(|rule| check(&rule.to, &sinks, "sink"));
    let rules = || file.act.rules.iter();
    rules().flat_map(|rule| &rule.once).for_each(|once| check(&once.store, &stores, "store"));
    rules().flat_map(|rule| &rule.limits).for_each(|limit| check(&limit.store, &stores, "store"));
    file.outcome.iter().flat_map(|outcome| &outcome.store).for_each(|name| check(name, &stores, "store"));
    one_ledger(file, note);
    file.log.iter().for_each(|log| check(&log.to, &sinks, "sink"));
    check(&file.dead_letters, &sinks, "sink");
    let lookups: Vec<&Name> = file.enrich.iter().map(|lookup| &lookup.name).collect();
    let models: Vec<&Name> = file.infer.iter().map(|model| &model.name).collect();
    let rule_names: Vec<&str> = file.act.rules.iter().map(|rule| rule.name.text.as_str()).collect();
    file.act.rules.iter().flat_map(|rule| &rule.needs).for_each(|name| check(name, &models, "model"));
    for model in &file.infer {
        let known: Vec<&str> = model.features.iter().map(|(name, _)| name.text.as_str()).collect();
        let named = model.categories.iter().map(|(name, _)| name).chain(model.missing.iter().map(|(name, _)| name));
        for name in named.filter(|name| !known.contains(&name.text.as_str())) {
            let help = did_you_mean(&name.text, known.iter().copied())
                .unwrap_or_else(|| format!("the features are {}", known.join(", ")));
            let message = format!("`infer.{}` has no feature `{}`", model.name.text, name.text);
            note(Mistake::new(name.span.clone(), message).help(help));
        }
    }
    for test in &file.tests {
        test.given.iter().for_each(|(name, _)| check(name, &lookups, "lookup"));
        test.predict.iter().for_each(|(name, _)| check(name, &models, "model"));
        for action in test.expect.actions.iter().flatten().filter(|action| !rule_names.contains(&action.as_str())) {
            let help = did_you_mean(action, rule_names.iter().copied()).unwrap_or_default();
            note(Mistake::new(test.name.span.clone(), format!("there is no rule `{action}`")).help(help));
        }
        if test.expect == Expectation::default() {
            note(
                Mistake::new(test.name.span.clone(), "the test expects nothing")
                    .help("say what must come out, such as `actions: []`"),
            );
        }
    }
    for (place, rule) in file.act.rules.iter().enumerate() {
        if file.act.rules[..place].iter().any(|earlier| earlier.name.text == rule.name.text) {
            note(
                Mistake::new(rule.name.span.clone(), format!("another rule is named `{}`", rule.name.text))
                    .help("idempotency keys are made of the rule's name: give each its own"),
            );
        }
    }
}

/// What was decided about an event is one item: in two stores there would be two.
fn one_ledger(file: &PipelineFile, note: &dyn Fn(Mistake)) {
    let mut onces = file.act.rules.iter().filter_map(|rule| rule.once.as_ref());
    let Some(first) = onces.next() else { return };
    for once in onces {
        if once.store.text != first.store.text {
            let message = format!("`once` names `{}` here and `{}` above", once.store.text, first.store.text);
            note(Mistake::new(once.store.span.clone(), message).help("all `once` of a pipeline name one store"));
        } else if once.keep != first.keep {
            let message = "`once` keeps for another time than above";
            note(
                Mistake::new(once.store.span.clone(), message).help("all `once` of a pipeline keep for the same time"),
            );
        }
    }
}
