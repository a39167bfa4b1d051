//! Mistakes in a pipeline file, each with its place, shown all at once with line, column and caret.

use std::{fmt, ops::Range, path::PathBuf, sync::Arc};

use annotate_snippets::{AnnotationKind, Level, Origin, Renderer, Snippet};

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
    /// Collects mistakes about a file, in its order and each once, each at whole characters of the text.
    pub fn new(path: PathBuf, text: Arc<str>, mut list: Vec<Mistake>) -> Mistakes {
        list.iter_mut().for_each(|mistake| mistake.span = whole(&text, &mistake.span));
        list.sort_by(|a, b| a.span.start.cmp(&b.span.start).then_with(|| a.message.cmp(&b.message)));
        list.dedup();
        Mistakes { path, text, list }
    }

    /// Shows every mistake with its line and caret.
    pub fn render(&self, colours: bool) -> String {
        const SHOWN: usize = 50;
        let renderer = if colours { Renderer::styled() } else { Renderer::plain() };
        let path = self.path.display().to_string();
        let mut shown = String::new();
        for mistake in self.list.iter().take(SHOWN) {
            let (line, number, span) = self.line(&mistake.span);
            let snippet = Snippet::source(line)
                .path(path.as_str())
                .line_start(number)
                .annotation(AnnotationKind::Primary.span(span));
            let group = Level::ERROR.primary_title(mistake.message.as_str());
            let mut group =
                if self.text.is_empty() { group.element(Origin::path(path.as_str())) } else { group.element(snippet) };
            if let Some(help) = &mistake.help {
                group = group.element(Level::HELP.message(help.as_str()));
            }
            shown.push_str(&renderer.render(&[group]));
            shown.push_str("\n\n");
        }
        if self.list.len() > SHOWN {
            shown.push_str(&format!("… and {} more\n\n", self.list.len() - SHOWN));
        }
        let found = match self.list.len() {
            1 => "1 mistake".to_owned(),
            count => format!("{count} mistakes"),
        };
        shown.push_str(&format!("{path}: {found}"));
        shown
    }

    /// Returns the line a span begins in, its number, and the span within it, on character boundaries.
    fn line(&self, span: &Range<usize>) -> (&str, usize, Range<usize>) {
        let Range { start, end } = whole(&self.text, span);
        let begins = self.text[..start].rfind('\n').map_or(0, |at| at + 1);
        let line = self.text[begins..].split('\n').next().unwrap_or_default();
        let number = self.text[..begins].matches('\n').count() + 1;
        let within = |at: usize| at.saturating_sub(begins).min(line.len());
        (line, number, within(start)..within(end))
    }
}

/// Widens a span to whole characters of the text.
fn whole(text: &str, span: &Range<usize>) -> Range<usize> {
    let (mut start, mut end) = (span.start.min(text.len()), span.end.min(text.len()));
    while !text.is_char_boundary(start) {
        start -= 1;
    }
    while !text.is_char_boundary(end) {
        end += 1;
    }
    start..end.max(start)
}

impl fmt::Display for Mistakes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Mistakes {}

/// Finds the known word nearest to what was written, near enough to be a slip: at most a third of its letters added, left
/// out, changed or swapped.
///
/// ```
/// use fourstroke::config::did_you_mean;
/// assert_eq!(did_you_mean("probabilty", ["class", "probability"]).as_deref(), Some("did you mean `probability`?"));
/// assert_eq!(did_you_mean("probability", ["at", "id"]), None);
/// ```
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<String> {
    known
        .into_iter()
        .map(|word| (strsim::damerau_levenshtein(written, word), word))
        .filter(|(slips, word)| *slips <= written.chars().count().max(word.chars().count()).div_ceil(3))
        .min_by_key(|(slips, _)| *slips)
        .map(|(_, word)| format!("did you mean `{word}`?"))
}
