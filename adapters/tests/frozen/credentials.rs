//! Credentials that end: a stand-in for the service that hands them out to containers.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use chrono::{TimeDelta, Utc};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};

use crate::{
    process::{Process, Threads},
    service::Service,
};

/// Hands out another key each time, which may be used for so long.
async fn hand_out(lasts: TimeDelta) -> (String, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://127.0.0.1:{}/keys", listener.local_addr().unwrap().port());
    let asked: Arc<AtomicUsize> = Arc::default();
    let count = asked.clone();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let number = count.fetch_add(1, Ordering::SeqCst) + 1;
            let expires = (Utc::now() + lasts).to_rfc3339_opts(chrono::SecondsFormat::Millis, true);
            let body = format!(
                r#"{{"AccessKeyId":"KEY{number}","SecretAccessKey":"secret","Token":"token","Expiration":"{expires}"}}"#
            );
            drop(stream.read(&mut [0; 4096]).await);
            let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\ncontent-length";
            drop(stream.write_all(format!("{head}: {}\r\n\r\n{body}", body.len()).as_bytes()).await);
        }
    });
    (url, asked)
}

fn keys(service: &Service) -> Vec<String> {
    let key = |signed: String| {
        let (_, rest) = signed.split_once("Credential=").expect("a signature");
        rest.split('/').next().expect("a key").to_owned()
    };
    service.signed().into_iter().map(key).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
#[cfg_attr(not(target_os = "linux"), ignore = "SKIPPED: it reads /proc")]
async fn credentials_that_end_in_a_freeze_are_not_used_and_renewed_once() {
    // The SDK renews up to ten seconds early, at a random moment.
    let lasts = TimeDelta::seconds(20);
    let service = Service::start().await;
    let (url, asked) = hand_out(lasts).await;
    let variables = [("AWS_CONTAINER_CREDENTIALS_FULL_URI", url)];
    let mut process = Process::start(&service, Threads::Many, &variables);
    for round in 1..=2 {
        if round > 1 {
            process.stop();
            // What ends is real time.
            tokio::time::sleep(lasts.to_std().unwrap()).await;
            process.go_on();
        }
        let ends = process.call(50);
        assert!(ends.iter().all(|end| end == "ok"), "{ends:?}");
        assert_eq!(asked.load(Ordering::SeqCst), round, "fifty callers, one refresh");
        let keys = keys(&service);
        assert_eq!(keys.len(), round * 50);
        let expected = format!("KEY{round}");
        assert!(keys[(round - 1) * 50..].iter().all(|key| *key == expected), "no call with old ones: {keys:?}");
    }
}
