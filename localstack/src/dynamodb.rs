//! Starts Amazon's DynamoDB Local, in memory, with one database for all credentials and regions.
//!
//! It is of 2020: a refused `PutItem` does not give the item that was in its way.

use std::{ffi::OsString, sync::OnceLock};

use crate::{StandIn, installed::installed};

/// Starts one.
pub fn start() -> Option<StandIn> {
    let folder = installed("dynamodb")?;
    Some(StandIn::start("dynamodb", |[port]| {
        let mut library = OsString::from("-Djava.library.path=");
        library.push(folder.join("DynamoDBLocal_lib"));
        // What makes a short life shorter.
        let mut line: Vec<OsString> =
            ["java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1"].map(OsString::from).to_vec();
        line.extend([library, "-jar".into(), folder.join("DynamoDBLocal.jar").into()]);
        line.extend(["-inMemory", "-sharedDb", "-port"].map(OsString::from));
        line.push(port.to_string().into());
        line
    }))
}

/// Gives the one that all tests of this process share, and starts it for the first.
pub fn shared() -> Option<&'static StandIn> {
    static SHARED: OnceLock<Option<StandIn>> = OnceLock::new();
    SHARED.get_or_init(start).as_ref()
}
