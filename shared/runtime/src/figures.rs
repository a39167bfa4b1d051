//! Numbers and texts as people read them.

use std::borrow::Cow;

/// Puts commas between thousands.
pub(crate) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut text = String::with_capacity(digits.len() + digits.len() / 3);
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes microseconds in the unit that keeps them short.
pub fn micros(micros: u64) -> String {
    match micros {
        0..1_000 => format!("{micros} µs"),
        1_000..1_000_000 => format!("{:.1} ms", micros as f64 / 1e3),
        _ => format!("{:.2} s", micros as f64 / 1e6),
    }
}

/// Writes a part of a whole in percent.
pub(crate) fn percent(part: f64) -> String {
    format!("{:.1} %", part * 100.0)
}

/// Writes a part of a whole in percent; nothing of nothing is zero.
pub(crate) fn share(part: u64, whole: u64) -> String {
    percent(if whole == 0 { 0.0 } else { part as f64 / whole as f64 })
}

/// Writes control characters as escapes: what came with an event must not steer the terminal.
pub fn printable(text: &str) -> Cow<'_, str> {
    if !text.contains(char::is_control) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        if c.is_control() { shown.extend(c.escape_default()) } else { shown.push(c) }
    }
    Cow::Owned(shown)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_readable() {
        assert_eq!([0, 999, 1_000, 249_699, 1_234_567].map(thousands), ["0", "999", "1,000", "249,699", "1,234,567"]);
        assert_eq!([7, 1_250, 2_500_000].map(micros), ["7 µs", "1.2 ms", "2.50 s"]);
        assert_eq!((share(1, 8).as_str(), share(0, 0).as_str()), ("12.5 %", "0.0 %"));
    }

    #[test]
    fn control_characters_are_shown_and_not_sent() {
        assert_eq!(printable("Größe \u{1b}[2J\r\n\u{9b}"), r"Größe \u{1b}[2J\r\n\u{9b}");
        assert_eq!(printable("plain"), "plain");
    }
}
