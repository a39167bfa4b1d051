//! A Lambda Runtime API in the test's process, where the emulator does not do: many invocations at the same time, deadlines,
//! traces, and a `bootstrap` that is watched while it ends.
//! [The API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Condvar, Mutex, MutexGuard},
    time::{Duration, Instant, SystemTime},
};

use serde_json::Value;

use crate::http::{self, Answer as Said, Request};

/// Longer than anything takes here, on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(120);
/// A day: who asks for an invocation waits for as long as there is none.
const FOREVER: Duration = Duration::from_secs(86_400);
const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INVOCATION: &str = "/2018-06-01/runtime/invocation/";

/// One invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub payload: Value,
    /// How long it may take.
    pub limit: Duration,
    pub trace: String,
}

impl Invocation {
    /// Makes one that may take a minute.
    pub fn new(payload: Value) -> Invocation {
        let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        Invocation { payload, limit: Duration::from_secs(60), trace: trace.to_owned() }
    }
}

/// How one was answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answer {
    /// Whether the invocation failed.
    pub failed: bool,
    pub body: Value,
    /// Whether it came before its time was up.
    pub in_time: bool,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(String, Invocation)>,
    running: HashMap<String, Instant>,
    answers: HashMap<String, Answer>,
    invoked: usize,
    asked: bool,
    most: usize,
    deaf: bool,
}

/// The API. It ends with the test's process.
#[derive(Clone)]
pub struct Runtime {
    /// `AWS_LAMBDA_RUNTIME_API`
    pub address: String,
    shared: Arc<(Mutex<State>, Condvar)>,
}

impl Runtime {
    /// Starts it.
    pub fn start() -> Runtime {
        let shared: Arc<(Mutex<State>, Condvar)> = Arc::default();
        let serving = Runtime { address: String::new(), shared: shared.clone() };
        Runtime { address: http::serve(move |request| serving.serve(&request)), shared }
    }

    /// Answers no answer: its process stands where it sent it.
    pub fn turn_deaf(&self) {
        self.state().deaf = true;
    }

    /// Puts an invocation into the queue; gives its request id.
    pub fn invoke(&self, invocation: Invocation) -> String {
        let mut state = self.state();
        state.invoked += 1;
        let id = format!("request-{}", state.invoked);
        state.queue.push_back((id.clone(), invocation));
        self.shared.1.notify_all();
        id
    }

    /// Waits for an answer.
    pub fn answer(&self, id: &str) -> Answer {
        self.wait(PATIENCE, |state| state.answers.get(id).cloned()).expect("an answer")
    }

    /// Invokes, and waits for the answer.
    pub fn answered(&self, invocation: Invocation) -> Answer {
        self.answer(&self.invoke(invocation))
    }

    /// Tells whether the process asks for its first invocation within that time.
    pub fn is_asked(&self, within: Duration) -> bool {
        self.wait(within, |state| state.asked.then_some(())).is_some()
    }

    /// Returns how many invocations were given out and not answered yet, at most.
    pub fn most(&self) -> usize {
        self.state().most
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.shared.0.lock().unwrap()
    }

    fn wait<T>(&self, within: Duration, found: impl Fn(&mut State) -> Option<T>) -> Option<T> {
        let late = Instant::now() + within;
        let mut state = self.state();
        loop {
            if let Some(found) = found(&mut state) {
                return Some(found);
            }
            let left = late.checked_duration_since(Instant::now())?;
            state = self.shared.1.wait_timeout(state, left).unwrap().0;
        }
    }

    fn serve(&self, request: &Request) -> Said {
        if (&*request.method, &*request.path) == ("GET", NEXT) {
            return self.next();
        }
        let (id, what) = request.path.strip_prefix(INVOCATION).and_then(|rest| rest.split_once('/')).unwrap();
        let body = serde_json::from_str(&request.body).unwrap();
        let mut state = self.state();
        let in_time = state.running.remove(id).is_some_and(|deadline| Instant::now() < deadline);
        let twice = state.answers.insert(id.to_owned(), Answer { failed: what == "error", body, in_time });
        assert_eq!(twice, None, "{id} is answered twice");
        self.shared.1.notify_all();
        if state.deaf {
            drop(state);
            http::silence();
        }
        Said { status: 202, ..Said::default() }
    }

    fn next(&self) -> Said {
        self.state().asked = true;
        self.shared.1.notify_all();
        let Some((id, invocation)) = self.wait(FOREVER, |state| state.queue.pop_front()) else { http::silence() };
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + invocation.limit;
        let mut state = self.state();
        state.running.insert(id.clone(), Instant::now() + invocation.limit);
        state.most = state.most.max(state.running.len());
        let headers = vec![
            ("lambda-runtime-aws-request-id", id),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:f".to_owned()),
            ("lambda-runtime-trace-id", invocation.trace),
        ];
        Said { status: 200, headers, body: invocation.payload.to_string() }
    }
}
