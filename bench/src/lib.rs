//! What the benchmarks share: the flights of examples/flights in memory, the pipeline with sinks that go nowhere, and
//! the hand-written loop it is compared with.

mod cpu;
mod events;
mod flights;
mod limit;
mod open;
mod payload;

/// The allocator of the handlers.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

pub use cpu::{Timed, cpu_time, thread_time};
pub use events::Flights;
pub use flights::{Cost, Face, Job, in_rust};
pub use limit::{Limit, Written};
pub use open::{NullSink, Opener};
pub use payload::kinesis_payload;
