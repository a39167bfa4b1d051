//! TLS: what the machine trusts is trusted, nothing else. Each case opens its sink in a process of its own, where
//! `SSL_CERT_FILE` names what is trusted.

use std::{path::Path, process::Stdio};

use fourstroke::config::Resource;
use fourstroke_adapters::open;

use super::{
    certificates::{self, Authority, acceptor, authority},
    item,
    server::{Reply, Server},
};

const URL: &str = "FOURSTROKE_TEST_URL";

/// A server whose certificate is for this host, issued by that authority.
async fn server(host: &str, issuer: &Authority, expired: bool) -> Server {
    let mut content = certificates::of(host);
    if expired {
        content.not_after = rcgen::date_time_ymd(2020, 1, 1);
    }
    Server::start_with(|_| Reply::status(200), Some(acceptor(&content, issuer))).await
}

/// Sends two items in a process that trusts what the file holds; returns what became of the last.
async fn sent(server: &Server, trusted: &Path) -> String {
    let child = tokio::task::spawn_blocking({
        let mut command = std::process::Command::new(std::env::current_exe().unwrap());
        command.args(["--exact", "http::tls::in_its_own_process", "--ignored", "--nocapture"]);
        command.env(URL, format!("https://localhost:{}/", server.address.port()));
        command.env("SSL_CERT_FILE", trusted).env_remove("SSL_CERT_DIR").stderr(Stdio::inherit());
        move || command.output()
    });
    let output = String::from_utf8(child.await.unwrap().unwrap().stdout).unwrap();
    let (_, result) = output.split_once("the sink says: ").unwrap_or_else(|| panic!("{output}"));
    result.lines().next().unwrap().to_owned()
}

#[tokio::test]
#[ignore = "run by the other tests"]
async fn in_its_own_process() {
    let Ok(url) = std::env::var(URL) else { return };
    let sink = open::sink(&Resource::new("test", url)).await.unwrap();
    sink.send(&[item("a", "1")]).await;
    println!("the sink says: {:?}", sink.send(&[item("a", "2")]).await[0]);
}

#[tokio::test]
async fn what_the_machine_trusts_is_trusted_and_nothing_else() {
    let directory = tempfile::tempdir().unwrap();
    let trust = |name: &str, authority: &Authority| {
        let path = directory.path().join(name);
        std::fs::write(&path, authority.pem()).unwrap();
        path
    };
    let (mine, other) = (authority("mine"), authority("other"));
    let (mine_trusted, other_trusted) = (trust("mine.pem", &mine), trust("other.pem", &other));

    let right = server("localhost", &mine, false).await;
    assert_eq!(sent(&right, &mine_trusted).await, "Ok(())");
    assert_eq!((right.seen().len(), right.connections()), (2, 1), "a connection is kept under TLS too");

    for (server, trusted, why) in [
        (&right, &other_trusted, "was issued by nobody this machine trusts"),
        (&server("other.example", &mine, false).await, &mine_trusted, "is another host's"),
        (&server("localhost", &mine, true).await, &mine_trusted, "has expired"),
    ] {
        let before = server.seen().len();
        let result = sent(server, trusted).await;
        assert!(result.contains(&format!("its certificate {why}")) && result.contains("Fatal"), "{result}");
        assert!(result.contains("sent: No") && server.seen().len() == before, "{result}");
    }
}
