//! Starts kinesis-local: streams with sequence numbers and limits like those of Kinesis.

use std::{ffi::OsString, sync::OnceLock};

use crate::{StandIn, installed::installed};

/// What takes half a second otherwise. A stream made is a stream to write to.
const AT_ONCE: [&str; 10] = [
    "CREATE_STREAM",
    "DELETE_STREAM",
    "REGISTER_STREAM_CONSUMER",
    "DEREGISTER_STREAM_CONSUMER",
    "START_STREAM_ENCRYPTION",
    "STOP_STREAM_ENCRYPTION",
    "MERGE_SHARDS",
    "SPLIT_SHARD",
    "UPDATE_SHARD_COUNT",
    "UPDATE_STREAM_MODE",
];

/// Starts one. It listens on all interfaces; it cannot be told otherwise.
pub fn start() -> Option<StandIn> {
    let folder = installed("kinesis")?.join("node_modules/kinesis-local");
    Some(StandIn::start("kinesis", |[port, tls]| {
        let mut line: Vec<OsString> = vec!["env".into(), "SHARD_LIMIT=1000".into(), "LOG_LEVEL=WARN".into()];
        line.extend(AT_ONCE.map(|what| format!("{what}_DURATION=1ms").into()));
        line.push(format!("KINESIS_MOCK_PLAIN_PORT={port}").into());
        line.push(format!("KINESIS_MOCK_TLS_PORT={tls}").into());
        let mut certificate = OsString::from("KINESIS_MOCK_CERT_PATH=");
        certificate.push(folder.join("server.json"));
        line.extend([certificate, "node".into(), folder.join("main.js").into()]);
        line
    }))
}

/// Gives the one that all tests of this process share, and starts it for the first.
pub fn shared() -> Option<&'static StandIn> {
    static SHARED: OnceLock<Option<StandIn>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}
