//! Regular expressions as RE2 reads them in onnxruntime's operators, and its longest match.

use std::{fmt, ops::Range};

use regex_automata::{
    Anchored, Input, MatchKind,
    hybrid::dfa::{Cache, DFA},
    meta,
    nfa::thompson,
    util::pool::{Pool, PoolGuard},
};

/// Makes the room a search works in.
type MakeCache = Box<dyn Fn() -> Cache + Send + Sync + std::panic::UnwindSafe + std::panic::RefUnwindSafe>;

/// An expression, ready to search for the longest of its leftmost matches. Searches take time linear in the text.
pub(super) struct Expression {
    written: String,
    /// Finds where a match begins: the leftmost ones all begin there.
    begins: meta::Regex,
    /// Goes on from there for as long as there could be a longer one.
    longest: DFA,
    caches: Pool<Cache, MakeCache>,
}

/// What a search works in, to be used for many of them.
pub(super) type Room<'a> = PoolGuard<'a, Cache, MakeCache>;

impl fmt::Debug for Expression {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Expression").field(&self.written).finish()
    }
}

impl Expression {
    /// Reads an expression that may have so many bytes when it is ready.
    ///
    /// # Errors
    /// It is not one, or it is too large.
    pub(super) fn new(written: &str, bytes: usize) -> Result<Expression, String> {
        let refused = || format!("it cannot search for the expression `{written}`");
        let pattern = translated(written).ok_or_else(refused)?;
        let begins = meta::Config::new().nfa_size_limit(Some(bytes));
        let begins = meta::Regex::builder().configure(begins).build(&pattern).map_err(|_| refused())?;
        let longest = DFA::builder()
            .configure(DFA::config().match_kind(MatchKind::All))
            .thompson(thompson::Config::new().nfa_size_limit(Some(bytes)))
            .build(&pattern)
            .map_err(|_| refused())?;
        let make: MakeCache = Box::new({
            let longest = longest.clone();
            move || longest.create_cache()
        });
        Ok(Expression { written: written.to_owned(), begins, longest, caches: Pool::new(make) })
    }

    /// Returns room for searches.
    pub(super) fn room(&self) -> Room<'_> {
        self.caches.get()
    }

    /// Finds the first match from a place on; none beyond the text's end.
    pub(super) fn find(&self, text: &str, from: usize, room: &mut Room<'_>) -> Option<Range<usize>> {
        if from > text.len() {
            return None;
        }
        let first = self.begins.search(&Input::new(text).range(from..))?;
        let rest = Input::new(text).range(first.start()..).anchored(Anchored::Yes);
        // Only bytes that this DFA knows all and a cache that may not be emptied would make it give up.
        let longest = self.longest.try_search_fwd(room, &rest).ok().flatten();
        Some(first.start()..longest.map_or(first.end(), |end| end.offset()))
    }
}

/// Writes an expression of RE2's for this crate. There, `\w` and the like are ASCII, and brackets and signs may stand
/// for themselves where they have a meaning here. None if it says what RE2 does not know.
fn translated(written: &str) -> Option<String> {
    let (mut pattern, mut rest, mut in_class) = (String::with_capacity(written.len()), written, false);
    while let Some(char) = rest.chars().next() {
        let behind = &rest[char.len_utf8()..];
        let length = match char {
            '\\' => escape(behind, in_class, &mut pattern)? + 1,
            '[' if in_class => match posix(rest) {
                Some(class) => {
                    pattern.push_str(class);
                    class.len()
                }
                None => literal(char, &mut pattern),
            },
            '[' => {
                in_class = true;
                let negated = behind.starts_with('^');
                pattern.push_str(if negated { "[^" } else { "[" });
                // What a class begins with is a sign, whatever else it is.
                let sign = match behind[usize::from(negated)..].chars().next() {
                    Some(']') => r"\]",
                    Some('-') => r"\-",
                    _ => "",
                };
                pattern.push_str(sign);
                1 + usize::from(negated) + usize::from(!sign.is_empty())
            }
            ']' => {
                in_class = false;
                pattern.push(']');
                1
            }
            '-' if in_class && behind.starts_with('-') => {
                pattern.push_str(r"-\-");
                2
            }
            '&' | '~' if in_class => literal(char, &mut pattern),
            '{' if !in_class && !repeats(behind) => literal(char, &mut pattern),
            '(' if !in_class && strange_flags(behind) => return None,
            _ => {
                pattern.push(char);
                char.len_utf8()
            }
        };
        rest = &rest[length..];
    }
    Some(pattern)
}

/// Writes what stands behind a backslash; returns how many bytes of it.
fn escape(behind: &str, in_class: bool, pattern: &mut String) -> Option<usize> {
    let char = behind.chars().next()?;
    let perl = match char.to_ascii_lowercase() {
        'd' => "0-9",
        'w' => "0-9A-Za-z_",
        's' => r"\t\n\f\r\x20",
        _ => "",
    };
    match char {
        'd' | 'w' | 's' if in_class => pattern.push_str(perl),
        'd' | 'w' | 's' => pattern.extend(["[", perl, "]"]),
        'D' | 'W' | 'S' => pattern.extend(["[^", perl, "]"]),
        'b' if !in_class => pattern.push_str(r"(?-u:\b)"),
        'B' if !in_class => pattern.push_str(r"(?-u:\B)"),
        '<' | '>' => pattern.push(char),
        'Q' => {
            let quoted = &behind[1..];
            let end = quoted.find(r"\E").unwrap_or(quoted.len());
            quoted[..end].chars().for_each(|char| {
                literal(char, pattern);
            });
            return Some(1 + end + quoted[end..].len().min(2));
        }
        'p' | 'P' | 'x' if behind[1..].starts_with('{') => {
            let end = behind.find('}')? + 1;
            pattern.extend(["\\", &behind[..end]]);
            return Some(end);
        }
        _ => pattern.extend(['\\', char]),
    }
    Some(char.len_utf8())
}

/// Writes a character that stands for itself; returns its bytes.
fn literal(char: char, pattern: &mut String) -> usize {
    if char.is_ascii_punctuation() && !matches!(char, '<' | '>') {
        pattern.push('\\');
    }
    pattern.push(char);
    char.len_utf8()
}

/// Returns the class like `[:alpha:]` that a text begins with.
fn posix(text: &str) -> Option<&str> {
    let name = text.strip_prefix("[:")?;
    let end = name.find(":]")?;
    name[..end].chars().all(|char| char.is_ascii_lowercase() || char == '^').then(|| &text[..end + 4])
}

/// Tells whether `{` and this is how often something repeats.
fn repeats(behind: &str) -> bool {
    let Some((times, _)) = behind.split_once('}') else { return false };
    let (least, most) = times.split_once(',').unwrap_or((times, ""));
    !least.is_empty() && [least, most].iter().all(|times| times.bytes().all(|byte| byte.is_ascii_digit()))
}

/// Tells whether `(` and this sets flags that RE2 does not have.
fn strange_flags(behind: &str) -> bool {
    let flags = behind.strip_prefix('?').and_then(|flags| flags.split([':', ')']).next()).unwrap_or_default();
    !flags.contains('<') && flags.chars().any(|flag| !"imsU-".contains(flag))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all<'a>(written: &str, text: &'a str) -> Vec<&'a str> {
        let expression = Expression::new(written, 1 << 20).unwrap();
        let mut room = expression.room();
        let (mut from, mut found) = (0, Vec::new());
        while let Some(range) = expression.find(text, from, &mut room) {
            from = range.end.max(range.start + 1);
            found.push(&text[range]);
        }
        found
    }

    #[test]
    fn the_longest_match_is_found() {
        assert_eq!(all(r"\d+|\d+\.\d+", "a 1.5 b 20"), ["1.5", "20"]);
        assert_eq!(all("a??(ab)?", "ab"), ["ab", ""]);
        assert_eq!(all(r"\b\w\w+\b", "a bc d_e, fgh"), ["bc", "d_e", "fgh"]);
    }

    #[test]
    fn classes_are_of_ascii_and_signs_stand_for_themselves() {
        assert_eq!(all(r"\w+", "été_1"), ["t", "_1"]);
        assert_eq!(all(r"[^\W\d]+", "a1é b"), ["a", "b"]);
        assert_eq!(all(r"[\W]", "aé"), ["é"]);
        assert_eq!(all("[[&&a]+", "x[&a"), ["[&a"]);
        assert_eq!(all("[]+--]+", "x]+,-"), ["]+,-"]);
        assert_eq!(all("[^^]+", "a]^b"), ["a]", "b"]);
        assert_eq!(all("[--/]+", "a-./b"), ["-./"]);
        assert_eq!(all(r"\Qa.b\E+|\<", "a.bb ab <"), ["a.bb", "<"]);
        assert_eq!(all(r"x{,2}|{y}", "x{,2} {y}"), ["x{,2}", "{y}"]);
        assert_eq!(all(r"[[:alpha:]]+|\p{Greek}+", "ab αβ"), ["ab", "αβ"]);
    }

    #[test]
    fn what_re2_does_not_know_is_refused() {
        for written in ["(?u)a", "(?x: a)", "(", "[a", r"\", r"(a)\1", "a{1000}{1000}"] {
            assert!(Expression::new(written, 1 << 20).is_err(), "{written}");
        }
    }
}
