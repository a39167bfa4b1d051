//! The services the handler talks to over HTTP: they take down what had its effect, and fail as each schedule says.

use std::{
    collections::HashMap,
    sync::{
        Arc, Mutex, RwLock, Weak,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::Value;

use super::{
    environment::Environment,
    store,
    track::{Said, Seen, Track},
};
use crate::{
    http::{self, Answer, Manner, Request},
    schedule::{Fault, Port, Schedule},
};

/// The services, for all processes and schedules.
pub struct Receiver {
    pub url: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    tracks: RwLock<HashMap<u64, Arc<Track>>>,
    lives: Mutex<HashMap<u64, Arc<Life>>>,
    born: AtomicU64,
}

/// A process's life: what it asked for and was not taken before its end is not taken any more.
pub struct Life {
    pub number: u64,
    pub lives: RwLock<bool>,
    pub environment: Weak<Environment>,
}

/// A request: what it is about.
struct Asked {
    track: Arc<Track>,
    port: Port,
    of: usize,
    key: String,
    said: Said,
}

impl Receiver {
    pub fn start() -> Receiver {
        let shared: Arc<Shared> = Arc::default();
        let serving = shared.clone();
        let address = http::serve(move |request| serving.serve(&request));
        Receiver { url: format!("http://{address}"), shared }
    }

    /// Gives a new process its life, and the address it knows the services by.
    pub fn bear(&self, environment: Weak<Environment>) -> (Arc<Life>, String) {
        let number = self.shared.born.fetch_add(1, Ordering::Relaxed);
        let life = Arc::new(Life { number, lives: RwLock::new(true), environment });
        self.shared.lives.lock().unwrap().insert(number, life.clone());
        (life, format!("{}/{number}", self.url))
    }

    pub fn enter(&self, track: &Arc<Track>) {
        self.shared.tracks.write().unwrap().insert(track.schedule.seed, track.clone());
    }

    /// Tells whether a process was killed.
    pub fn has_killed(&self, life: u64) -> bool {
        !*self.shared.lives.lock().unwrap()[&life].lives.read().unwrap()
    }

    pub fn leave(&self, track: &Track) {
        self.shared.tracks.write().unwrap().remove(&track.schedule.seed);
    }
}

fn cut() -> Answer {
    Answer { manner: Manner::Cut, ..Answer::default() }
}

impl Shared {
    fn serve(&self, request: &Request) -> Answer {
        let (life, path) = request.path[1..].split_once('/').unwrap();
        let life = self.lives.lock().unwrap()[&life.parse().unwrap()].clone();
        let port = path.split('/').next().unwrap();
        if port == "dynamodb" {
            return self.ask_table(&life, request);
        }
        // One of a schedule that has ended, of an invocation that was given up.
        let Some(asked) = self.asked(port, path, request) else { return Answer { status: 200, ..Answer::default() } };
        let body = if asked.port == Port::Lookup { r#"{"level": 3}"# } else { "" };
        life.end(&asked, || Answer { status: 200, body: body.to_owned(), ..Answer::default() })
    }

    /// Passes a request on to DynamoDB, or fails it as the schedule of its key says.
    fn ask_table(&self, life: &Life, request: &Request) -> Answer {
        let table = life.environment.upgrade().and_then(|environment| environment.table());
        let Some(table) = table else { return cut() };
        let key = store::partition_in(&request.body);
        let asked = key.and_then(|key| {
            let (track, _) = self.track(&key)?;
            Some((track.key(&key)?, track))
        });
        let fault = asked.and_then(|(of, track)| Some((track.state().next(Port::Store, of)?, track.schedule.limit)));
        let Some((fault, limit)) = fault else { return store::ask(table, request) };
        if fault.has_effect() {
            store::ask(table, request);
        }
        match fault {
            Fault::Busy => store::busy(),
            Fault::Error | Fault::ErrorAfter => store::broken(),
            fault => life.fail(fault, limit),
        }
    }

    fn track(&self, text: &str) -> Option<(Arc<Track>, String)> {
        let (seed, rest) = Schedule::seed_in(text)?;
        Some((self.tracks.read().unwrap().get(&seed)?.clone(), rest.to_owned()))
    }

    /// The event of an id, `arn:…:stream/s7/shardId-…/…`.
    fn of_id(&self, id: &str) -> Option<(Arc<Track>, usize)> {
        let (_, name) = id.split_once(":stream/")?;
        let (track, id) = self.track(name)?;
        let of = track.event(&id).unwrap_or_else(|| panic!("no event of the stream is {id}"));
        Some((track, of))
    }

    fn asked(&self, port: &str, path: &str, request: &Request) -> Option<Asked> {
        let key = request.headers.get("idempotency-key").cloned().unwrap_or_default();
        let named = |name: &str| {
            let (track, rest) = self.track(name)?;
            let of = rest.strip_prefix("-e").and_then(|number| number.parse().ok()).unwrap();
            Some((track, of))
        };
        if port == "customers" {
            let (track, of) = named(path.rsplit('/').next().unwrap())?;
            return Some(Asked { track, port: Port::Lookup, of, key, said: Said::Row });
        }
        let body: Value = serde_json::from_str(&request.body).unwrap();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        match port {
            "out" => {
                let (track, of) = named(body["id"].as_str().unwrap())?;
                Some(Asked { track, port: Port::Out, of, key, said: Said::Action })
            }
            "log" => {
                let (track, of) = self.of_id(body["event_id"].as_str().unwrap())?;
                Some(Asked { track, port: Port::Log, of, key, said: Said::Entry(text(&body["disposition"])) })
            }
            "dead" => {
                let bytes = STANDARD.decode(body["body_base64"].as_str().unwrap()).unwrap();
                if body["stage"] == "log" {
                    let entry: Value = serde_json::from_slice(&bytes).unwrap();
                    let (track, of) = self.of_id(entry["event_id"].as_str().unwrap())?;
                    let said = Said::Entry(text(&entry["disposition"]));
                    return Some(Asked { track, port: Port::Dead, of, key, said });
                }
                let (track, of) = self.of_id(body["id"].as_str().unwrap())?;
                let same = bytes == track.schedule.events[of].body;
                Some(Asked { track, port: Port::Dead, of, key, said: Said::Letter(same) })
            }
            other => panic!("nobody is at {other}"),
        }
    }
}

impl Life {
    /// Ends a request as its schedule says; `well` answers it.
    fn end(&self, asked: &Asked, well: impl FnOnce() -> Answer) -> Answer {
        let fault = {
            let lives = self.lives.read().unwrap();
            if !*lives {
                return cut();
            }
            let mut state = asked.track.state();
            let fault = state.next(asked.port, asked.of);
            if fault.is_none_or(Fault::has_effect) {
                let (delivery, at) = state.deliveries[asked.of];
                let told = fault.is_none_or(|fault| fault == Fault::Abandon);
                let (of, key, said) = (asked.of, asked.key.clone(), asked.said.clone());
                state.seen.push(Seen { of, key, told, delivery, since: at.elapsed(), life: self.number, said });
            }
            fault
        };
        match fault {
            None => well(),
            Some(Fault::Abandon) => {
                (asked.track.abandons)(asked.of);
                well()
            }
            Some(fault) => self.fail(fault, asked.track.schedule.limit),
        }
    }

    /// Fails a request.
    pub fn fail(&self, fault: Fault, limit: Duration) -> Answer {
        let status = |status| Answer { status, ..Answer::default() };
        match fault {
            Fault::Busy => status(503),
            Fault::Throttled => Answer { headers: vec![("retry-after", "1".to_owned())], ..status(429) },
            Fault::Error | Fault::ErrorAfter => status(500),
            Fault::CutBefore | Fault::CutAfter | Fault::Abandon => cut(),
            Fault::SilentBefore | Fault::SilentAfter => Answer { manner: Manner::Silent, ..Answer::default() },
            Fault::Forbidden => status(403),
            Fault::Refused => status(400),
            Fault::KillBefore | Fault::KillAfter => {
                if let Some(environment) = self.environment.upgrade() {
                    environment.kill(self);
                }
                cut()
            }
            Fault::Stall => {
                if let Some(environment) = self.environment.upgrade() {
                    environment.stall(self, limit);
                }
                cut()
            }
        }
    }
}
