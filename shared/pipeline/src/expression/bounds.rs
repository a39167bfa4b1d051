//! How long and how deep an expression may be. VRL's compiler and programs call themselves for each level: without a bound
//! a text could use up the stack, which nothing can catch.

use super::paths::string_end;

const MAX_BYTES: usize = 64 << 10;
const MAX_DEPTH: usize = 64;
const MAX_OPERATORS: usize = 200;
/// Assigning to an index makes an array of that length.
const MAX_INDEX: usize = 9_999;

/// Says what is too much, if anything; and that `return` is not offered, which would leave the record half made.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("an expression may have {} KiB", MAX_BYTES >> 10));
    }
    let bytes = text.as_bytes();
    let (mut at, mut depth, mut operators, mut last) = (0, 0_usize, 0_usize, b' ');
    while at < bytes.len() {
        let byte = bytes[at];
        let next = match byte {
            b'"' | b'\'' => string_end(bytes, at + 1, byte),
            b'#' => at + bytes[at..].iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len() - at),
            byte if byte.is_ascii_alphabetic() || byte == b'_' => {
                let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                let end = at + bytes[at..].iter().take_while(|byte| is_word(byte)).count();
                // Nested `if … else if …` go as deep as operators do.
                operators += usize::from(matches!(&text[at..end], "if" | "else"));
                if &text[at..end] == "return" && last != b'.' {
                    return Err("`return` is not offered: let the program run to its end".to_owned());
                }
                end
            }
            _ => at + 1,
        };
        if byte == b'[' && at > 0 && index(&bytes[at - 1..]).is_some_and(|index| index > MAX_INDEX) {
            return Err(format!("an index may be {MAX_INDEX} at most"));
        }
        match byte {
            b'(' | b'[' | b'{' => depth += 1,
            b')' | b']' | b'}' => depth = depth.saturating_sub(1),
            b'+' | b'-' | b'*' | b'/' | b'!' | b'=' | b'<' | b'>' | b'&' | b'|' | b'?' => operators += 1,
            // A statement ends, unless an operator wants more.
            b'\n' | b';' if depth == 0 && !b"+-*/=<>&|?,".contains(&last) => operators = 0,
            _ => {}
        }
        if depth > MAX_DEPTH {
            return Err(format!("brackets are nested deeper than {MAX_DEPTH}"));
        }
        // Most operators have two characters.
        if operators > 2 * MAX_OPERATORS {
            return Err(format!("one statement has more than {MAX_OPERATORS} operators"));
        }
        if !byte.is_ascii_whitespace() {
            last = byte;
        }
        at = next;
    }
    Ok(())
}

/// Reads the index of a path, given from the byte before its bracket on; without its sign, from whichever end it counts.
fn index(bytes: &[u8]) -> Option<usize> {
    let (before, rest) = bytes.split_first()?;
    let of_path = before.is_ascii_alphanumeric() || b"_@]\").".contains(before);
    let rest = rest.strip_prefix(b"[")?;
    let digits = rest.strip_prefix(b"-").unwrap_or(rest);
    let length = digits.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'_').count();
    if !of_path || length == 0 {
        return None;
    }
    let digits: String =
        digits[..length].iter().filter(|byte| byte.is_ascii_digit()).map(|byte| *byte as char).collect();
    Some(digits.parse().unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_would_use_up_the_stack_is_refused() {
        assert_eq!(check(".a + 1 > 2 && !(.b || false)"), Ok(()));
        assert_eq!(check(&".a = .b + 1\n".repeat(2000)), Ok(()));
        assert_eq!(check(&format!("\"{}\"", "(".repeat(1000))), Ok(()));
        for deep in ["(", "!", "[", "{"] {
            assert!(check(&format!("{}true", deep.repeat(2000))).is_err(), "{deep}");
        }
        assert!(check(&format!("true{}", " && true".repeat(2000))).is_err());
        assert!(check(&format!("true{}", " &&\ntrue".repeat(2000))).is_err());
        assert!(check(&"if true { 1 } else ".repeat(2000)).is_err());
        for index in [".x[1000000000] = 1", ".x.\"y\"[-99999999999999999999999]", ".[10000]"] {
            assert!(check(index).is_err(), "{index}");
        }
        assert_eq!(check(".x = [1000000000]; .y[9999] = .x[0]"), Ok(()));
        assert!(check("if .a { return . }").is_err());
        assert_eq!(check(".return == \"return\""), Ok(()));
    }
}
