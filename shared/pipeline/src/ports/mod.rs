//! The only traits adapters implement. Batch-first and dyn-compatible. Nothing behind a port retries, except one
//! more try on a fresh connection for idempotent calls: the core retries.

mod model;
mod open;
mod sink;
mod source;
mod store;
mod trigger;

pub use model::{Dim, Dtype, Labels, Model, ModelError, Port, Signature, Tensor, Tensors};
pub use open::{Objects, Open};
pub use sink::{Outgoing, SendError, Sent, Sink};
pub use source::{Acknowledge, Batch, Source, SourceError};
pub use store::{Condition, Delete, Item, Key, Put, PutOutcome, Store, StoreError};
pub use trigger::{Payload, Trigger};
