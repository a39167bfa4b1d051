//! A service on this machine that takes what is posted to it, and answers as it is told to.

use std::sync::{
    Arc, Mutex,
    atomic::{AtomicBool, Ordering},
};

use serde_json::Value;

use crate::http::{self, Answer};

/// What was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    pub path: String,
    /// `idempotency-key`
    pub key: String,
    pub body: String,
}

impl Asked {
    /// What the body says the id is.
    pub fn id(&self) -> String {
        let body: Value = serde_json::from_str(&self.body).unwrap();
        body["id"].as_str().unwrap().to_owned()
    }
}

/// The service. It ends with the test's process.
pub struct Receiver {
    pub url: String,
    taken: Arc<Mutex<Vec<Asked>>>,
    fails: Arc<AtomicBool>,
}

impl Receiver {
    /// Starts one; it remembers what it answers with a status of the 200s.
    pub fn start(say: impl Fn(&Asked) -> (u16, String) + Send + Sync + 'static) -> Receiver {
        let (taken, fails): (Arc<Mutex<Vec<Asked>>>, _) = (Arc::default(), Arc::new(AtomicBool::new(true)));
        let all = taken.clone();
        let address = http::serve(move |request| {
            let key = request.headers.get("idempotency-key").cloned().unwrap_or_default();
            let asked = Asked { path: request.path, key, body: request.body };
            let (status, body) = say(&asked);
            if (200..300).contains(&status) {
                all.lock().unwrap().push(asked);
            }
            Answer { status, body, ..Answer::default() }
        });
        Receiver { url: format!("http://{address}"), taken, fails }
    }

    /// Starts one that takes everything.
    pub fn well() -> Receiver {
        Receiver::start(|_| (200, String::new()))
    }

    /// Starts one that answers with this status what comes to a path with this in its body, until it is mended.
    pub fn failing(path: &'static str, part: &'static str, status: u16) -> Receiver {
        let fails = Arc::new(AtomicBool::new(true));
        let failing = fails.clone();
        let receiver = Receiver::start(move |asked| {
            let fails = asked.path == path && asked.body.contains(part) && failing.load(Ordering::SeqCst);
            (if fails { status } else { 200 }, String::new())
        });
        Receiver { fails, ..receiver }
    }

    /// Lets what failed be well.
    pub fn mend(&self) {
        self.fails.store(false, Ordering::SeqCst);
    }

    /// What was taken at a path so far, in the order it came.
    pub fn taken(&self, path: &str) -> Vec<Asked> {
        self.taken.lock().unwrap().iter().filter(|asked| asked.path == path).cloned().collect()
    }

    /// The ids of what was acted on so far, sorted.
    pub fn acted(&self) -> Vec<String> {
        let mut ids: Vec<String> = self.taken("/out").iter().map(Asked::id).collect();
        ids.sort_by_key(|id| id.rsplit('-').next().and_then(|number| number.parse::<usize>().ok()));
        ids
    }
}
