//! Why a model was refused at load.

/// Describes why bytes are not a model that can run here.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum LoadError {
    /// More bytes than [`SIZE_LIMIT`](crate::SIZE_LIMIT).
    #[error("the model has {bytes} bytes, more than the {limit} allowed")]
    TooLarge {
        /// How many there are.
        bytes: usize,
        /// How many are allowed.
        limit: usize,
    },
    /// The bytes are truncated, or something else than ONNX.
    #[error("this is not an ONNX model: {reason}")]
    Malformed {
        /// What is wrong with them.
        reason: String,
    },
    /// A tensor lies in a file that is not at hand, or not within it.
    #[error("tensor `{tensor}` {reason}")]
    ExternalData {
        /// The tensor's name.
        tensor: String,
        /// What is wrong.
        reason: String,
    },
    /// An operator that neither tract nor this package has.
    #[error("operator {operator} of node `{node}` is not supported (domain {domain}, version {version})")]
    UnknownOperator {
        /// The operator's type.
        operator: String,
        /// Its domain; `ai.onnx` is the standard one.
        domain: String,
        /// The domain's version, as the model imports it.
        version: i64,
        /// The node's name, else its first output's, else its place.
        node: String,
    },
    /// A node uses a domain whose version the model does not state.
    #[error("operator {operator} of node `{node}` is of domain {domain}, which the model does not import")]
    NotImported {
        /// The operator's type.
        operator: String,
        /// Its domain.
        domain: String,
        /// The node's name, else its first output's, else its place.
        node: String,
    },
    /// An input cannot be fed.
    #[error("input `{input}` {reason}")]
    Input {
        /// The input's name.
        input: String,
        /// What is wrong with it.
        reason: String,
    },
    /// An output cannot be read.
    #[error("output `{output}` {reason}")]
    Output {
        /// The output's name.
        output: String,
        /// What is wrong with it.
        reason: String,
    },
    /// The graph does not fit together.
    #[error("the model's graph cannot run: {reason}")]
    Graph {
        /// What tract says about it.
        reason: String,
    },
}
