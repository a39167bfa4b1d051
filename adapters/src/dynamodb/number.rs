//! DynamoDB's numbers: decimal, up to 38 digits, written as text.

use fourstroke::Value;

/// Reads a number as JSON's are read: a whole one that fits is an integer, any other the float nearest to it.
pub(super) fn number(text: &str) -> Option<Value> {
    match whole(text).and_then(|whole| i64::try_from(whole).ok()) {
        Some(whole) => Some(Value::Integer(whole)),
        None => text.parse().ok().filter(|float: &f64| float.is_finite()).map(Value::from_f64_or_zero),
    }
}

/// Reads a whole number to the last digit, however it is written: `100`, `1E+2`, `100.0`.
pub(super) fn whole(text: &str) -> Option<i128> {
    let (mantissa, exponent) = match text.split_once(['e', 'E']) {
        Some((mantissa, exponent)) => (mantissa, exponent.parse().ok()?),
        None => (text, 0_i32),
    };
    let (sign, mantissa) = match mantissa.strip_prefix('-') {
        Some(mantissa) => (-1, mantissa),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let digits = format!("{whole}{fraction}");
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let significant = digits.trim_end_matches('0');
    if significant.is_empty() {
        return Some(0);
    }
    let zeros = i32::try_from(digits.len() - significant.len()).ok()?;
    let scale = exponent.checked_sub(i32::try_from(fraction.len()).ok()?)?.checked_add(zeros)?;
    let scale = 10_i128.checked_pow(u32::try_from(scale).ok()?)?;
    significant.parse::<i128>().ok()?.checked_mul(scale)?.checked_mul(sign)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn numbers_are_read_exactly() {
        let float = Value::from_f64_or_zero;
        for (text, value) in [
            ("0", Value::Integer(0)),
            ("-0", Value::Integer(0)),
            ("9223372036854775807", Value::Integer(i64::MAX)),
            ("-9223372036854775808", Value::Integer(i64::MIN)),
            ("9223372036854775808", float(9_223_372_036_854_775_808.0)),
            ("1E+2", Value::Integer(100)),
            ("12.50e1", Value::Integer(125)),
            ("+1.0", Value::Integer(1)),
            ("100E-2", Value::Integer(1)),
            ("0.1", float(0.1)),
            ("-1E-130", float(-1e-130)),
            ("9.9999999999999999999999999999999999999E+125", float(1e126)),
            ("0.30000000000000004", float(0.1 + 0.2)),
        ] {
            assert_eq!(number(text), Some(value), "{text}");
        }
        for text in ["", "-", ".", "e1", "1e", "1e99999999999", "0x1", "1 ", "--1", "+-1", "1.2.3", "NaN", "inf", "١"]
        {
            assert_eq!(whole(text), None, "{text}");
            assert_eq!(number(text), None, "{text}");
        }
        assert_eq!(
            whole("12345678901234567890123456789012345678"),
            Some(12_345_678_901_234_567_890_123_456_789_012_345_678)
        );
        assert_eq!(whole("1E+125"), None);
    }

    proptest! {
        #[test]
        fn whole_numbers_come_back(value in any::<i64>(), zeros in 0..6_usize) {
            prop_assert_eq!(number(&value.to_string()), Some(Value::Integer(value)));
            let nought = "0".repeat(zeros);
            prop_assert_eq!(whole(&format!("{value}.{nought}")), Some(i128::from(value)));
            prop_assert_eq!(whole(&format!("{value}{nought}E-{zeros}")), Some(i128::from(value)));
        }

        #[test]
        fn floats_come_back(value in -1e125_f64..1e125) {
            let read = number(&format!("{value:e}")).and_then(|read| match read {
                Value::Integer(whole) => Some(whole as f64),
                Value::Float(float) => Some(float.into_inner()),
                _ => None,
            });
            prop_assert_eq!(read, Some(value));
        }
    }
}
