//! What must hold at the end of every batch, whatever was in it: each event is accounted for, byte for byte.
#![allow(dead_code, missing_docs)]

use std::collections::BTreeMap;

use base64::{Engine, engine::general_purpose::STANDARD};
use fourstroke::report::{Decision, Disposition, Report};
use serde_json::Value;

use crate::common::World;

/// How much the sinks had taken before a batch.
pub struct Before(usize, usize);

pub fn before(world: &World) -> Before {
    Before(world.out.taken().len(), world.dead.taken().len())
}

/// Checks a batch of a pipeline whose every event either acts once or fails; gives its dead letters.
pub fn settled(world: &World, before: &Before, report: &Report) -> Vec<Value> {
    let (sent, dead) = (world.out.taken().split_off(before.0), world.dead.taken().split_off(before.1));
    let ended: usize = Disposition::ALL.iter().map(|disposition| report.count(*disposition)).sum();
    assert_eq!(ended, report.decisions.len(), "every event ends in one way");
    assert_eq!(sent.len(), report.count(Disposition::Acted), "each that acted has sent once, no other has sent");
    let letters: Vec<Value> = dead.iter().map(|letter| serde_json::from_slice(&letter.body).expect("JSON")).collect();
    let mut bodies: BTreeMap<Vec<u8>, isize> = BTreeMap::new();
    for letter in &letters {
        let body = STANDARD.decode(letter["body_base64"].as_str().expect("text")).expect("base64");
        *bodies.entry(body).or_default() += 1;
    }
    for decision in report.decisions.iter().filter(|decision| decision.disposition == Disposition::DeadLettered) {
        assert!(decision.error.as_ref().is_some_and(|error| !error.reason.is_empty()), "a dead letter says why");
        *bodies.entry(decision.body.to_vec()).or_default() -= 1;
    }
    assert!(bodies.values().all(|over| *over == 0), "the dead letters hold the bytes of what failed, and nothing else");

    for (place, input) in report.inputs.iter().enumerate() {
        let body = &input.event().body;
        let parts: Vec<_> = report.decisions.iter().filter(|decision| decision.input == place).collect();
        assert!(!parts.is_empty(), "nothing was decided about {}", input.event().id);
        // What came compressed has its parts elsewhere.
        let within = |part: &&Decision| part.body.is_empty() || body.as_ptr_range().contains(&part.body.as_ptr());
        let container = body.starts_with(b"Obj\x01") && parts.iter().all(|part| part.body != *body);
        if container || !parts.iter().all(within) {
            continue;
        }
        let batch = body.trim_ascii_start().starts_with(b"[");
        let between = |gap: &[u8]| gap.iter().all(|byte| byte.is_ascii_whitespace() || batch && b"[,]".contains(byte));
        let mut rest = &body[..];
        for (nth, part) in parts.iter().enumerate() {
            let at = if part.body.is_empty() { 0 } else { part.body.as_ptr() as usize - rest.as_ptr() as usize };
            assert!(at + part.body.len() <= rest.len(), "each part is a slice of the body, behind the one before");
            // Before the first there may be a header, a line of its own.
            let header = nth == 0 && matches!(rest[..at].last(), Some(b'\n' | b'\r'));
            assert!(header || between(&rest[..at]), "left out: {:?}", String::from_utf8_lossy(&rest[..at]));
            rest = &rest[at + part.body.len()..];
        }
        assert!(between(rest), "nothing was left out at the end");
    }
    letters
}
