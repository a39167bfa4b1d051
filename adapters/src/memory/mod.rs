//! `memory:`: everything of one process, gone with it. For tests, for embedding, and for trying things out.
//!
//! Every `memory:` URL is a fresh one of its own. Code that wants to fill one, or to look into it, makes it here:
//!
//! ```
//! use fourstroke::event::Event;
//! use fourstroke_adapters::memory::{MemorySink, MemorySource};
//! let source = MemorySource::new([Event::new("1", "{}"), Event::new("2", "{}")]);
//! let sink = MemorySink::default();
//! assert!(sink.taken().is_empty());
//! # let _ = source;
//! ```

mod sink;
mod source;
mod store;
mod trigger;

pub use sink::MemorySink;
pub use source::{MemorySource, Settlements};
pub use store::MemoryStore;
pub use trigger::MemoryTrigger;
