//! `StringNormalizer`: strings in one case, without stopwords.

use std::{collections::HashSet, sync::Arc};

use tract_onnx::prelude::{DatumType, TDim};

use super::{
    array::{Array, Data, View},
    attributes::Attributes,
    operator::{Fact, Operator, TOLD_BY_RUN},
};

/// Languages with an i that changes case in its own way.
const TURKIC: [&str; 5] = ["az", "crh", "ku", "tr", "tt"];

/// Each row loses its stopwords alone. As many strings stay as in the row that keeps most, at least one; what a row
/// lacks is the empty string. onnxruntime knows only one row, and says the same of it. In one dimension every string is
/// a row: what is given row by row stays so, where onnxruntime would shorten the batch.
///
/// As in onnxruntime, a character stays one character: `ß` has no upper case. Cases are Unicode's in every locale.
#[derive(Debug)]
struct StringNormalizer {
    case: Option<fn(char) -> char>,
    stopwords: HashSet<String>,
    /// How texts are made one case to be compared with stopwords; none if they are compared as they are.
    fold: Option<fn(char) -> char>,
}

/// Reads a node. <https://onnx.ai/onnx/operators/onnx__StringNormalizer.html>
pub(super) fn read(attributes: Attributes<'_>) -> Result<Arc<dyn Operator>, String> {
    let locale = attributes.string("locale")?.unwrap_or_default();
    if TURKIC.contains(&locale.split(['_', '-', '.', '@']).next().unwrap_or_default()) {
        return Err(format!("it does not know the cases of the locale `{locale}`"));
    }
    let case: Option<fn(char) -> char> = match attributes.string("case_change_action")?.as_deref() {
        None | Some("NONE") => None,
        Some("LOWER") => Some(lower),
        Some("UPPER") => Some(upper),
        Some(other) => return Err(format!("it knows no `case_change_action` `{other}`")),
    };
    let sensitive = attributes.int("is_case_sensitive")?.unwrap_or(0) != 0;
    let stopwords = attributes.strings("stopwords")?.into_iter();
    let fold = case.unwrap_or(lower);
    let stopwords = stopwords.map(|word| if sensitive { word } else { word.chars().map(fold).collect() }).collect();
    Ok(Arc::new(StringNormalizer { case, stopwords, fold: (!sensitive).then_some(fold) }))
}

fn lower(char: char) -> char {
    // Only İ becomes two characters: an i, and a dot to put on it.
    char.to_lowercase().next().unwrap_or(char)
}

fn upper(char: char) -> char {
    let mut upper = char.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(upper), None) => upper,
        _ => with_iota(char).unwrap_or(char),
    }
}

/// Returns the one character for a Greek letter with an iota below, which becomes two elsewhere.
fn with_iota(char: char) -> Option<char> {
    let distance = match char {
        '\u{1f80}'..='\u{1f87}' | '\u{1f90}'..='\u{1f97}' | '\u{1fa0}'..='\u{1fa7}' => 8,
        '\u{1fb3}' | '\u{1fc3}' | '\u{1ff3}' => 9,
        _ => return None,
    };
    char::from_u32(u32::from(char) + distance)
}

impl StringNormalizer {
    fn normal(&self, text: &str) -> String {
        match self.case {
            None => text.to_owned(),
            Some(case) => text.chars().map(case).collect(),
        }
    }

    /// Tells whether a string is a stopword; `folded` is room to compare it in one case.
    fn drops(&self, text: &str, folded: &mut String) -> bool {
        let Some(fold) = self.fold else { return self.stopwords.contains(text) };
        folded.clear();
        folded.extend(text.chars().map(fold));
        self.stopwords.contains(folded.as_str())
    }

    /// Returns what is left of rows of so many strings, and how many each has then.
    fn filtered(&self, texts: &[String], columns: usize) -> (Vec<String>, usize) {
        let (mut folded, mut kept, mut lengths) = (String::new(), Vec::with_capacity(texts.len()), Vec::new());
        for row in texts.chunks(columns) {
            let before = kept.len();
            kept.extend(row.iter().filter(|text| !self.drops(text, &mut folded)));
            lengths.push(kept.len() - before);
        }
        let most = lengths.iter().copied().max().unwrap_or(0).max(1);
        let (mut left, mut kept) = (Vec::with_capacity(lengths.len() * most), kept.into_iter());
        for length in lengths {
            left.extend(kept.by_ref().take(length).map(|text| self.normal(text)));
            left.resize(left.len() + most - length, String::new());
        }
        (left, most)
    }
}

impl Operator for StringNormalizer {
    fn name(&self) -> &'static str {
        "StringNormalizer"
    }

    fn sizes_by_run(&self) -> bool {
        !self.stopwords.is_empty()
    }

    fn facts(&self, inputs: &[Fact]) -> Result<Vec<Fact>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        if input.dtype != DatumType::String {
            return Err(format!("it takes strings, not {:?}", input.dtype));
        }
        let mut shape = input.shape.clone();
        if !self.stopwords.is_empty() {
            match &mut shape[..] {
                [_] => {}
                [_, columns] if *columns == TDim::Val(1) => {}
                [_, columns] => *columns = TOLD_BY_RUN,
                _ => return Err(format!("it takes one or two dimensions, not {}", shape.len())),
            }
        }
        Ok(vec![Fact::new(DatumType::String, shape)])
    }

    fn run(&self, inputs: &[View<'_>]) -> Result<Vec<Array>, String> {
        let [input] = inputs else { return Err("it takes one input".to_owned()) };
        let texts = input.strings()?;
        let mut shape = input.shape.to_vec();
        if self.stopwords.is_empty() {
            let data = texts.iter().map(|text| self.normal(text)).collect();
            return Ok(vec![Array { shape, data: Data::String(data) }]);
        }
        let data = match &mut shape[..] {
            [_] => self.filtered(texts, 1).0,
            [rows, columns @ 0] => {
                *columns = 1;
                vec![String::new(); *rows]
            }
            [_, columns] => {
                let (left, most) = self.filtered(texts, *columns);
                *columns = most;
                left
            }
            _ => return Err(format!("it takes one or two dimensions, not {}", shape.len())),
        };
        Ok(vec![Array { shape, data: Data::String(data) }])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn normalizer(case: Option<fn(char) -> char>, stopwords: &[&str], sensitive: bool) -> StringNormalizer {
        let stopwords = stopwords.iter().map(|word| (*word).to_owned()).collect();
        StringNormalizer { case, stopwords, fold: (!sensitive).then_some(case.unwrap_or(lower)) }
    }

    fn run(normalizer: &StringNormalizer, shape: &[usize], texts: &[&str]) -> (Vec<usize>, Vec<String>) {
        let texts: Vec<String> = texts.iter().map(|text| (*text).to_owned()).collect();
        let view = View { shape, data: super::super::array::Slice::String(&texts) };
        let array = normalizer.run(&[view]).unwrap().remove(0);
        let Data::String(data) = array.data else { panic!("it gives strings") };
        (array.shape, data)
    }

    #[test]
    fn rows_lose_stopwords_each_alone() {
        let lowering = normalizer(Some(lower), &["monday"], false);
        let rows = ["Monday", "Noon", "MONDAY", "monday", "ÉTÉ", "x"];
        let (shape, left) = run(&lowering, &[2, 3], &rows);
        assert_eq!((shape, left), (vec![2, 2], ["noon", "", "été", "x"].map(str::to_owned).to_vec()));
        let (shape, left) = run(&lowering, &[2], &rows[..2]);
        assert_eq!((shape, left), (vec![2], ["", "noon"].map(str::to_owned).to_vec()));
        for nothing in [&[1, 1][..], &[1, 0]] {
            let (shape, left) = run(&lowering, nothing, &rows[..nothing[1]]);
            assert_eq!((shape, left), (vec![1, 1], vec![String::new()]));
        }
        let raising = normalizer(Some(upper), &["ΣΑΣ"], false);
        assert_eq!(run(&raising, &[1, 3], &["ΣΑΣ", "σας", "σε"]).1, ["ΣΕ"]);
        let sensitive = normalizer(None, &["monday"], true);
        assert_eq!(run(&sensitive, &[1, 3], &rows[2..5]).1, ["MONDAY", "ÉTÉ"]);
    }

    #[test]
    fn characters_stay_single() {
        let changed = |case: fn(char) -> char, text: &str| text.chars().map(case).collect::<String>();
        assert_eq!(changed(upper, "straße ǆ ᾳ ŉ"), "STRAßE Ǆ ᾼ ŉ");
        assert_eq!(changed(lower, "İÀΣ"), "iàσ");
    }

    #[test]
    fn facts_leave_open_how_many_strings_stay() {
        let facts = |normalizer: &StringNormalizer, shape: &[TDim]| {
            normalizer.facts(&[Fact::new(DatumType::String, shape.to_vec())]).unwrap().remove(0).shape
        };
        let (one, three) = (TDim::Val(1), TDim::Val(3));
        let filter = normalizer(None, &["a"], true);
        assert_eq!(facts(&filter, &[one.clone(), three.clone()]), [one.clone(), TOLD_BY_RUN]);
        assert_eq!(facts(&filter, &[three.clone(), one.clone()]), [three.clone(), one.clone()]);
        assert_eq!(facts(&normalizer(None, &[], true), &[one.clone(), three.clone()]), [one, three]);
    }
}
