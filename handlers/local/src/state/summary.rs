//! What an item holds, in a few words.

use serde_json::Value;

/// The longest value shown whole, in characters.
const LONGEST: usize = 80;

/// Sums up an item, as [`fourstroke::state::shown`] shows it.
pub fn summary(sort: &str, shown: &Value) -> String {
    let kind = sort.split_once('#').map_or(sort, |(kind, _)| kind);
    let known = match kind {
        "once" => once(shown),
        "limit" => limit(shown),
        "window" => window(shown),
        "decision" => shown["decided_at"].as_str().map(|at| format!("decided {at}")),
        _ => None,
    };
    known.unwrap_or_else(|| shortened(&shown.to_string()))
}

fn once(shown: &Value) -> Option<String> {
    let action = |action: &Value| {
        let done = if action["done"].as_bool()? { "done" } else { "not done" };
        Some(format!("{} {done}", action["name"].as_str()?))
    };
    let actions = shown["actions"].as_array()?.iter().map(action).collect::<Option<Vec<_>>>()?;
    let held = shown["leased_until"].as_str().filter(|_| actions.iter().any(|action| action.ends_with("not done")));
    let held = held.map(|until| format!("; held until {until}")).unwrap_or_default();
    Some(format!("{}{held}", actions.join(", ")))
}

fn limit(shown: &Value) -> Option<String> {
    let counted = shown.as_array()?;
    let last = counted.iter().filter_map(|one| one["at"].as_str()).max()?;
    Some(format!("{} counted, the last {last}", counted.len()))
}

fn window(shown: &Value) -> Option<String> {
    let duration = |one: &Value| Some(format!("{} in {}", one["count"].as_u64()?, one["over"].as_str()?));
    let durations = shown["durations"].as_array()?.iter().map(duration).collect::<Option<Vec<_>>>()?;
    Some(format!("{}, the newest {}", durations.join(", "), shown["newest"].as_str()?))
}

fn shortened(text: &str) -> String {
    match text.char_indices().nth(LONGEST) {
        Some((end, _)) => format!("{}…", &text[..end]),
        None => text.to_owned(),
    }
}
