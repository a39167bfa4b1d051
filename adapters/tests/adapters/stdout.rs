use std::{
    io::{self, Write},
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use fourstroke::{
    error::Kind,
    ports::{Outgoing, Sink},
    testkit::sink,
};
use fourstroke_adapters::stdout::StdoutSink;

#[derive(Clone, Default)]
struct Page(Arc<Mutex<Vec<u8>>>);

impl Write for Page {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        // As a pipe does: only a part at a time.
        let some = &bytes[..bytes.len().min(100)];
        self.0.lock().unwrap().extend_from_slice(some);
        Ok(some.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn keeps_the_contract() {
    let page = Page::default();
    let taken = async || {
        let written = page.0.lock().unwrap().clone();
        let lines = written.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        lines.map(Bytes::copy_from_slice).collect()
    };
    let can = sink::Capabilities { lines: true, ..sink::Capabilities::default() };
    sink::suite(Arc::new(StdoutSink::to(page.clone())), taken, can).await;
}

struct Broken(io::ErrorKind);

impl Write for Broken {
    fn write(&mut self, _: &[u8]) -> io::Result<usize> {
        Err(self.0.into())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

#[tokio::test]
async fn a_reader_that_has_gone_away_is_fatal_and_other_failures_are_not() {
    let item = Outgoing {
        id: "1".into(),
        key: None,
        content_type: "application/json",
        attributes: Vec::new(),
        body: Bytes::from_static(b"{}"),
    };
    for (failure, kind) in [(io::ErrorKind::BrokenPipe, Kind::Fatal), (io::ErrorKind::StorageFull, Kind::Retryable)] {
        let answers = StdoutSink::to(Broken(failure)).send(std::slice::from_ref(&item)).await;
        assert_eq!(answers[0].as_ref().unwrap_err().kind, kind);
    }
}
