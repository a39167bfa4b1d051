//! Lines of a page: headings, names with what is said of them, pairs beneath each other. What came with an event never steers
//! the terminal.

use std::fmt::Write;

use fourstroke_runtime::printable;
use serde_json::Value;

/// The longest value shown whole, in characters.
const VALUE: usize = 120;
/// The widest column of names.
const WIDEST: usize = 30;

/// How something is meant, shown by colour where there are colours.
#[derive(Clone, Copy)]
pub enum Tone {
    Plain,
    Dim,
    Good,
    Odd,
    Bad,
    Bold,
}

impl Tone {
    fn code(self) -> &'static str {
        match self {
            Tone::Plain => "",
            Tone::Dim => "\u{1b}[2m",
            Tone::Good => "\u{1b}[32m",
            Tone::Odd => "\u{1b}[33m",
            Tone::Bad => "\u{1b}[31m",
            Tone::Bold => "\u{1b}[1m",
        }
    }
}

/// A page being written.
pub struct Page {
    pub text: String,
    colours: bool,
}

impl Page {
    pub fn new(colours: bool) -> Page {
        Page { text: String::new(), colours }
    }

    /// Writes a heading, with a word about all beneath it.
    pub fn head(&mut self, title: &str, about: &str) {
        let gap = if self.text.is_empty() { "" } else { "\n" };
        let title = self.paint(Tone::Bold, title);
        self.line(&format!("{gap}{title}  {}", printable(about)));
    }

    /// Writes a name and what is said of it.
    pub fn item(&mut self, name: &str, said: &str, tone: Tone) {
        let said = if said.is_empty() { String::new() } else { self.paint(tone, &printable(said)) };
        self.line(&format!("  {}  {said}", printable(name)));
    }

    /// Writes names and values, the values beneath each other.
    pub fn pairs<N: AsRef<str>>(&mut self, indent: usize, pairs: impl IntoIterator<Item = (N, String)>) {
        let pairs: Vec<(String, String)> = pairs
            .into_iter()
            .map(|(name, value)| (printable(name.as_ref()).into_owned(), printable(&value).into_owned()))
            .collect();
        let width = pairs.iter().map(|(name, _)| name.chars().count()).max().unwrap_or(0).min(WIDEST);
        for (name, value) in &pairs {
            let name = self.paint(Tone::Dim, &format!("{name:width$}"));
            self.line(&format!("{:indent$}{name}  {value}", ""));
        }
    }

    /// Writes how it ended.
    pub fn end(&mut self, ended: &str, tone: Tone) {
        let ended = self.paint(tone, &printable(ended));
        self.line(&format!("\n{ended}"));
    }

    fn paint(&self, tone: Tone, text: &str) -> String {
        match (self.colours, tone.code()) {
            (false, _) | (true, "") => text.to_owned(),
            (true, code) => format!("{code}{text}\u{1b}[0m"),
        }
    }

    fn line(&mut self, line: &str) {
        let _ = writeln!(self.text, "{}", line.trim_end());
    }
}

/// Writes a value as JSON, shortened.
pub fn value(of: &Value) -> String {
    shortened(&of.to_string(), VALUE)
}

/// Shortens a text to so many characters, and says by how many.
pub fn shortened(text: &str, longest: usize) -> String {
    match text.char_indices().nth(longest) {
        Some((end, _)) => format!("{}… ({} more characters)", &text[..end], text[end..].chars().count()),
        None => text.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pairs_stand_beneath_each_other_and_steer_no_terminal() {
        let mut page = Page::new(false);
        page.pairs(2, [("a", "1".to_owned()), ("long", "\u{1b}[2J".to_owned())]);
        assert_eq!(page.text, "  a     1\n  long  \\u{1b}[2J\n");
    }

    #[test]
    fn long_texts_say_how_much_is_left_out() {
        assert_eq!(shortened("äöü", 3), "äöü");
        assert_eq!(shortened("äöüß€", 3), "äöü… (2 more characters)");
    }
}
