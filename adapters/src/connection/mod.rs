//! HTTP/1.1 connections to one place, kept open between calls: what adapters of services behind HTTP share.
//!
//! hyper speaks the protocol and rustls encrypts; what is done here is what their pools do not tell: whether a connection was
//! used before, and so may have ended unnoticed, and whether it has ended while the process was frozen.

mod address;
mod channel;
mod connect;
mod kept;
mod place;

pub(crate) use address::Reach;
pub(crate) use channel::{Answer, Ask, Channel, Cut};
pub(crate) use place::Place;
