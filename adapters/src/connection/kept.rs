//! A connection, and what the socket below it says.

use std::{io, mem::MaybeUninit, time::Duration};

use bytes::Bytes;
use fourstroke::warm;
use http_body_util::Full;
use hyper::client::conn::http1::SendRequest;
use socket2::Socket;

/// A connection that takes one request at a time.
pub(super) struct Kept {
    pub(super) sender: SendRequest<Full<Bytes>>,
    /// The same socket under another number: hyper's own is out of reach, and learns of an end only when its task runs.
    pub(super) socket: Socket,
}

/// What can be seen at the socket without reading.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Seen {
    Nothing,
    /// Something nobody has read yet: TLS says goodbye, or hands out tickets.
    Unread,
    End,
}

impl Kept {
    fn look(&self) -> Seen {
        match self.socket.peek(&mut [MaybeUninit::uninit()]) {
            Ok(0) => Seen::End,
            Ok(_) => Seen::Unread,
            Err(error) if error.kind() == io::ErrorKind::WouldBlock => Seen::Nothing,
            Err(_) => Seen::End,
        }
    }

    /// Tells whether a request can be sent, once the connection's own task has read what came while nobody looked.
    pub(super) async fn is_ready(&self) -> bool {
        const PATIENCE: u32 = 20;
        for _ in 0..PATIENCE {
            match self.look() {
                Seen::Nothing => return !self.sender.is_closed(),
                Seen::End => return false,
                Seen::Unread => tokio::time::sleep(Duration::from_millis(1)).await,
            }
        }
        false
    }
}

impl warm::Connection for Kept {
    fn is_over(&self) -> bool {
        self.sender.is_closed() || self.look() == Seen::End
    }
}
