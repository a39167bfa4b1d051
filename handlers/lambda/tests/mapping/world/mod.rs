//! Everything around the handler's process: who invokes it, whom it talks to, and how both fail.

mod environment;
mod receiver;
mod run;
mod store;
mod track;

pub use environment::{Environment, Told};
pub use receiver::Receiver;
pub use run::Run;
pub use store::table;
pub use track::{Said, Seen, State, Track};
