//! Numbers as text, as C's library reads and writes them.

/// Writes a number with 8 digits at most: C's `%.8g`.
pub(super) fn write(x: f64) -> String {
    if x.is_nan() {
        return "NaN".to_owned();
    }
    if x.is_infinite() {
        return if x > 0.0 { "INF" } else { "-INF" }.to_owned();
    }
    // Rounded to 8 digits first: that may add one to the exponent.
    let scientific = format!("{x:.7e}");
    let (digits, exponent) = scientific.split_once('e').unwrap_or((&scientific, "0"));
    let exponent: i32 = exponent.parse().unwrap_or(0);
    match usize::try_from(7 - exponent) {
        Ok(decimals) if exponent >= -4 => short(&format!("{x:.decimals$}")).to_owned(),
        _ => {
            let sign = if exponent < 0 { '-' } else { '+' };
            format!("{}e{sign}{:02}", short(digits), exponent.unsigned_abs())
        }
    }
}

fn short(digits: &str) -> &str {
    if digits.contains('.') { digits.trim_end_matches('0').trim_end_matches('.') } else { digits }
}

/// Reads the float a text begins with: C's `strtod`. None if there is none, or if it is beyond the range of floats.
pub(super) fn float(text: &str) -> Option<f64> {
    let (negative, text) = signed(text);
    let begins = |with: &str| text.get(..with.len()).is_some_and(|begin| begin.eq_ignore_ascii_case(with));
    let size = if begins("inf") {
        f64::INFINITY
    } else if begins("nan") {
        f64::NAN
    } else if let Some(hex) = text.strip_prefix("0x").or_else(|| text.strip_prefix("0X")) {
        hexadecimal(hex)?
    } else {
        decimal(text)?
    };
    Some(if negative { -size } else { size })
}

/// Reads the integer a text begins with: C's `strtoll`.
pub(super) fn int(text: &str) -> Option<i64> {
    let (negative, text) = signed(text);
    let size: i128 = text[..digits(text)].parse().ok()?;
    i64::try_from(if negative { -size } else { size }).ok()
}

/// Reads the integer a text begins with, without its sign: C's `strtoull`, which is 0 for the same texts.
pub(super) fn unsigned(text: &str) -> Option<u64> {
    let (_, text) = signed(text);
    text[..digits(text)].parse().ok()
}

/// Leaves out white space, then a sign.
fn signed(text: &str) -> (bool, &str) {
    let text = text.trim_start_matches([' ', '\t', '\n', '\x0b', '\x0c', '\r']);
    match text.strip_prefix('-') {
        Some(rest) => (true, rest),
        None => (false, text.strip_prefix('+').unwrap_or(text)),
    }
}

/// Counts the digits a text begins with.
fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

fn decimal(text: &str) -> Option<f64> {
    let whole = digits(text);
    let fraction = text[whole..].strip_prefix('.').map_or(0, |rest| 1 + digits(rest));
    let mantissa = &text[..whole + fraction];
    let end = mantissa.len() + exponent(&text[mantissa.len()..], ['e', 'E']).map_or(0, |(_, length)| length);
    let size: f64 = text[..end].parse().ok()?;
    let nothing = mantissa.bytes().all(|byte| matches!(byte, b'0' | b'.'));
    in_range(size, nothing)
}

/// Reads what stands behind `0x`; without digits there the number is the 0.
fn hexadecimal(text: &str) -> Option<f64> {
    let (mut mantissa, mut power, mut point, mut length) = (0_u64, 0_i64, false, 0);
    for byte in text.bytes() {
        match char::from(byte).to_digit(16) {
            // What no longer fits only says whether the rest is more than nothing, which is enough to round.
            Some(digit) if mantissa >> 58 != 0 => {
                mantissa |= u64::from(digit != 0);
                power += if point { 0 } else { 4 };
            }
            Some(digit) => {
                mantissa = mantissa << 4 | u64::from(digit);
                power -= if point { 4 } else { 0 };
            }
            None if byte == b'.' && !point => point = true,
            None => break,
        }
        length += 1;
    }
    let more = exponent(&text[length..], ['p', 'P']).filter(|_| length > usize::from(point));
    let mut power = power.saturating_add(more.map_or(0, |(power, _)| power)).clamp(-5000, 5000) as i32;
    let mut size = mantissa as f64;
    while power != 0 {
        let step = power.clamp(-1000, 1000);
        size *= 2_f64.powi(step);
        power -= step;
    }
    in_range(size, mantissa == 0)
}

/// Reads an exponent with its letter; returns it and the number of its bytes.
fn exponent(text: &str, letters: [char; 2]) -> Option<(i64, usize)> {
    let rest = text.strip_prefix(letters)?;
    let unsigned = rest.strip_prefix(['+', '-']).unwrap_or(rest);
    let count = digits(unsigned);
    if count == 0 {
        return None;
    }
    let size = unsigned[..count].parse::<i64>().unwrap_or(i64::MAX);
    let length = text.len() - unsigned.len() + count;
    Some((if rest.starts_with('-') { -size } else { size }, length))
}

/// Keeps a number that is neither too large nor too small.
fn in_range(size: f64, nothing: bool) -> Option<f64> {
    Some(size).filter(|size| nothing || size.is_normal())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_written_with_eight_digits() {
        let written = [
            (-0.0, "-0"),
            (1.0 / 3.0, "0.33333333"),
            (123_456_789.0, "1.2345679e+08"),
            (99_999_999.5, "1e+08"),
            (12_345_678.5, "12345678"),
            (1e-4, "0.0001"),
            (1e-5, "1e-05"),
            (5e-324, "4.9406565e-324"),
            (f64::NEG_INFINITY, "-INF"),
        ];
        for (x, text) in written {
            assert_eq!(write(x), text);
        }
    }

    #[test]
    fn what_a_text_begins_with_is_read() {
        let read = [(" \t+1.5abc", 1.5), ("1e", 1.0), ("5.x", 5.0), ("-.5", -0.5), ("0x1Ap-1 ", 13.0), ("0xg", 0.0)];
        for (text, x) in read {
            assert_eq!(float(text), Some(x), "{text}");
        }
        assert_eq!(float("-Infinity"), Some(f64::NEG_INFINITY));
        assert!(float("nan(1)").is_some_and(f64::is_nan));
        for text in ["", "-", ".", "e5", "--1", "true", "é", "1e400", "1e-400", "1e-310"] {
            assert_eq!(float(text), None, "{text}");
        }
    }

    #[test]
    fn integers_end_at_the_first_point() {
        assert_eq!(int(" -12.7"), Some(-12));
        assert_eq!(int("-9223372036854775808"), Some(i64::MIN));
        for text in ["9223372036854775808", &"9".repeat(60), ".5", "x1"] {
            assert_eq!(int(text), None, "{text}");
        }
        assert_eq!(unsigned("-1"), Some(1));
        assert_eq!(unsigned("18446744073709551616"), None);
    }
}
