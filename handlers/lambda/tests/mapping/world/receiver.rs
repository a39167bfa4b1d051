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
    /// What was asked that no handler should ask.
    nonsense: Mutex<Vec<String>>,
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

    /// Takes what was asked that no handler should ask: nobody knows for which schedule.
    pub fn nonsense(&self) -> Vec<String> {
        std::mem::take(&mut *self.shared.nonsense.lock().unwrap())
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
        let asked = match self.asked(port, path, request) {
            Ok(Some(asked)) => asked,
            // One of a schedule that has ended, of an invocation that was given up.
            Ok(None) => return Answer { status: 200, ..Answer::default() },
            Err(why) => {
                self.nonsense.lock().unwrap().push(format!("{why}: {} /{path} {}", request.method, request.body));
                return Answer { status: 400, ..Answer::default() };
            }
        };
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
        let Some((of, track)) = asked else { return store::ask(table, request) };
        let fault = track.state().next(Port::Store, of);
        let Some(fault) = fault else { return store::ask(table, request) };
        if fault.has_effect() {
            store::ask(table, request);
        }
        let (ended, answer) = match fault {
            Fault::Busy => (fault, store::busy()),
            Fault::Error | Fault::ErrorAfter => (fault, store::broken()),
            fault => life.fail(fault, track.schedule.limit),
        };
        track.state().count(Port::Store, ended);
        answer
    }

    fn track(&self, text: &str) -> Option<(Arc<Track>, String)> {
        let (seed, rest) = Schedule::seed_in(text)?;
        Some((self.tracks.read().unwrap().get(&seed)?.clone(), rest.to_owned()))
    }

    /// The event of an id, `arn:…:stream/s7/shardId-…/…`; none: its schedule has ended.
    fn of_id(&self, id: &Value) -> Result<Option<(Arc<Track>, usize)>, String> {
        let name = id.as_str().and_then(|id| id.split_once(":stream/")).map(|(_, name)| name);
        let name = name.filter(|name| Schedule::seed_in(name).is_some()).ok_or("no stream has such an event")?;
        let Some((track, id)) = self.track(name) else { return Ok(None) };
        let of = track.event(&id).ok_or("the stream has no such event")?;
        Ok(Some((track, of)))
    }

    /// The event of a name, `s7-e2`.
    fn of_name(&self, name: &str) -> Result<Option<(Arc<Track>, usize)>, String> {
        let (_, rest) = Schedule::seed_in(name).ok_or("no event has such a name")?;
        let of: usize = rest.strip_prefix("-e").and_then(|number| number.parse().ok()).ok_or("it names no event")?;
        let Some((track, _)) = self.track(name) else { return Ok(None) };
        if of >= track.schedule.events.len() {
            return Err("there are not so many events".to_owned());
        }
        Ok(Some((track, of)))
    }

    /// What a request is about; none: a schedule that has ended.
    fn asked(&self, port: &str, path: &str, request: &Request) -> Result<Option<Asked>, String> {
        let key = request.headers.get("idempotency-key").cloned().unwrap_or_default();
        let asked = |found: Option<(Arc<Track>, usize)>, port, said| {
            found.map(|(track, of)| Asked { track, port, of, key: key.clone(), said })
        };
        if port == "customers" {
            return Ok(asked(self.of_name(path.rsplit('/').next().unwrap_or_default())?, Port::Lookup, Said::Row));
        }
        let body: Value = serde_json::from_str(&request.body).map_err(|error| error.to_string())?;
        let entry = |entry: &Value| Said::Entry(entry["disposition"].as_str().unwrap_or_default().to_owned());
        match port {
            "out" => Ok(asked(self.of_name(body["id"].as_str().unwrap_or_default())?, Port::Out, Said::Action)),
            "log" => Ok(asked(self.of_id(&body["event_id"])?, Port::Log, entry(&body))),
            "dead" => {
                let bytes = STANDARD.decode(body["body_base64"].as_str().unwrap_or_default());
                let bytes = bytes.map_err(|error| error.to_string())?;
                if body["stage"] == "log" {
                    let said: Value = serde_json::from_slice(&bytes).map_err(|error| error.to_string())?;
                    return Ok(asked(self.of_id(&said["event_id"])?, Port::Dead, entry(&said)));
                }
                let found = self.of_id(&body["id"])?;
                let same = found.as_ref().is_some_and(|(track, of)| bytes == track.schedule.events[*of].body);
                Ok(asked(found, Port::Dead, Said::Letter(same)))
            }
            _ => Err("nobody is there".to_owned()),
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
                let told = fault.is_none_or(|fault| fault == Fault::Abandon);
                let (of, key, said) = (asked.of, asked.key.clone(), asked.said.clone());
                let runs = state.concerned(asked.port, asked.of);
                state.seen.push(Seen { of, key, told, runs, said });
            }
            fault
        };
        let Some(fault) = fault else { return well() };
        let (ended, answer) = if fault == Fault::Abandon {
            (asked.track.abandons)(asked.of);
            (fault, well())
        } else {
            self.fail(fault, asked.track.schedule.limit)
        };
        asked.track.state().count(asked.port, ended);
        answer
    }

    /// Fails a request: gives how it came to end, which is another way where the process may not be killed.
    pub fn fail(&self, fault: Fault, limit: Duration) -> (Fault, Answer) {
        let status = |status| Answer { status, ..Answer::default() };
        let environment = self.environment.upgrade();
        let ends = |kill: &dyn Fn(&Environment) -> bool, otherwise: Fault| {
            let killed = environment.as_ref().is_some_and(|environment| kill(environment));
            (if killed { fault } else { otherwise }, cut())
        };
        match fault {
            Fault::Busy => (fault, status(503)),
            Fault::Throttled => (fault, Answer { headers: vec![("retry-after", "1".to_owned())], ..status(429) }),
            Fault::Error | Fault::ErrorAfter => (fault, status(500)),
            Fault::CutBefore | Fault::CutAfter | Fault::Abandon => (fault, cut()),
            Fault::SilentBefore | Fault::SilentAfter => (fault, Answer { manner: Manner::Silent, ..Answer::default() }),
            Fault::Forbidden => (fault, status(403)),
            Fault::Refused => (fault, status(400)),
            Fault::KillBefore => ends(&|environment| environment.kill(self), Fault::CutBefore),
            Fault::KillAfter => ends(&|environment| environment.kill(self), Fault::CutAfter),
            Fault::Stall => ends(&|environment| environment.stall(self, limit), Fault::CutBefore),
        }
    }
}
