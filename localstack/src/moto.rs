//! Starts moto's server: S3, SQS, SNS, and quick imitations of DynamoDB and Kinesis.
//!
//! `POST /moto-api/reset` makes it forget everything.

use std::sync::OnceLock;

use crate::{StandIn, installed::installed};

/// Starts one.
pub fn start() -> Option<StandIn> {
    let python = installed("moto")?.join("bin/python");
    Some(StandIn::start("moto", |[port]| {
        let port = port.to_string();
        // Not bin/moto_server, whose first line cannot name a path that is long.
        let server = ["-m", "moto.server", "-H", "127.0.0.1", "-p", &port];
        [python.clone().into()].into_iter().chain(server.map(Into::into)).collect()
    }))
}

/// Gives the one that all tests of this process share, and starts it for the first.
pub fn shared() -> Option<&'static StandIn> {
    static SHARED: OnceLock<Option<StandIn>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}
