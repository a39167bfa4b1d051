//! The account finds what is lost: each way to lose or spoil something is counted, and by its name.

use std::path::Path;

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::json;

use super::{
    account::{Account, Wrong},
    day::Day,
    ledger::Ledger,
    written::Written,
};

const EVENTS: usize = 400;
/// Every so many real events one is acted on.
const ACTED: usize = 10;

/// The lines that a run writes, one by one.
#[derive(Clone)]
struct Lines {
    log: Vec<String>,
    actions: Vec<String>,
    letters: Vec<String>,
}

impl Lines {
    /// Returns what a run writes that does all as it should.
    fn of(day: &Day) -> Lines {
        let mut lines = Lines { log: Vec::new(), actions: Vec::new(), letters: Vec::new() };
        for (place, line) in day.lines.iter().enumerate() {
            let disposition = match line.poison {
                Some(kind) => {
                    let body = STANDARD.encode(day.bytes(place));
                    let letter = json!({ "id": line.id, "code": kind.code, "body_base64": body });
                    lines.letters.push(letter.to_string());
                    "dead-lettered"
                }
                None if place % ACTED == 0 => {
                    lines.actions.push(json!({ "id": format!("key of {place}"), "subject": line.id }).to_string());
                    "acted"
                }
                None => "passed",
            };
            lines.log.push(json!({ "event_id": line.id, "disposition": disposition }).to_string());
        }
        lines
    }

    fn written(&self) -> Written {
        let text = |lines: &[String]| lines.iter().flat_map(|line| [line.as_bytes(), b"\n"].concat()).collect();
        Written { log: text(&self.log), actions: text(&self.actions), letters: text(&self.letters), torn: 0 }
    }
}

fn account(day: &Day, killed: &Lines, whole: &Lines, set_aside: usize) -> Account {
    let mut ledger = Ledger::new(day);
    ledger.add(&killed.written(), "killed".to_owned(), false).unwrap();
    ledger.add(&whole.written(), "the whole day".to_owned(), true).unwrap();
    ledger.account(set_aside)
}

fn day(directory: &Path) -> Day {
    Day::write(directory, EVENTS).unwrap()
}

#[test]
fn all_is_well_where_all_is_done() {
    let directory = tempfile::tempdir().unwrap();
    let day = day(directory.path());
    let whole = Lines::of(&day);
    let mut killed = whole.clone();
    killed.log.truncate(99);
    killed.letters.truncate(1);
    killed.actions.truncate(12);
    let account = account(&day, &killed, &whole, 0);
    assert!(account.is_well(), "{account}");
    assert_eq!((account.sent, account.dead_lettered), (EVENTS + 4, 4));
    assert_eq!(account.acted + account.passed, EVENTS);
    assert_eq!((account.acted, account.acted_more_than_once), (whole.actions.len(), 12));
    assert_eq!(account.actions, whole.actions.len() + 12);
}

#[test]
fn a_replay_that_skips_what_was_done_acts_once() {
    let directory = tempfile::tempdir().unwrap();
    let day = day(directory.path());
    let mut killed = Lines::of(&day);
    let mut whole = killed.clone();
    // Killed between acting and logging.
    killed.log.clear();
    whole.log.iter_mut().for_each(|entry| *entry = entry.replace("acted", "skipped"));
    whole.actions.clear();
    let account = account(&day, &killed, &whole, 0);
    assert!(account.is_well(), "{account}");
    assert_eq!((account.acted, account.acted_more_than_once), (killed.actions.len(), 0));
}

#[test]
fn each_way_to_lose_or_spoil_something_is_found() {
    let directory = tempfile::tempdir().unwrap();
    let day = day(directory.path());
    let good = Lines::of(&day);
    let nothing = Lines { log: Vec::new(), actions: Vec::new(), letters: Vec::new() };
    let expect = |name: &str, spoil: &dyn Fn(&mut Lines), lost: usize, wrong: Wrong| {
        let mut lines = good.clone();
        spoil(&mut lines);
        let account = account(&day, &nothing, &lines, 0);
        assert_eq!((account.lost, &account.wrong), (lost, &wrong), "{name}");
        assert_eq!(account.first_lost.len(), lost, "{name}");
        assert!(!account.is_well(), "{name}");
    };
    let none = Wrong::default;
    expect("an entry is missing", &|lines| drop(lines.log.remove(5)), 1, Wrong { out_of_turn: 1, ..none() });
    expect("the end is missing", &|lines| lines.log.truncate(403), 1, Wrong { out_of_turn: 1, ..none() });
    expect(
        "an entry is there twice",
        &|lines| lines.log.insert(5, lines.log[5].clone()),
        0,
        Wrong { out_of_turn: 1, ..none() },
    );
    expect("an action is missing", &|lines| drop(lines.actions.remove(3)), 1, Wrong { said_but_not_done: 1, ..none() });
    expect(
        "a dead letter is missing",
        &|lines| drop(lines.letters.remove(2)),
        1,
        Wrong { said_but_not_done: 1, ..none() },
    );
    let other_letter = |change: fn(&mut serde_json::Value)| {
        move |lines: &mut Lines| {
            let mut letter = serde_json::from_str(&lines.letters[2]).unwrap();
            change(&mut letter);
            lines.letters[2] = letter.to_string();
        }
    };
    expect(
        "other bytes in a dead letter",
        &other_letter(|letter| letter["body_base64"] = "AAAA".into()),
        1,
        Wrong { other_bytes: 1, ..none() },
    );
    expect(
        "another reason in a dead letter",
        &other_letter(|letter| letter["code"] = "FS-T001".into()),
        0,
        Wrong { misjudged: 1, ..none() },
    );
    expect(
        "the dead letter of an event that was never sent",
        &other_letter(|letter| letter["id"] = "nobody".into()),
        1,
        Wrong { said_but_not_done: 1, never_sent: 1, ..none() },
    );
    let sayings = |from: &'static str, to: &'static str| {
        move |lines: &mut Lines| {
            let entry = lines.log.iter_mut().find(|entry| entry.contains(from)).unwrap();
            *entry = entry.replace(from, to);
        }
    };
    expect("poison that passed", &sayings("dead-lettered", "passed"), 0, Wrong { misjudged: 1, ..none() });
    expect("acted on, and no action", &sayings("passed", "acted"), 1, Wrong { said_but_not_done: 1, ..none() });
    expect("skipped, and never acted on", &sayings("passed", "skipped"), 1, Wrong { said_but_not_done: 1, ..none() });
    expect("an end that is none", &sayings("passed", "retry"), 1, none());
    expect(
        "an event that was never sent",
        &|lines| lines.log.push(r#"{"event_id":"x","disposition":"passed"}"#.into()),
        0,
        Wrong { never_sent: 1, ..none() },
    );
}

#[test]
fn two_runs_must_say_the_same() {
    let directory = tempfile::tempdir().unwrap();
    let day = day(directory.path());
    let good = Lines::of(&day);
    let mut other = good.clone();
    other.log[1] = other.log[1].replace("passed", "dead-lettered");
    other.actions[0] = other.actions[0].replace("key of", "another key of");
    let account = account(&day, &other, &good, 1);
    let wrong =
        Wrong { said_but_not_done: 1, decided_differently: 1, other_key: 1, torn_and_gone: 1, ..Wrong::default() };
    assert_eq!((account.lost, &account.wrong), (0, &wrong));
}
