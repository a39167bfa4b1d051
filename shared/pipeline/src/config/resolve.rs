//! `${VAR:-default}` and `${file:PATH}` in resource, model and category fields. Values are never printed.

use std::{collections::HashMap, fmt, io::Read, ops::Range, path::Path};

/// The variables a pipeline file may refer to.
#[derive(Clone, Default)]
pub struct Environment {
    variables: HashMap<String, String>,
    /// What is not among them may be set where the file is used.
    partial: bool,
}

impl Environment {
    /// Takes the process's environment.
    pub fn of_process() -> Environment {
        // What is not UTF-8 cannot be part of a URL: it counts as not set.
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Environment::of(std::env::vars_os().filter_map(utf8))
    }

    /// Takes these variables and no others.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Environment {
        Environment { variables: variables.into_iter().collect(), partial: false }
    }

    /// Knows no variable yet: defaults stand, and what has none is left out, without being a mistake.
    pub fn unknown() -> Environment {
        Environment { variables: HashMap::new(), partial: true }
    }

    /// Returns the value of a variable; an empty one counts as not set.
    pub fn get(&self, name: &str) -> Option<&str> {
        self.variables.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }
}

/// Shows names only.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.variables.keys()).finish()
    }
}

/// One `${…}` of a pipeline file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reference {
    /// The place in the pipeline file, such as `sinks.dead`.
    pub at: String,
    /// Where the text it stands in is, in bytes of the file's text.
    pub span: Range<usize>,
    /// What it refers to.
    pub to: Referred,
}

/// What a `${…}` refers to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Referred {
    /// A variable, set or not.
    Variable {
        /// Its name.
        name: String,
        /// Something stands in where it is not set.
        default: bool,
    },
    /// The path of a file whose content was put in, or was to be.
    File(String),
}

/// A text after its variables were put in.
pub(super) struct Resolved {
    pub text: String,
    /// The variable or file something came from, if anything did.
    pub from: Option<String>,
}

/// Why variables cannot be put in.
#[derive(Debug, PartialEq)]
pub(super) enum Unresolved {
    /// What is missing or malformed, never a value.
    Wrong(String),
    /// A variable has no value, and whether it will have one is not known.
    NotKnown,
}

/// Puts variables into a text, and tells what it refers to: variables in defaults too that are not needed.
///
/// # Errors
/// What is missing or malformed.
pub(super) fn resolve(
    text: &str,
    environment: &Environment,
    base: &Path,
    referred: &mut Vec<Referred>,
) -> Result<Resolved, Unresolved> {
    const MAX_FILE: u64 = 64 << 10;
    let mut resolved = Resolved { text: String::new(), from: None };
    for part in parts(text).map_err(Unresolved::Wrong)? {
        let (name, default) = match part {
            Part::Text(text) => {
                resolved.text.push_str(text);
                continue;
            }
            Part::File(path) => {
                referred.push(Referred::File(path.to_owned()));
                let content = read_bounded(&base.join(path), MAX_FILE)
                    .map_err(|error| Unresolved::Wrong(format!("cannot read {path}: {error}")))?;
                resolved.text.push_str(content.trim_end_matches(['\r', '\n']));
                resolved.from = Some(format!("file:{path}"));
                continue;
            }
            Part::Variable { name, default } => (name, default),
        };
        referred.push(Referred::Variable { name: name.to_owned(), default: default.is_some() });
        match (environment.get(name), default) {
            (Some(value), default) => {
                resolved.text.push_str(value);
                resolved.from = Some(name.to_owned());
                default.into_iter().for_each(|default| note_variables(default, referred));
            }
            (None, Some(default)) => {
                let inner = resolve(default, environment, base, referred)?;
                resolved.text.push_str(&inner.text);
                resolved.from = inner.from.or(resolved.from);
            }
            (None, None) if environment.partial => return Err(Unresolved::NotKnown),
            (None, None) => {
                let why = format!("the variable {name} is not set or empty, and there is no default");
                return Err(Unresolved::Wrong(why));
            }
        }
    }
    Ok(resolved)
}

/// Notes the variables of a default that is not used.
fn note_variables(text: &str, referred: &mut Vec<Referred>) {
    for part in parts(text).unwrap_or_default() {
        if let Part::Variable { name, default } = part {
            referred.push(Referred::Variable { name: name.to_owned(), default: default.is_some() });
            default.into_iter().for_each(|default| note_variables(default, referred));
        }
    }
}

enum Part<'a> {
    Text(&'a str),
    File(&'a str),
    Variable { name: &'a str, default: Option<&'a str> },
}

/// Takes a text apart.
///
/// # Errors
/// What is malformed.
fn parts(text: &str) -> Result<Vec<Part<'_>>, String> {
    let mut parts = Vec::new();
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        parts.push(Part::Text(&rest[..start]));
        let inside = &rest[start + 2..];
        let end = closing(inside).ok_or_else(|| "`${` is not closed by `}`".to_owned())?;
        let reference = &inside[..end];
        rest = &inside[end + 1..];
        if let Some(path) = reference.strip_prefix("file:") {
            parts.push(Part::File(path));
            continue;
        }
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("`{name}` is not a variable's name"));
        }
        parts.push(Part::Variable { name, default });
    }
    parts.push(Part::Text(rest));
    Ok(parts)
}

/// Reads a text file of at most that many bytes, whatever its length claims to be.
pub(super) fn read_bounded(path: &Path, most: u64) -> std::io::Result<String> {
    let mut text = String::new();
    std::fs::File::open(path)?.take(most + 1).read_to_string(&mut text)?;
    if text.len() as u64 > most {
        return Err(std::io::Error::other(format!("it is larger than {} KiB", most >> 10)));
    }
    Ok(text)
}

/// Finds the brace that closes a reference, over nested ones.
fn closing(text: &str) -> Option<usize> {
    let mut depth = 1;
    for (at, c) in text.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return Some(at);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    type Text = Result<(String, Option<String>), Unresolved>;

    fn resolved(text: &str, environment: &Environment) -> (Text, Vec<String>) {
        let mut referred = Vec::new();
        let resolved = resolve(text, environment, Path::new(""), &mut referred);
        let word = |referred| match referred {
            Referred::Variable { name, default } => format!("{name}{}", if default { "?" } else { "" }),
            Referred::File(path) => format!("file:{path}"),
        };
        (resolved.map(|resolved| (resolved.text, resolved.from)), referred.into_iter().map(word).collect())
    }

    fn sink() -> Environment {
        Environment::of([("SINK".to_owned(), "kinesis://s".to_owned()), ("EMPTY".to_owned(), String::new())])
    }

    #[test]
    fn variables_and_defaults() {
        let from_sink = Some("SINK".to_owned());
        for (text, wanted, from, referred) in [
            ("${SINK:-stdout:}", "kinesis://s", from_sink.clone(), "SINK?"),
            ("${NONE:-stdout:}", "stdout:", None, "NONE?"),
            ("${EMPTY:-stdout:}", "stdout:", None, "EMPTY?"),
            ("a/${NONE:-${SINK}}/b", "a/kinesis://s/b", from_sink.clone(), "NONE? SINK"),
            ("${SINK:-${NONE:-${OTHER}}}", "kinesis://s", from_sink.clone(), "SINK? NONE? OTHER"),
            // What is not read may be missing, and malformed.
            ("${SINK:-${file:no/such/file}${}}", "kinesis://s", from_sink, "SINK?"),
            ("plain", "plain", None, ""),
        ] {
            let (resolved, found) = resolved(text, &sink());
            assert_eq!((resolved, found.join(" ")), (Ok((wanted.to_owned(), from)), referred.to_owned()), "{text}");
        }
    }

    #[test]
    fn what_is_missing_is_named() {
        let why = |text| match resolved(text, &sink()).0.unwrap_err() {
            Unresolved::Wrong(why) => why,
            Unresolved::NotKnown => panic!("{text}: everything is known"),
        };
        assert_eq!(why("${NONE}"), "the variable NONE is not set or empty, and there is no default");
        assert_eq!(why("${NONE"), "`${` is not closed by `}`");
        assert!(why("${file:no/such/file}").starts_with("cannot read no/such/file"));
    }

    #[test]
    fn what_may_be_set_elsewhere_is_not_missing() {
        let unknown = Environment::unknown();
        let (text, referred) = resolved("${NONE:-a}/${OTHER}", &unknown);
        assert_eq!((text, referred.join(" ").as_str()), (Err(Unresolved::NotKnown), "NONE? OTHER"));
        assert_eq!(resolved("${NONE:-a}", &unknown).0, Ok(("a".to_owned(), None)));
    }
}
