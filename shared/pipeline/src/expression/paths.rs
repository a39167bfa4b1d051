//! The paths an expression's text reads, with their places: what a did-you-mean needs even where the text does not
//! compile.

use std::ops::Range;

use vrl::path::{OwnedSegment, OwnedTargetPath, OwnedValuePath, PathPrefix, parse_target_path};

/// A path in an expression's text.
pub(super) struct Found {
    pub path: OwnedTargetPath,
    pub span: Range<usize>,
    /// It stands before `=`, `|=`, or a comma of `value, error = …`.
    pub assigned: bool,
}

/// Finds the paths in a text: `.a.b`, `%id`, `."odd name"[0]`. Strings and comments are skipped.
pub(super) fn find(text: &str) -> Vec<Found> {
    let bytes = text.as_bytes();
    let mut found = Vec::new();
    let mut at = 0;
    let mut before = b' ';
    while at < bytes.len() {
        let c = bytes[at];
        match c {
            b'"' => at = string_end(bytes, at + 1, b'"'),
            b'\'' => at = string_end(bytes, at + 1, b'\''),
            b'#' => at += bytes[at..].iter().position(|c| *c == b'\n').unwrap_or(bytes.len() - at),
            b'.' | b'%' if !ends_operand(before) => {
                let end = path_end(bytes, at);
                if end > at + 1 {
                    let path = parse_target_path(&text[at..end]).unwrap_or_else(|_| unquoted(&text[at..end]));
                    found.push(Found { path, span: at..end, assigned: is_assigned(&text[end..]) });
                } else if c == b'.' && is_assigned(&text[end..]) {
                    // The whole record: it may give anything from here on.
                    found.push(Found { path: OwnedTargetPath::event_root(), span: at..end, assigned: true });
                }
                at = end.max(at + 1);
            }
            _ => at += 1,
        }
        before = bytes[at.min(bytes.len()) - 1];
    }
    found
}

/// Finds each path a text reads, once, as it is written there.
pub(crate) fn read(text: &str) -> Vec<(String, OwnedTargetPath)> {
    let mut read: Vec<(String, OwnedTargetPath)> = Vec::new();
    for found in find(text).into_iter().filter(|found| !found.assigned) {
        let written = &text[found.span];
        if !read.iter().any(|(earlier, _)| earlier == written) {
            read.push((written.to_owned(), found.path));
        }
    }
    read
}

/// Makes a path of names that should have been quoted, for what is said about it.
fn unquoted(text: &str) -> OwnedTargetPath {
    let segments = text[1..].split('.').map(OwnedSegment::field).collect();
    let prefix = if text.starts_with('%') { PathPrefix::Metadata } else { PathPrefix::Event };
    OwnedTargetPath { prefix, path: OwnedValuePath { segments } }
}

/// Tells whether a dot behind this byte continues something: a number, a call, a variable.
fn ends_operand(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b')' | b']' | b'}' | b'"' | b'.')
}

pub(super) fn string_end(bytes: &[u8], mut at: usize, quote: u8) -> usize {
    while at < bytes.len() && bytes[at] != quote {
        at += if bytes[at] == b'\\' { 2 } else { 1 };
    }
    (at + 1).min(bytes.len())
}

fn path_end(bytes: &[u8], start: usize) -> usize {
    // What is not ASCII must be quoted; taking it in shows the whole of what was meant.
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'@' | 0x80..);
    let mut at = start + 1;
    loop {
        match bytes.get(at) {
            Some(b'"') => at = string_end(bytes, at + 1, b'"'),
            Some(byte) if is_name(byte) => at += bytes[at..].iter().take_while(|byte| is_name(byte)).count(),
            Some(b'[') if bytes.get(at + 1).is_some_and(|byte| byte.is_ascii_digit() || *byte == b'-') => {
                at += bytes[at..].iter().take_while(|byte| **byte != b']').count() + 1;
            }
            _ => return at.min(bytes.len()),
        }
        let more = bytes.get(at + 1).is_some_and(|byte| is_name(byte) || *byte == b'"');
        if bytes.get(at) == Some(&b'.') && more {
            at += 1;
        }
    }
}

fn is_assigned(rest: &str) -> bool {
    let rest = rest.trim_start_matches([' ', '\t']);
    let rest = match rest.strip_prefix(',') {
        Some(other) => {
            let other = other.trim_start();
            other[target_end(other.as_bytes())..].trim_start()
        }
        None => rest,
    };
    rest.starts_with("|=") || (rest.starts_with('=') && !rest.starts_with("=="))
}

/// Finds where a target of an assignment ends: a path, or a variable and what may stand behind it.
fn target_end(bytes: &[u8]) -> usize {
    let name = bytes.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    match (name, bytes.get(name)) {
        (0, Some(b'%')) | (_, Some(b'.')) => path_end(bytes, name),
        (1.., Some(b'[')) => path_end(bytes, name - 1),
        _ => name,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn texts(text: &str) -> Vec<(&str, bool)> {
        find(text).into_iter().map(|found| (&text[found.span], found.assigned)).collect()
    }

    #[test]
    fn finds_reads_and_assignments_outside_strings_and_comments() {
        assert_eq!(texts(".a.b + 1.5"), [(".a.b", false)]);
        assert_eq!(texts("(.x || 0.0) - .y[0].z"), [(".x", false), (".y[0].z", false)]);
        assert_eq!(
            texts(".r = .o + \"-.no\" # .no\n.h == %key"),
            [(".r", true), (".o", false), (".h", false), ("%key", false)]
        );
        assert_eq!(texts(".a, err = parse_json(.b)"), [(".a", true), (".b", false)]);
        for other in ["err", ".", ".e.f", ".\"odd, = name\".b", "x[0].y", "%e", "_"] {
            assert_eq!(texts(&format!(".a, {other} = .b"))[0], (".a", true), "{other}");
            assert_eq!(texts(&format!(".a, {other} == .b"))[0], (".a", false), "{other}");
        }
        assert_eq!(texts(".c, .\"odd x\" = f()"), [(".c", true), (".\"odd x\"", true)]);
        assert_eq!(texts("x.y + f(.z).w"), [(".z", false)]);
        assert_eq!(texts(".\"odd name\".b"), [(".\"odd name\".b", false)]);
        assert_eq!(texts("."), []);
    }

    #[test]
    fn what_is_read_is_named_once_as_written() {
        let names = |text| read(text).into_iter().map(|(name, _)| name).collect::<Vec<_>>();
        assert_eq!(names(".a.b > 1 && (.a.b < %x || \".no\" == .c[0])"), [".a.b", "%x", ".c[0]"]);
        assert_eq!(names(".a = .b\n.b"), [".b"]);
    }
}
