//! `${VAR:-default}` and `${file:PATH}` in resource, model and category fields. Values are never printed.

use std::{collections::HashMap, fmt, io::Read, path::Path};

/// The variables a pipeline file may refer to.
#[derive(Clone, Default)]
pub struct Environment(HashMap<String, String>);

impl Environment {
    /// Takes the process's environment.
    pub fn of_process() -> Environment {
        // What is not UTF-8 cannot be part of a URL: it counts as not set.
        let utf8 = |(name, value): (std::ffi::OsString, std::ffi::OsString)| {
            Some((name.into_string().ok()?, value.into_string().ok()?))
        };
        Environment(std::env::vars_os().filter_map(utf8).collect())
    }

    /// Takes these variables and no others.
    pub fn of(variables: impl IntoIterator<Item = (String, String)>) -> Environment {
        Environment(variables.into_iter().collect())
    }
}

/// Shows names only.
impl fmt::Debug for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.0.keys()).finish()
    }
}

/// A text after its variables were put in.
pub(super) struct Resolved {
    pub text: String,
    /// The variable or file something came from, if anything did.
    pub from: Option<String>,
}

/// Puts variables into a text.
///
/// # Errors
/// What is missing or malformed, never a value.
pub(super) fn resolve(text: &str, environment: &Environment, base: &Path) -> Result<Resolved, String> {
    const MAX_FILE: u64 = 64 << 10;
    let mut resolved = Resolved { text: String::new(), from: None };
    let mut rest = text;
    while let Some(start) = rest.find("${") {
        resolved.text.push_str(&rest[..start]);
        let inside = &rest[start + 2..];
        let end = closing(inside).ok_or_else(|| "`${` is not closed by `}`".to_owned())?;
        let reference = &inside[..end];
        rest = &inside[end + 1..];
        if let Some(path) = reference.strip_prefix("file:") {
            let full = base.join(path);
            let content = read_bounded(&full, MAX_FILE).map_err(|error| format!("cannot read {path}: {error}"))?;
            resolved.text.push_str(content.trim_end_matches(['\r', '\n']));
            resolved.from = Some(reference.to_owned());
            continue;
        }
        let (name, default) = match reference.split_once(":-") {
            Some((name, default)) => (name, Some(default)),
            None => (reference, None),
        };
        if name.is_empty() || !name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') {
            return Err(format!("`{name}` is not a variable's name"));
        }
        match (environment.0.get(name).filter(|value| !value.is_empty()), default) {
            (Some(value), _) => {
                resolved.text.push_str(value);
                resolved.from = Some(name.to_owned());
            }
            (None, Some(default)) => {
                let inner = resolve(default, environment, base)?;
                resolved.text.push_str(&inner.text);
                resolved.from = inner.from.or(resolved.from);
            }
            (None, None) => return Err(format!("the variable {name} is not set or empty, and there is no default")),
        }
    }
    resolved.text.push_str(rest);
    Ok(resolved)
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

    fn resolved(text: &str) -> Result<(String, Option<String>), String> {
        let environment = Environment::of([("SINK".to_owned(), "kinesis://s".to_owned())]);
        resolve(text, &environment, Path::new("")).map(|resolved| (resolved.text, resolved.from))
    }

    #[test]
    fn variables_and_defaults() {
        assert_eq!(resolved("${SINK:-stdout:}"), Ok(("kinesis://s".to_owned(), Some("SINK".to_owned()))));
        assert_eq!(resolved("${NONE:-stdout:}"), Ok(("stdout:".to_owned(), None)));
        assert_eq!(resolved("a/${NONE:-${SINK}}/b"), Ok(("a/kinesis://s/b".to_owned(), Some("SINK".to_owned()))));
        assert_eq!(resolved("plain"), Ok(("plain".to_owned(), None)));
    }

    #[test]
    fn what_is_missing_is_named() {
        assert_eq!(
            resolved("${NONE}"),
            Err("the variable NONE is not set or empty, and there is no default".to_owned())
        );
        assert_eq!(resolved("${NONE"), Err("`${` is not closed by `}`".to_owned()));
        assert!(resolved("${file:no/such/file}").unwrap_err().starts_with("cannot read no/such/file"));
    }
}
