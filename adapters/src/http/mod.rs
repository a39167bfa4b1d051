//! `https://HOST/PATH`, and `http:` to this machine: a service to look things up in, to send to, or to read models from.
//!
//! A sink posts each body to the URL; a table gets one object per key, `https://HOST/customers/{id}`. Connections are
//! kept open between calls, 32 of them are used at once, and nothing is asked of a redirect's target or a proxy.
//!
//! Where a URL leads is checked twice: its host when it is opened, each address that host's name resolves to when a
//! connection is made. An address that is not public is refused, unless the resource says `private: true`; those of a
//! cloud's metadata service are refused always.

mod answer;
mod client;
mod freshness;
mod headers;
mod object;
mod sink;
mod table;
mod target;
mod template;

use fourstroke::config::Resource;

pub use object::{etag, read};
pub use sink::HttpSink;
pub use table::HttpTable;

/// Says what is wrong with a sink's URL or options, without connecting to it.
///
/// # Errors
/// One sentence: the URL may not be used, a header may not be set.
pub fn check_sink(resource: &Resource) -> Result<(), String> {
    sink::read(resource).map(drop)
}

/// Says what is wrong with a table's URL or options, without connecting to it.
///
/// # Errors
/// One sentence: the URL may not be used, its placeholders are not the names in `key:`, a header may not be set.
pub fn check_table(resource: &Resource) -> Result<(), String> {
    table::read(resource).map(drop)
}
