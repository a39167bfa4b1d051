//! Durations as people write them in the file: `50ms`, `10m`, `1d`.

use std::time::Duration;

/// A hundred years, in milliseconds: far enough from where arithmetic with time ends.
const LONGEST: u64 = 36_525 * 86_400_000;

/// Reads a whole number and a unit (`ms s m h d w`), such as `50ms` or `24h`.
pub(crate) fn parse(text: &str) -> Option<Duration> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (number, unit) = text.split_at(digits);
    let number: u64 = number.parse().ok()?;
    let millis: u64 = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        "w" => 604_800_000,
        _ => return None,
    };
    number.checked_mul(millis).filter(|millis| *millis <= LONGEST).map(Duration::from_millis)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_numbers_with_units_and_nothing_else() {
        assert_eq!(parse("50ms"), Some(Duration::from_millis(50)));
        assert_eq!(parse("24h"), Some(Duration::from_secs(86_400)));
        for wrong in ["", "10", "m", "1.5h", "-1s", "10 m", "1y", "36526d", "99999999999999999999w"] {
            assert_eq!(parse(wrong), None, "{wrong:?}");
        }
    }
}
