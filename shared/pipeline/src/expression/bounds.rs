//! How long and how deep an expression may be. VRL's compiler and programs call themselves for each level, and types are
//! worked out anew at each nested call: without a bound a text could use up the stack, which nothing can catch, or hours.

use super::paths::string_end;

const MAX_BYTES: usize = 64 << 10;
const MAX_BRACKETS: usize = 64;
/// In one statement, counted through the brackets it stands in: each makes the tree one level deeper.
const MAX_OPERATORS: usize = 200;
/// Each nested call doubles the compiler's work.
const MAX_CALLS: usize = 10;
const MAX_SEGMENTS: usize = 128;
/// Assigning to an index makes an array of that length.
const MAX_INDEX: usize = 9_999;

/// Says what is too much, if anything; and that `return` is not offered, which would leave the record half made.
pub(super) fn check(text: &str) -> Result<(), String> {
    if text.len() > MAX_BYTES {
        return Err(format!("an expression may have {} KiB", MAX_BYTES >> 10));
    }
    let mut walk = Walk::new(text);
    while walk.at < text.len() {
        walk.step()?;
        walk.within()?;
    }
    Ok(())
}

/// What stands between two brackets, as far as it is read.
#[derive(Default)]
struct Level {
    /// Operators of the statement, argument or element that is being read.
    operators: usize,
    /// Those before its last comma, which turns out to part two targets where an assignment follows.
    before_comma: usize,
    /// A closure's variables were announced: the next `{` is its body.
    closure: bool,
    /// These are a call's arguments, or a closure's body.
    call: bool,
}

struct Walk<'a> {
    text: &'a str,
    at: usize,
    /// The innermost last; the first is the text itself.
    levels: Vec<Level>,
    segments: usize,
    /// Nothing but space and comments since the last line's end.
    line_ended: bool,
    /// An operator or `else` was last: a line's end ends nothing.
    wants_more: bool,
    last_word: &'a str,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Walk<'a> {
        let levels = vec![Level::default()];
        Walk { text, at: 0, levels, segments: 0, line_ended: false, wants_more: false, last_word: "" }
    }

    fn level(&mut self) -> &mut Level {
        let last = self.levels.len() - 1;
        &mut self.levels[last]
    }

    /// The bytes before and from here on.
    fn around(&self) -> (&'a [u8], &'a [u8]) {
        self.text.as_bytes().split_at(self.at)
    }

    /// Reads one token.
    fn step(&mut self) -> Result<(), String> {
        let (before, rest) = self.around();
        let byte = rest[0];
        let previous = before.last().copied().unwrap_or(b' ');
        if byte == b'#' {
            self.at += rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            return Ok(());
        }
        if byte.is_ascii_whitespace() {
            self.line_ended |= byte == b'\n';
            self.segments = 0;
            self.at += 1;
            return Ok(());
        }
        let word = &self.text[self.at..self.at + rest.iter().take_while(|byte| is_word(**byte)).count()];
        if std::mem::take(&mut self.line_ended) && !self.wants_more && word != "else" && byte != b'{' {
            self.statement();
        }
        let wanted_more = std::mem::take(&mut self.wants_more);
        if !word.is_empty() {
            self.at += word.len();
            // A literal such as `s'…'`: what is in it is no expression.
            if matches!(word, "s" | "r" | "t") && rest.get(1) == Some(&b'\'') {
                self.at = string_end(self.text.as_bytes(), self.at + 1, b'\'');
            } else if !b".%".contains(&previous) {
                self.word(word, wanted_more)?;
            }
            return Ok(());
        }
        match byte {
            b'"' => {
                let end = string_end(self.text.as_bytes(), self.at + 1, b'"');
                // `"a {{ b }} c"` is `"a " + b + " c"`.
                self.level().operators += 2 * self.text[self.at..end].matches("{{").count();
                self.segments += 1;
                self.at = end;
                return Ok(());
            }
            b'.' => self.segments += 1,
            b'[' => {
                self.segments += 1;
                if index(&self.text.as_bytes()[self.at.saturating_sub(1)..]).is_some_and(|index| index > MAX_INDEX) {
                    return Err(format!("an index may be {MAX_INDEX} at most"));
                }
                self.levels.push(Level::default());
            }
            b'(' => {
                let named = previous == b'!' || is_word(previous);
                let call = named && !matches!(self.last_word, "if" | "else" | "abort");
                self.open(call);
            }
            b'{' => {
                let call = std::mem::take(&mut self.level().closure);
                self.open(call);
            }
            // One too many is a mistake of its own.
            b')' | b']' | b'}' if self.levels.len() > 1 => drop(self.levels.pop()),
            b',' => {
                let level = self.level();
                level.before_comma = std::mem::take(&mut level.operators);
                self.segments = 0;
            }
            b';' => self.statement(),
            byte if b"+-*/!=<>&|?".contains(&byte) => {
                self.operator(rest, previous);
                return Ok(());
            }
            _ => {}
        }
        self.at += 1;
        Ok(())
    }

    fn open(&mut self, call: bool) {
        self.segments = 0;
        self.levels.push(Level { call, ..Level::default() });
    }

    /// A statement ends and another begins.
    fn statement(&mut self) {
        *self.level() = Level { call: self.level().call, ..Level::default() };
        self.segments = 0;
    }

    fn word(&mut self, word: &'a str, wanted_more: bool) -> Result<(), String> {
        match word {
            "return" => return Err("`return` is not offered: let the program run to its end".to_owned()),
            // `else if` is one level.
            "if" if wanted_more && self.last_word == "else" => {}
            "if" | "else" | "abort" => self.level().operators += 1,
            _ => {}
        }
        self.wants_more = word == "else";
        self.last_word = word;
        Ok(())
    }

    fn operator(&mut self, rest: &[u8], previous: u8) {
        const TWO: [&[u8]; 9] = [b"==", b"!=", b">=", b"<=", b"&&", b"||", b"??", b"|=", b"->"];
        let two = TWO.into_iter().find(|two| rest.starts_with(two));
        self.at += two.map_or(1, <[u8]>::len);
        // `f!(…)` is a call.
        if rest.starts_with(b"!(") && is_word(previous) {
            return;
        }
        self.segments = 0;
        self.wants_more = true;
        let level = self.level();
        match two {
            Some(b"->") => level.closure = true,
            None | Some(b"|=") if rest[0] == b'=' || two.is_some() => {
                // `a, b = c`, and so on: each assignment stands in the one before.
                level.operators += std::mem::take(&mut level.before_comma) + 1;
            }
            _ => level.operators += 1,
        }
    }

    /// Checks what is open.
    fn within(&self) -> Result<(), String> {
        let operators: usize = self.levels.iter().map(|level| level.operators).sum();
        let calls = self.levels.iter().filter(|level| level.call).count();
        if self.levels.len() - 1 > MAX_BRACKETS {
            return Err(format!("brackets are nested deeper than {MAX_BRACKETS}"));
        }
        if operators > MAX_OPERATORS {
            return Err(format!("one statement has more than {MAX_OPERATORS} operators, templates and branches"));
        }
        if calls > MAX_CALLS {
            return Err(format!(
                "calls are nested deeper than {MAX_CALLS}: keep what the inner ones give in a variable"
            ));
        }
        if self.segments > MAX_SEGMENTS {
            return Err(format!("a path has more than {MAX_SEGMENTS} segments"));
        }
        Ok(())
    }
}

/// Tells whether a byte belongs to a name. What is not ASCII does, so that names end between characters.
fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | 0x80..)
}

/// Reads the index of a path, given from the byte before its bracket on; without its sign, from whichever end it counts.
fn index(bytes: &[u8]) -> Option<usize> {
    let (before, rest) = bytes.split_first()?;
    let of_path = before.is_ascii_alphanumeric() || b"_@]\").}".contains(before);
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
        for deep in ["(", "!", "[", "{", "if "] {
            assert!(check(&format!("{}true", deep.repeat(2000))).is_err(), "{deep}");
        }
        for (start, more) in [
            ("true", " && true"),
            ("true", " &&\ntrue"),
            ("true", " && # all\n\n true"),
            (".x = 1", " + # one\n 1"),
            ("", ".x, err = "),
            ("", ".x = "),
            ("\"", "{{ x }}"),
            ("\"", "a{{x}}\\\""),
            ("", "if true { 1 } else "),
            ("if true { 1 }", "\nelse if true { 1 }"),
            ("if true { 1 } # one", "\n# two\nelse if true\n{ 1 }"),
            ("if true { 1 }", " else\nif true { 1 }"),
            (".a", ".b"),
            (".a", "\"b\""),
            ("a", "[0]"),
            ("", "f(1, "),
            ("", "f!(a: "),
            ("", "for_each([1]) -> |i, v| {\n"),
            ("' ", "("),
        ] {
            assert!(check(&format!("{start}{}", more.repeat(250))).is_err(), "{more}");
        }
        for index in [".x[1000000000] = 1", ".x.\"y\"[-99999999999999999999999]", ".[10000]"] {
            assert!(check(index).is_err(), "{index}");
        }
        assert!(check("if .a { return . }").is_err());
    }

    #[test]
    fn what_is_only_long_is_not() {
        for (start, more, end) in [
            ("", ".a = .b + 1\n", ""),
            ("if .c {\n", ".a = .b + 1 - 2\n", "}"),
            ("f(", "1 + 1, ", "2)"),
            ("[", "1 + 1, ", "2]"),
            (".x = {", "\"a\": 1 + 1, ", "\"b\": !.c }"),
            ("\"", "(", "\""),
            ("", ".a = \"{{ b }}\"\n", ""),
            ("s'", "{{ b }} + ((", "'"),
            ("# ", "((( - ", ""),
            ("", ".a, err = parse_json(.b)\n", ""),
            ("", "if .a { .b = 1 } else { .b = 2 }\n", ""),
            ("", ".a.b.c = f(g(h(.a)))\n", ""),
        ] {
            assert_eq!(check(&format!("{start}{}{end}", more.repeat(500))), Ok(()), "{more}");
        }
        assert_eq!(check(".x = [1000000000]; .y[9999] = .x[0]"), Ok(()));
        for path in [".return", "%return", ".@return", "x.return", ".a.\"return\" == \"return\"", ".1return"] {
            assert_eq!(check(path), Ok(()), "{path}");
        }
    }
}
