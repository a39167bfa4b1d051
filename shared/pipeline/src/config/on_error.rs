//! `on_error`: where dead letters go, and how many are too many.

use super::{
    Mistake, Name, StopAbove,
    cursor::{Cursor, Section},
    yaml::Node,
};

pub(super) const ON_ERROR: &[&str] = &["to", "stop_above", "of_last"];

const OF_LAST: u64 = 1_000;

/// Reads the sink of dead letters, and the breaker if there is one.
pub(super) fn on_error(section: &Section<'_>) -> (Name, Option<StopAbove>) {
    let nowhere = Name { text: String::new(), span: 0..0 };
    let why = "dead letters must go somewhere: `on_error: { to: SINK }`";
    let Some(node) = section.require("on_error", why) else { return (nowhere, None) };
    let Some(section) = section.cursor().section(node, "on_error", ON_ERROR) else { return (nowhere, None) };
    let to = section.require("to", why).and_then(|_| section.name("to")).unwrap_or(nowhere);
    (to, stop_above(&section))
}

fn stop_above(section: &Section<'_>) -> Option<StopAbove> {
    let cursor = section.cursor();
    let of_last = section.get("of_last").map(|node| (node, count(cursor, node)));
    let Some(node) = section.get("stop_above") else {
        if let Some((node, _)) = of_last {
            cursor.note(
                Mistake::new(node.span.clone(), "`on_error.of_last` counts for nothing without `stop_above`")
                    .help("say what share is too much, such as `stop_above: 20%`"),
            );
        }
        return None;
    };
    let percent = share(cursor, node);
    let of_last = of_last.map_or(Some(OF_LAST), |(_, count)| count);
    let limit = StopAbove { percent: percent?, of_last: of_last? };
    unfit(limit)
        .into_iter()
        .for_each(|(message, help)| cursor.note(Mistake::new(node.span.clone(), message).help(help)));
    Some(limit)
}

const SHARE: (&str, &str) = ("`on_error.stop_above` must be a share, such as 20%", "it lies above 0% and below 100%");
const COUNT: &str = "`on_error.of_last` must be a whole number of events, from 10 to 1000000";

/// All of the events can never be too many of them: a breaker at 100% would not trip.
fn is_share(percent: f64) -> bool {
    percent > 0.0 && percent < 100.0
}

fn is_count(of_last: u64) -> bool {
    (10..=1_000_000).contains(&of_last)
}

/// Says what is wrong with a breaker's limit, if anything, and what would be right.
pub(crate) fn unfit(limit: StopAbove) -> Option<(String, &'static str)> {
    if !is_share(limit.percent) {
        return Some((SHARE.0.to_owned(), SHARE.1));
    }
    if !is_count(limit.of_last) {
        return Some((COUNT.to_owned(), "the default is 1000"));
    }
    let nothing = limit.allowed(limit.of_last) == 0;
    let message = || format!("`on_error.stop_above`: {limit} events is less than one event");
    nothing.then(|| (message(), "raise the share, or `of_last`"))
}

/// Reads a share.
fn share(cursor: &Cursor<'_>, node: &Node) -> Option<f64> {
    let plain = |text: &&str| text.chars().all(|c| c.is_ascii_digit() || c == '.');
    let text = node.scalar().and_then(|text| text.strip_suffix('%')).filter(plain);
    let percent = text.and_then(|text| text.parse().ok()).filter(|percent| is_share(*percent));
    if percent.is_none() {
        cursor.note(Mistake::new(node.span.clone(), SHARE.0).help(SHARE.1));
    }
    percent
}

fn count(cursor: &Cursor<'_>, node: &Node) -> Option<u64> {
    let count = node.scalar().and_then(|text| text.parse().ok()).filter(|count| is_count(*count));
    if count.is_none() {
        cursor.note(Mistake::new(node.span.clone(), COUNT));
    }
    count
}
