//! The store in a file when things go wrong: killed, full, damaged, in use, not a file of ours.

use std::{
    io::{BufRead, BufReader},
    path::Path,
    process::{Command, Stdio},
};

use fourstroke::{
    clock::Clock,
    config::Resource,
    error::Kind,
    ports::{Condition, Key, Put, PutOutcome, Store},
};
use fourstroke_adapters::redb::{RedbStore, check_store};
use redb::{Database, TableDefinition};

use crate::redb_store::{new, open, put, resource};

/// Makes of a number what is stored for it, long enough to be torn.
fn blob(n: usize) -> String {
    format!("{n} ").repeat(n % 3_000 + 1)
}

/// Kills a process that writes as fast as it can, twice, and looks for what it said was done.
#[cfg(unix)]
#[tokio::test]
async fn what_was_done_outlives_a_kill_and_nothing_is_half_done() {
    const ENOUGH: usize = 300;
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let mut told = 0;
    for round in 0..2 {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "redb_crash::write_until_killed", "--ignored", "--nocapture"])
            .env("FOURSTROKE_TEST_STATE", &path)
            .env("FOURSTROKE_TEST_ROUND", round.to_string())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let mut done: Vec<String> = lines.by_ref().filter(|line| line.starts_with("done ")).take(ENOUGH).collect();
        child.kill().unwrap();
        assert!(!child.wait().unwrap().success(), "it writes until it is killed");
        done.extend(lines.filter(|line| line.starts_with("done ")));
        assert!(done.len() >= ENOUGH, "it ended by itself");
        told += done.len();

        let store = open(&path).await;
        for line in done {
            let [_, subject, n] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
            let item = store.get(&[Key::new(subject, n)]).await.remove(0).unwrap();
            let item = item.unwrap_or_else(|| panic!("`{line}` was answered, and is lost"));
            assert_eq!(item.value, blob(n.parse().unwrap()).into());
        }
        let mut last = 0;
        let mut kept = 0;
        for subject in (0..=round).flat_map(|round| (0..8).map(move |task| format!("{round}:{task}"))) {
            for (n, item) in store.list(&subject).await.unwrap() {
                assert!(item.value == blob(n.parse().unwrap()).into(), "{subject} {n} is half done");
                last = last.max(item.version);
                kept += 1;
            }
        }
        assert!(kept >= told, "{told} were done, {kept} are there");
        assert!(put(&store, new(&format!("after {round}"), 1)).await > last, "a version came back");
    }
}

#[ignore = "run by what_was_done_outlives_a_kill_and_nothing_is_half_done"]
#[tokio::test(flavor = "multi_thread")]
async fn write_until_killed() {
    let Ok(path) = std::env::var("FOURSTROKE_TEST_STATE") else { return };
    let round = std::env::var("FOURSTROKE_TEST_ROUND").unwrap();
    let store = std::sync::Arc::new(open(Path::new(&path)).await);
    let write = |task: usize| {
        let (store, subject) = (store.clone(), format!("{round}:{task}"));
        async move {
            for n in 0.. {
                let key = Key::new(&subject, n.to_string());
                put(&*store, Put { key, ..new("", blob(n)) }).await;
                println!("done {subject} {n}");
            }
        }
    };
    let tasks: Vec<_> = (0..8).map(|task| tokio::spawn(write(task))).collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// Runs [`beyond_the_limit`] in a process that may write only so much to a file, as on a full disk.
#[cfg(unix)]
#[tokio::test]
async fn a_full_disk_is_retryable_and_room_again_is_used() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let child = Command::new("sh")
        .args(["-c", "trap '' XFSZ; ulimit -f 4096; exec \"$0\" \"$@\""])
        .arg(std::env::current_exe().unwrap())
        .args(["--exact", "redb_crash::beyond_the_limit", "--ignored", "--nocapture"])
        .env("FOURSTROKE_TEST_STATE", &path)
        .output()
        .unwrap();
    assert!(child.status.success(), "{}", String::from_utf8_lossy(&child.stdout));
    let store = open(&path).await;
    for key in ["before", "after"] {
        assert!(store.get(&[Key::new(key, "")]).await[0].as_ref().unwrap().is_some(), "{key}");
    }
    put(&store, new("big", "x".repeat(900_000))).await;
}

#[ignore = "run by a_full_disk_is_retryable_and_room_again_is_used"]
#[tokio::test]
async fn beyond_the_limit() {
    let Ok(path) = std::env::var("FOURSTROKE_TEST_STATE") else { return };
    let store = open(Path::new(&path)).await;
    put(&store, new("before", 1)).await;
    let big: Vec<Put> = (0..20).map(|n| new(&format!("big:{n}"), "x".repeat(500_000))).collect();
    for _ in 0..2 {
        for answer in store.put(&big).await {
            assert_eq!(answer.unwrap_err().kind, Kind::Retryable);
        }
        assert_eq!(store.get(&[Key::new("big:0", "")]).await, [Ok(None)], "nothing is half done");
        assert!(store.get(&[Key::new("before", "")]).await[0].as_ref().unwrap().is_some());
    }
    put(&store, new("after", 1)).await;
}

/// Opens a resource and looks at it only; both must say the same.
async fn refusal(url: String) -> String {
    let resource = Resource::new("stores.state", url);
    let looked = check_store(&resource).expect_err("it cannot be opened, as looking finds out");
    let opened = RedbStore::open(&resource, Clock::system()).await.expect_err("it cannot be opened");
    assert_eq!(looked, opened);
    opened
}

#[tokio::test]
async fn what_cannot_be_opened_says_why_and_what_to_do_and_is_left_alone() {
    let directory = tempfile::tempdir().unwrap();
    let at = |name: &str| directory.path().join(name);
    let url = |name: &str| format!("redb:{}", at(name).display());

    std::fs::write(at("notes.txt"), "my notes, and no database\n".repeat(500)).unwrap();
    std::fs::write(at("short"), "my notes").unwrap();
    drop(open(&at("newer.redb")).await);
    let mut bytes = std::fs::read(at("newer.redb")).unwrap();
    // Where redb keeps the format of each of its two commit slots.
    (bytes[64], bytes[192]) = (4, 4);
    std::fs::write(at("newer.redb"), bytes).unwrap();
    let counts = TableDefinition::<&str, u64>::new("counts");
    for (name, table) in [("foreign.redb", TableDefinition::new("users")), ("layout.redb", counts)] {
        let writing = Database::create(at(name)).unwrap().begin_write().unwrap();
        writing.open_table(table).unwrap().insert("format", 2).unwrap();
        writing.commit().unwrap();
    }
    let _other = Database::create(at("locked.redb")).unwrap();
    std::fs::create_dir(at("directory")).unwrap();

    for (url, why) in [
        ("redb:".to_owned(), "names no file; write a path behind the colon"),
        ("redb://state.redb".to_owned(), "must be a path alone, `redb:PATH`"),
        (url("state.redb?cache=1"), "must be a path alone, `redb:PATH`"),
        (url("directory"), "it is a directory; name a file"),
        (url("new/"), "it is a directory; name a file"),
        (url("notes.txt/state.redb"), "ot a directory"),
        (url("notes.txt"), "it is no redb file; name another path, or move it away"),
        (url("short"), "it is no redb file; name another path, or move it away"),
        (url("foreign.redb"), "it is another program's redb file; name another path"),
        (url("layout.redb"), "its layout 2 is of another version of fourstroke"),
        (url("newer.redb"), "it is damaged, or of a newer format; restore it from a copy, or move it away"),
        (url("locked.redb"), "another process has it open; give each process its own file"),
    ] {
        let before = std::fs::read(url.strip_prefix("redb:").unwrap()).ok();
        let sentence = refusal(url.clone()).await;
        assert!(sentence.contains(why), "{url}: {sentence}");
        assert!(sentence.starts_with(&format!("`{url}` ")), "{sentence}");
        let after = std::fs::read(url.strip_prefix("redb:").unwrap()).ok();
        assert!(after == before, "{url} must be left alone");
    }
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn a_directory_that_takes_no_file_is_named() {
    let resource = Resource::new("stores.state", "redb:/proc/self/state.redb");
    let sentence = RedbStore::open(&resource, Clock::system()).await.unwrap_err();
    assert!(sentence.starts_with("`redb:/proc/self/state.redb` cannot be opened: "), "{sentence}");
}

#[tokio::test]
async fn looking_leaves_no_trace() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("deeper/state.redb");
    assert_eq!(check_store(&resource(&path)), Ok(()));
    assert!(!path.parent().unwrap().exists());
    let store = open(&path).await;
    put(&store, new("k", 1)).await;
    assert_eq!(check_store(&resource(&path)), Ok(()), "this process has it open");
    drop(store);
    let before = std::fs::read(&path).unwrap();
    assert_eq!(check_store(&resource(&path)), Ok(()));
    assert!(std::fs::read(&path).unwrap() == before);
}

#[tokio::test]
async fn an_item_that_is_damaged_fails_alone() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("state.redb");
    let store = open(&path).await;
    put(&store, new("good", 1)).await;
    put(&store, new("bad", 1)).await;
    drop(store);
    let items = TableDefinition::<(&str, &str), (u64, Option<(i64, u32)>, &[u8])>::new("items");
    let writing = Database::open(&path).unwrap().begin_write().unwrap();
    writing.open_table(items).unwrap().insert(("bad", ""), (7, None, &[5, 200, 0, 0, 0, b'x'][..])).unwrap();
    writing.commit().unwrap();

    let store = open(&path).await;
    let found = store.get(&["bad", "good"].map(|key| Key::new(key, ""))).await;
    assert_eq!(found[0].as_ref().unwrap_err().kind, Kind::Fatal);
    assert_eq!(found[1].as_ref().unwrap().as_ref().unwrap().value, 1.into());
    let over = Put { condition: Condition::Version(6), ..new("bad", 2) };
    let answers = store.put(&[over, new("new", 2)]).await;
    assert_eq!(answers[0].as_ref().unwrap_err().kind, Kind::Fatal);
    assert!(matches!(answers[1], Ok(PutOutcome::Done(_))), "one bad item fails no other");
}
