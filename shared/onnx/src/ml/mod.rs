//! The operators of ai.onnx.ml, and those that converters put around them and tract lacks. A file per operator, or per
//! family; tract runs them as nodes of its graph.
//!
//! tract knows some of them, but no domains, and its trees give wrong labels: none of its own is used.

pub(crate) mod array;
mod array_feature_extractor;
pub(crate) mod attributes;
mod binarizer;
mod bounded;
mod cast;
mod cast_map;
mod category_mapper;
mod dot;
mod exp;
mod feature_vectorizer;
mod flatten;
mod imputer;
mod label_encoder;
mod labels;
mod linear;
mod log_sum_exp;
mod lookup;
mod ngrams;
mod normalizer;
pub(crate) mod of_rows;
mod one_hot_encoder;
pub(crate) mod operator;
mod post_transform;
mod products;
mod re2;
mod scaler;
mod softmax;
mod string_normalizer;
mod svm;
#[cfg(test)]
mod testing;
mod tfidf_vectorizer;
mod tokenizer;
mod trees;

use std::sync::Arc;

use tract_onnx::{
    model::{Onnx, ParsingContext},
    pb::NodeProto,
    prelude::TractResult,
    tract_core::internal::format_err,
    tract_hir::infer::InferenceOp,
};

use attributes::Attributes;
use operator::{Operator, in_tract};

/// The name of the standard domain, which models mostly write as "".
pub(crate) const STANDARD: &str = "ai.onnx";

/// The domain of classical machine learning.
pub(crate) const ML: &str = "ai.onnx.ml";

/// Reads a node's attributes.
type Read = fn(Attributes<'_>) -> Result<Arc<dyn Operator>, String>;

/// Every operator: its domain, its name, and what reads it.
const OPERATORS: &[(&str, &str, Read)] = &[
    (STANDARD, "ReduceLogSumExp", log_sum_exp::read),
    (ML, "CastMap", cast_map::read),
    (ML, "Scaler", scaler::read),
    (ML, "CategoryMapper", category_mapper::read),
    (ML, "LabelEncoder", label_encoder::read),
    (STANDARD, "StringNormalizer", string_normalizer::read),
    (STANDARD, "TfIdfVectorizer", tfidf_vectorizer::read),
    ("com.microsoft", "Tokenizer", tokenizer::read),
    (ML, "ArrayFeatureExtractor", array_feature_extractor::read),
    (ML, "Binarizer", binarizer::read),
    (ML, "FeatureVectorizer", feature_vectorizer::read),
    (ML, "Imputer", imputer::read),
    (ML, "LinearClassifier", linear::read_classifier),
    (ML, "LinearRegressor", linear::read_regressor),
    (ML, "Normalizer", normalizer::read),
    (ML, "OneHotEncoder", one_hot_encoder::read),
    (ML, "SVMClassifier", svm::read_classifier),
    (ML, "SVMRegressor", svm::read_regressor),
    (ML, "TreeEnsemble", trees::read_ensemble),
    (ML, "TreeEnsembleClassifier", trees::read_classifier),
    (ML, "TreeEnsembleRegressor", trees::read_regressor),
];

/// tract's own ai.onnx.ml operators.
const TRACTS: [&str; 5] =
    ["CategoryMapper", "LinearClassifier", "LinearRegressor", "Normalizer", "TreeEnsembleClassifier"];

/// Tells whether an operator is one of ours.
pub(crate) fn has(domain: &str, name: &str) -> bool {
    OPERATORS.iter().any(|(of, known, _)| *of == domain && *known == name)
}

/// Returns the name an operator of ours has in a rewritten graph: tract's register knows no domains.
pub(crate) fn qualified(domain: &str, name: &str) -> String {
    format!("{domain}:{name}")
}

/// Puts the operators into tract's reader, by their qualified names.
pub(crate) fn register(onnx: &mut Onnx) {
    for operator in TRACTS {
        onnx.op_register.0.remove(operator);
    }
    for (domain, name, _) in OPERATORS {
        onnx.op_register.0.insert(qualified(domain, name), read);
    }
    bounded::register(onnx);
    onnx.op_register.0.insert("Cast".to_owned(), cast::read);
    onnx.op_register.0.insert("Flatten".to_owned(), flatten::read);
}

fn read(context: &ParsingContext<'_>, node: &NodeProto) -> TractResult<(Box<dyn InferenceOp>, Vec<String>)> {
    let found = OPERATORS.iter().find(|(domain, name, _)| qualified(domain, name) == node.op_type);
    let (domain, name, read) = found.ok_or_else(|| format_err!("{} is not one of ours", node.op_type))?;
    let versions = context.model.opset_import.iter().filter(|import| import.domain == *domain);
    let version = versions.map(|import| import.version).max().unwrap_or(1);
    let operator = read(Attributes { node, version }).map_err(|reason| format_err!("{name}: {reason}"))?;
    Ok((in_tract(operator, &context.template.symbols), Vec::new()))
}
