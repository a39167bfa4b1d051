//! Mistakes in a pipeline file, each with its place, shown all at once with line, column and caret.

use std::{fmt, ops::Range, path::PathBuf, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// One mistake: where, what, and what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistake {
    /// The place in the file's text, in bytes.
    pub span: Range<usize>,
    /// What is wrong.
    pub message: String,
    /// What to do about it.
    pub help: Option<String>,
}

impl Mistake {
    /// Makes a mistake at a place.
    pub fn new(span: Range<usize>, message: impl Into<String>) -> Mistake {
        Mistake { span, message: message.into(), help: None }
    }

    /// Adds what to do about it.
    pub fn help(mut self, help: impl Into<String>) -> Mistake {
        self.help = Some(help.into());
        self
    }
}

/// Every mistake found in one file. Its `Display` is what a person reads, without colours.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mistakes {
    /// The file's path.
    pub path: PathBuf,
    /// The file's text.
    pub text: Arc<str>,
    /// What is wrong, in the order of the file.
    pub list: Vec<Mistake>,
}

impl Mistakes {
    /// Collects mistakes about a file, in its order and each once.
    pub fn new(path: PathBuf, text: Arc<str>, mut list: Vec<Mistake>) -> Mistakes {
        list.sort_by(|a, b| a.span.start.cmp(&b.span.start).then_with(|| a.message.cmp(&b.message)));
        list.dedup();
        Mistakes { path, text, list }
    }

    /// Shows every mistake with its line and caret.
    pub fn render(&self, colours: bool) -> String {
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let path = self.path.display().to_string();
        let mut shown = String::new();
        for mistake in &self.list {
            let span = self.visible(&mistake.span);
            let snippet =
                Snippet::source(&*self.text).path(path.as_str()).annotation(AnnotationKind::Primary.span(span));
            let mut group = Level::ERROR.primary_title(mistake.message.as_str()).element(snippet);
            if let Some(help) = &mistake.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            shown.push_str(&renderer.render(&[group]));
            shown.push_str("\n\n");
        }
        let found = match self.list.len() {
            1 => "1 mistake".to_owned(),
            count => format!("{count} mistakes"),
        };
        shown.push_str(&format!("{path}: {found}"));
        shown
    }

    /// Cuts a span to its first line, so that one caret line shows it, and keeps it on character boundaries.
    fn visible(&self, span: &Range<usize>) -> Range<usize> {
        let floor = |at: usize| {
            let mut at = at.min(self.text.len());
            while !self.text.is_char_boundary(at) {
                at -= 1;
            }
            at
        };
        let start = floor(span.start);
        let end = floor(span.end.max(start));
        let line_end = self.text[start..].find('\n').map_or(self.text.len(), |length| start + length);
        start..end.min(line_end).max(start)
    }
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}

/// Finds the known word nearest to what was written, near enough to be a slip.
pub(crate) fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    const NEAR_ENOUGH: f64 = 0.75;
    known
        .into_iter()
        .map(|word| (strsim::jaro_winkler(written, word), word))
        .filter(|(nearness, _)| *nearness >= NEAR_ENOUGH)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, word)| format!("did you mean `{word}`?"))
}
