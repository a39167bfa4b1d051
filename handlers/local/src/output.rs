//! What all commands print, and how they exit.

use std::{
    io::{self, ErrorKind, IsTerminal, Write},
    process::ExitCode,
};

use fourstroke::config::{Mistake, Mistakes};
use serde::Serialize;

use crate::deployed::Refused;

/// Exits so when events or tests failed.
pub const FAILED: u8 = 1;
/// Exits so on wrong usage or configuration, as clap does.
pub const USAGE: u8 = 2;

/// Prints text on standard output. A reader that has seen enough, such as `head`, is no error.
pub fn print(text: &str) -> io::Result<()> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        ended => ended,
    }
}

/// Prints text on standard error. Where that cannot be written, the text is lost: nothing may depend on it.
pub fn tell(text: &str) {
    let _ = io::stderr().lock().write_all(text.as_bytes());
}

/// Tells why a command could not begin, and exits so.
pub fn wrong(error: &anyhow::Error) -> ExitCode {
    let colours = colours(&io::stderr());
    tell(&match (error.downcast_ref::<Mistakes>(), error.downcast_ref::<Refused>()) {
        (Some(mistakes), _) => shown(mistakes, colours),
        (None, Some(refused)) => refused.render(colours),
        (None, None) => format!("error: {error:#}\n"),
    });
    ExitCode::from(USAGE)
}

/// Shows mistakes, with line and caret where they have a place.
pub fn shown(mistakes: &Mistakes, colours: bool) -> String {
    match mistakes.text.is_empty() {
        true => unplaced(mistakes),
        false => format!("{}\n", mistakes.render(colours)),
    }
}

/// Writes what is wrong with a file that has no text to show a place in.
fn unplaced(mistakes: &Mistakes) -> String {
    let line = |mistake: &Mistake| format!("error: {}: {}\n", mistakes.path.display(), mistake.message);
    mistakes.list.iter().map(line).collect()
}

/// Prints one line of JSON on standard output.
pub fn print_json(value: &impl Serialize) -> anyhow::Result<()> {
    let mut line = serde_json::to_string(value)?;
    line.push('\n');
    Ok(print(&line)?)
}

/// Tells whether a stream shows colours: a terminal does, unless `NO_COLOR` is set.
pub fn colours(stream: &impl IsTerminal) -> bool {
    stream.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty())
}

/// Returns the line and column of a byte in a text, both from 1, the column in characters.
pub fn line_and_column(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}
