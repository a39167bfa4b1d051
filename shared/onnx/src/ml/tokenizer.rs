//! `Tokenizer` of com.microsoft: texts become rows of tokens.

use std::sync::Arc;

use tract_onnx::prelude::DatumType;

use super::{
    array::{Array, Data, View},
    attributes::Attributes,
    operator::{Fact, Operator, TOLD_BY_RUN},
    re2::{Expression, Room},
};

/// The most bytes of the expressions of a node, when they are ready, and the most separators: each also needs room to
/// search in.
const EXPRESSION_LIMIT: usize = 10 << 20;
const SEPARATOR_LIMIT: usize = 100;

/// The most bytes of what tokens and padding are held in: one long text makes all rows as long.
const TOKEN_LIMIT: usize = 128 << 20;

/// Where a text begins and where it ends, if that is marked.
const BEGIN: &str = "\u{2}";
const END: &str = "\u{3}";

#[derive(Debug)]
struct Tokenizer {
    by: By,
    mark: bool,
    /// How many characters a token has at least.
    shortest: usize,
    padding: String,
}

#[derive(Debug)]
enum By {
    Characters,
    /// What matches is left out, one expression after the other.
    Separators(Vec<Expression>),
    /// What matches is a token.
    Tokens(Box<Expression>),
}

/// Reads a node. <https://github.com/microsoft/onnxruntime/blob/main/docs/ContribOperators.md#com.microsoft.Tokenizer>
///
/// Expressions are RE2's, as in onnxruntime: the longest match counts, and `\w` is ASCII.
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let shortest = attributes.int("mincharnum")?.ok_or("it has no `mincharnum`")?;
    let shortest = usize::try_from(shortest).ok().filter(|shortest| *shortest > 0);
    let shortest = shortest.ok_or("`mincharnum` must be 1 at least")?;
    let separators = attributes.strings("separators")?;
    let by = match (&separators[..], attributes.string("tokenexp")?.as_deref()) {
        ([], None | Some("")) => return Err("it needs `separators` or `tokenexp`".to_owned()),
        ([], Some(".")) => By::Characters,
        ([], Some(token)) => By::Tokens(Box::new(Expression::new(token, EXPRESSION_LIMIT)?)),
        ([separator], _) if separator.is_empty() => By::Characters,
        (separators, _) if separators.len() > SEPARATOR_LIMIT => {
            return Err(format!("it has {} separators, more than {SEPARATOR_LIMIT}", separators.len()));
        }
        (separators, _) => {
            let bytes = EXPRESSION_LIMIT / separators.len();
            let separators = separators.iter().map(|separator| Expression::new(separator, bytes));
            By::Separators(separators.collect::<Result<_, _>>()?)
        }
    };
    if matches!(by, By::Characters) && shortest > 1 {
        return Err("characters are not as long as `mincharnum`".to_owned());
    }
    Ok(Arc::new(Tokenizer {
        by,
        mark: attributes.int("mark")?.unwrap_or(0) != 0,
        shortest,
        padding: attributes.string("pad_value")?.ok_or("it has no `pad_value`")?,
    }))
}

impl Tokenizer {
    fn is_token(&self, text: &str) -> bool {
        text.chars().nth(self.shortest - 1).is_some()
    }

    /// Cuts each text; returns all tokens, and how many each text has.
    fn cut<'a>(&self, texts: &'a [String]) -> (Vec<&'a str>, Vec<usize>) {
        let (mut tokens, mut lengths) = (Vec::new(), Vec::with_capacity(texts.len()));
        let (mut parts, mut next) = (Vec::new(), Vec::new());
        let mut rooms: Vec<Room<'_>> = match &self.by {
            By::Characters => Vec::new(),
            By::Separators(separators) => separators.iter().map(Expression::room).collect(),
            By::Tokens(expression) => vec![expression.room()],
        };
        for text in texts {
            let before = tokens.len();
            match &self.by {
                // Too short for any token, and for looking for one at each place.
                By::Tokens(_) if !self.is_token(text) => {}
                By::Characters => tokens.extend(text.char_indices().map(|(at, _)| &text[at..behind(text, at)])),
                By::Tokens(expression) => self.matches(text, expression, &mut rooms[0], &mut tokens),
                By::Separators(separators) => {
                    parts.push(&text[..]);
                    for (separator, room) in separators.iter().zip(&mut rooms) {
                        parts.drain(..).for_each(|part| self.split(part, separator, room, &mut next));
                        std::mem::swap(&mut parts, &mut next);
                    }
                    tokens.append(&mut parts);
                }
            }
            lengths.push(tokens.len() - before);
        }
        (tokens, lengths)
    }

    fn matches<'a>(&self, text: &'a str, expression: &Expression, room: &mut Room<'_>, tokens: &mut Vec<&'a str>) {
        let mut from = 0;
        while let Some(found) = expression.find(text, from, room) {
            let token = &text[found.clone()];
            if self.is_token(token) {
                tokens.push(token);
                from = found.end;
            } else {
                // Too short a match is no reason to leave out what follows its first character.
                from = behind(text, found.start);
            }
        }
    }

    fn split<'a>(&self, text: &'a str, separator: &Expression, room: &mut Room<'_>, parts: &mut Vec<&'a str>) {
        let mut from = 0;
        while let Some(found) = separator.find(text, from, room) {
            parts.extend(Some(&text[from..found.start]).filter(|part| self.is_token(part)));
            // Where nothing separates, a character does.
            from = if found.is_empty() { behind(text, found.start) } else { found.end };
        }
        parts.extend(text.get(from..).filter(|part| self.is_token(part)));
    }
}

/// Returns the place behind the character at a place.
fn behind(text: &str, place: usize) -> usize {
    place + text[place..].chars().next().map_or(1, char::len_utf8)
}

impl Operator for Tokenizer {
    fn name(&self) -> &'static str {
        "Tokenizer"
    }

    fn sizes_by_run(&self) -> bool {
        true
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        if input.dtype != DatumType::String {
            return Err(format!("it takes strings, not {:?}", input.dtype));
        }
        if !matches!(input.shape.len(), 1 | 2) {
            return Err(format!("it takes one or two dimensions, not {}", input.shape.len()));
        }
        Ok(vec![Fact::new(DatumType::String, input.shape.iter().cloned().chain([TOLD_BY_RUN]))])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let texts = input.strings()?;
        let (tokens, lengths) = self.cut(texts);
        let longest = lengths.iter().copied().max().unwrap_or(0);
        let marked = self.mark && longest > 0;
        let width = longest + if marked { 2 } else { 0 };
        let bytes = texts.len().saturating_mul(width).saturating_mul(size_of::<String>() + self.padding.len());
        if bytes > TOKEN_LIMIT {
            return Err(format!("{} texts of up to {longest} tokens are too many", texts.len()));
        }
        let (mut data, mut tokens) = (Vec::with_capacity(texts.len() * width), tokens.into_iter());
        for length in lengths {
            data.extend(marked.then(|| BEGIN.to_owned()));
            data.extend(tokens.by_ref().take(length).map(str::to_owned));
            data.extend(marked.then(|| END.to_owned()));
            data.resize(data.len() + longest - length, self.padding.clone());
        }
        let shape = [input.shape, &[width]].concat();
        Ok(vec![Array { shape, data: Data::String(data) }])
    }
}

#[cfg(test)]
mod tests {
    use super::{super::array::Slice, *};

    fn cut(by: By, mark: bool, shortest: usize, texts: &[&str]) -> (Vec<usize>, Vec<String>) {
        let tokenizer = Tokenizer { by, mark, shortest, padding: "#".to_owned() };
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let view = View { shape: &[texts.len()], data: Slice::String(&texts) };
        let array = tokenizer.run(&[view]).unwrap().remove(0);
        let Data::String(data) = array.data else { panic!("it gives strings") };
        (array.shape, data)
    }

    fn expression(written: &str) -> Expression {
        Expression::new(written, EXPRESSION_LIMIT).unwrap()
    }

    #[test]
    fn texts_become_equally_many_tokens() {
        let (shape, tokens) = cut(By::Characters, true, 1, &["aé", ""]);
        assert_eq!(shape, [2, 4]);
        assert_eq!(tokens, ["\u{2}", "a", "é", "\u{3}", "\u{2}", "\u{3}", "#", "#"]);
        let words = || By::Tokens(Box::new(expression("[a-z]+")));
        assert_eq!(
            cut(words(), false, 2, &["a bc, def", "x"]),
            (vec![2, 2], ["bc", "def", "#", "#"].map(str::to_owned).to_vec())
        );
        assert_eq!(cut(words(), true, 1, &["", "1"]), (vec![2, 0], vec![]));
    }

    #[test]
    fn separators_cut_one_after_the_other() {
        let separators = || By::Separators(vec![expression(" "), expression("[.,]|, *x")]);
        let (shape, tokens) = cut(separators(), false, 1, &["a b.c,,xd", "..", "é"]);
        assert_eq!((shape, tokens.join("|")), (vec![3, 4], "a|b|c|d|#|#|#|#|é|#|#|#".to_owned()));
        let nothing = By::Separators(vec![expression("x*")]);
        assert_eq!(cut(nothing, false, 1, &["abxé"]), (vec![1, 0], vec![]));
    }

    #[test]
    fn one_long_text_does_not_take_all_memory() {
        let tokenizer = Tokenizer { by: By::Characters, mark: false, shortest: 1, padding: "#".to_owned() };
        let mut texts = vec![String::new(); 10_000];
        texts[0] = "a".repeat(10_000);
        let refused = tokenizer.run(&[View { shape: &[10_000], data: Slice::String(&texts) }]);
        assert_eq!(refused, Err("10000 texts of up to 10000 tokens are too many".to_owned()));
    }
}
