//! What a handler in a cloud refuses to start with: state, actions and dead letters in places that end with the process.

use fourstroke::config::{Mistake, PipelineFile, Resource};

/// Where nothing outlives the process, or the machine it happens to run on.
const PASSING: [&str; 4] = ["file", "memory", "stdout", "redb"];

/// Returns a mistake for every sink, dead-letter target and store of state that would not last, unless it says
/// `ephemeral: true`. Tables that are only read may be packaged as files.
pub fn passing(file: &PipelineFile) -> Vec<Mistake> {
    passing_resources(file).into_iter().map(|resource| mistake(file, resource)).collect()
}

/// Returns those sinks, dead-letter targets and stores of state.
pub fn passing_resources(file: &PipelineFile) -> Vec<&Resource> {
    let mut names: Vec<&str> = vec![&file.dead_letters.text];
    names.extend(file.log.iter().map(|log| log.to.text.as_str()));
    names.extend(file.act.rules.iter().map(|rule| rule.to.text.as_str()));
    let sinks = file.sinks.iter().filter(|(name, _)| names.contains(&name.text.as_str()));
    let kept = kept(file);
    let stores = file.stores.iter().filter(|(name, _)| kept.contains(&name.text.as_str()));
    let large = sinks.clone().filter_map(|(_, resource)| resource.large.as_deref());
    let resources = sinks.chain(stores).map(|(_, resource)| resource).chain(large);
    resources.filter(|resource| !resource.ephemeral && PASSING.contains(&resource.scheme())).collect()
}

/// The stores that keep something: what was done once, limits, windows, what waits for its outcome.
fn kept(file: &PipelineFile) -> Vec<&str> {
    let rules = &file.act.rules;
    let once = rules.iter().flat_map(|rule| &rule.once).map(|once| &once.store);
    let limits = rules.iter().flat_map(|rule| &rule.limits).map(|limit| &limit.store);
    let windows = file.enrich.iter().filter(|lookup| lookup.window.is_some()).map(|lookup| &lookup.from);
    let outcome = file.outcome.iter().flat_map(|outcome| &outcome.store);
    once.chain(limits).chain(windows).chain(outcome).map(|name| name.text.as_str()).collect()
}

fn mistake(file: &PipelineFile, resource: &Resource) -> Mistake {
    let message = format!("`{}` is `{}:`, which does not outlive this process", resource.at, resource.scheme());
    let help = match (&resource.variable, file.variable(resource)) {
        (Some(variable), _) => format!("give {variable} another value"),
        (None, Some(variable)) => format!("set {variable} to another service"),
        (None, None) => "name another service, or a variable that does (`${NAME}`)".to_owned(),
    };
    Mistake::new(resource.span.clone(), message).help(format!("{help}; or say `ephemeral: true` if that is meant"))
}
