//! A file of variables, `NAME=value` a line: what the environment will be where a pipeline is deployed to.
//!
//! Values are never shown: nothing that is said of a line quotes it behind its name.

use std::{fmt, fs::File, io::Read, path::Path};

use fourstroke::config::Environment;

/// A larger file is none of variables.
const MOST: u64 = 1 << 20;

/// The variables of a file, each with its line; none by default.
#[derive(Default)]
pub struct EnvFile {
    path: String,
    variables: Vec<Variable>,
}

struct Variable {
    name: String,
    value: String,
    line: usize,
}

/// What is wrong with a file of variables.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Wrong {
    pub path: String,
    /// From 1; none: with the file.
    pub line: Option<usize>,
    pub message: String,
}

impl EnvFile {
    /// Reads a file.
    ///
    /// # Errors
    /// It cannot be read, or every line that cannot.
    pub fn read(path: &Path) -> Result<EnvFile, Vec<Wrong>> {
        let shown = path.display().to_string();
        let whole = |message: String| vec![Wrong { path: shown.clone(), line: None, message }];
        let mut bytes = Vec::new();
        let read = File::open(path).and_then(|file| file.take(MOST + 1).read_to_end(&mut bytes));
        read.map_err(|error| whole(format!("cannot be read: {error}")))?;
        if bytes.len() as u64 > MOST {
            return Err(whole(format!("is larger than {} KiB", MOST >> 10)));
        }
        let text = String::from_utf8(bytes).map_err(|_| whole("is not UTF-8".to_owned()))?;
        EnvFile::parse(&shown, &text)
    }

    fn parse(path: &str, text: &str) -> Result<EnvFile, Vec<Wrong>> {
        let (mut variables, mut wrong) = (Vec::<Variable>::new(), Vec::new());
        for (line, text) in (1..).zip(text.trim_start_matches('\u{feff}').lines()) {
            let mut note = |message| wrong.push(Wrong { path: path.to_owned(), line: Some(line), message });
            match variable(text) {
                Ok(None) => {}
                Ok(Some((name, value))) => match variables.iter().find(|known| known.name == name) {
                    Some(Variable { line, .. }) => note(format!("{name} stands in line {line} already")),
                    None => variables.push(Variable { name, value, line }),
                },
                Err(why) => note(why),
            }
        }
        if wrong.is_empty() { Ok(EnvFile { path: path.to_owned(), variables }) } else { Err(wrong) }
    }

    /// Returns these variables, and no others.
    pub fn environment(&self) -> Environment {
        Environment::of(self.variables.iter().map(|variable| (variable.name.clone(), variable.value.clone())))
    }

    /// Says what is wrong with the value of a variable, if it is there and anything is.
    pub fn check(&self, name: &str, check: impl Fn(&str) -> Result<(), String>) -> Option<Wrong> {
        let Variable { value, line, .. } = self.variables.iter().find(|variable| variable.name == name)?;
        let message = check(value).err()?;
        Some(Wrong { path: self.path.clone(), line: Some(*line), message })
    }
}

/// Reads a line; none where it is blank or a comment.
///
/// # Errors
/// One sentence without the value.
fn variable(line: &str) -> Result<Option<(String, String)>, String> {
    let line = line.trim();
    if line.is_empty() || line.starts_with('#') {
        return Ok(None);
    }
    let exported = line.strip_prefix("export").filter(|rest| rest.starts_with([' ', '\t']));
    let line = exported.map_or(line, str::trim_start);
    let Some((name, value)) = line.split_once('=') else {
        return Err("this is no variable: write NAME=value".to_owned());
    };
    let plain = |c: char| c.is_ascii_alphanumeric() || c == '_';
    if name.is_empty() || !name.chars().all(plain) || name.starts_with(|c: char| c.is_ascii_digit()) {
        return Err("a variable's name has letters, digits and `_`, and no space before the `=`".to_owned());
    }
    let (value, rest) = match value.chars().next() {
        Some('\'') => value[1..].split_once('\'').map(|(value, rest)| (value.to_owned(), rest)),
        Some('"') => quoted(&value[1..])?,
        _ => Some(bare(value)?),
    }
    .ok_or_else(|| format!("the quote that opens the value of {name} is not closed in its line"))?;
    let behind = rest.trim_start();
    if !behind.is_empty() && (behind.len() == rest.len() || !behind.starts_with('#')) {
        return Err(format!("something stands behind the value of {name}: put all of it in quotes"));
    }
    if value.contains('\0') {
        return Err(format!("the value of {name} has a NUL in it, which no environment can hold"));
    }
    Ok(Some((name.to_owned(), value)))
}

/// Reads up to the closing quote: a backslash stands before `"`, `\`, `$` and `` ` ``. None where it is not closed.
fn quoted(text: &str) -> Result<Option<(String, &str)>, String> {
    let mut value = String::new();
    let mut characters = text.char_indices();
    while let Some((at, c)) = characters.next() {
        match c {
            '"' => return Ok(Some((value, &text[at + 1..]))),
            '\\' => match characters.next() {
                Some((_, c @ ('"' | '\\' | '$' | '`'))) => value.push(c),
                _ => {
                    return Err(
                        "in double quotes a backslash stands before `\"`, `\\`, `$` or `` ` `` alone".to_owned()
                    );
                }
            },
            '$' | '`' => return Err(expanded()),
            c => value.push(c),
        }
    }
    Ok(None)
}

/// Reads up to white space: what a shell would take as it is.
fn bare(text: &str) -> Result<(String, &str), String> {
    let (value, rest) = text.split_at(text.find(char::is_whitespace).unwrap_or(text.len()));
    if value.contains(['$', '`']) {
        return Err(expanded());
    }
    if value.contains(['\'', '"', '\\']) {
        return Err("a quote or backslash within a value: put all of it in single quotes".to_owned());
    }
    Ok((value.to_owned(), rest))
}

fn expanded() -> String {
    "nothing is put in for `$` and `` ` ``: write the value as it is to be, in single quotes".to_owned()
}

impl fmt::Display for Wrong {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            Some(line) => write!(f, "{}:{line}: {}", self.path, self.message),
            None => write!(f, "{}: {}", self.path, self.message),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    type Variables = Vec<(String, String)>;
    type Refusals = Vec<(Option<usize>, String)>;

    fn read(text: &str) -> Result<Variables, Refusals> {
        let parsed = EnvFile::parse("prod.env", text);
        let variables = |file: EnvFile| file.variables.into_iter().map(|found| (found.name, found.value)).collect();
        parsed.map(variables).map_err(|wrong| wrong.into_iter().map(|wrong| (wrong.line, wrong.message)).collect())
    }

    #[test]
    fn what_a_shell_reads_is_read_alike() {
        let text = "\u{feff}# where it runs\n\nA=kinesis://a\r\n  export B='a $b \"c\"' # why\nC=\"a \\\"b\\\" \\\\ \\$c\"\n\
                    D=\nE=a=b#c\n\texport\tF=1\t#\nexporter=x\n";
        let wanted = [
            ("A", "kinesis://a"),
            ("B", "a $b \"c\""),
            ("C", "a \"b\" \\ $c"),
            ("D", ""),
            ("E", "a=b#c"),
            ("F", "1"),
            ("exporter", "x"),
        ];
        assert_eq!(read(text), Ok(wanted.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()));
    }

    #[test]
    fn every_line_that_is_wrong_is_told_without_its_value() {
        for (line, why) in [
            ("secret", "write NAME=value"),
            ("A =secret", "no space before"),
            ("1A=secret", "a variable's name"),
            ("=secret", "a variable's name"),
            ("A=secret secret", "in quotes"),
            ("A='secret", "is not closed"),
            ("A=\"secret", "is not closed"),
            ("A=\"secret\\n\"", "a backslash stands before"),
            ("A='secret'secret", "in quotes"),
            ("A='secret'#secret", "in quotes"),
            ("A=${SECRET}", "nothing is put in"),
            ("A=\"`secret`\"", "nothing is put in"),
            ("A=secret\\ secret", "single quotes"),
            ("A=\0secret", "NUL"),
            ("OK=again", "stands in line 1 already"),
        ] {
            let wrong = read(&format!("OK=\n{line}\n")).unwrap_err();
            assert!(wrong.len() == 1 && wrong[0].0 == Some(2) && wrong[0].1.contains(why), "{line}: {wrong:?}");
            assert!(!wrong[0].1.contains("secret"), "{wrong:?}");
        }
        assert_eq!(read("a\nB=\nc\n").unwrap_err().len(), 2);
    }

    proptest! {
        #[test]
        fn any_value_comes_back_from_quotes(value in "[^\0\r\n]*", name in "[A-Za-z_][A-Za-z0-9_]{0,9}") {
            let escaped: String = value.chars().flat_map(|c| {
                "\"\\$`".contains(c).then_some('\\').into_iter().chain([c])
            }).collect();
            let known = Ok(vec![(name.clone(), value.clone())]);
            prop_assert_eq!(read(&format!("{name}=\"{escaped}\" # why\n")), known.clone());
            if !value.contains('\'') {
                prop_assert_eq!(read(&format!("export {name}='{value}'")), known);
            }
        }

        #[test]
        fn any_text_is_read_or_refused(text in "([A-C= '\"\\\\$#\n]|export )*") {
            drop(read(&text));
        }
    }
}
