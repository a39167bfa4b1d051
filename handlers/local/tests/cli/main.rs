//! The command line end to end: the real binary, in a directory of its own.

mod bad_input;
mod breaker;
mod checks;
mod deployed;
mod elf;
mod explain;
mod flights;
mod formats;
mod http;
mod lost;
mod no_future;
mod package;
mod reload;
mod run;
mod state;
mod support;
mod why;
