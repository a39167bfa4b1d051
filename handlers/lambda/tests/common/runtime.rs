//! A Lambda Runtime API in the test's process, where the emulator does not do: many invocations at the same time, deadlines,
//! traces, and a `bootstrap` that is watched while it ends.
//! [The API](https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html).

#![allow(dead_code, reason = "each test needs a part of it")]

use std::{
    collections::{HashMap, HashSet, VecDeque},
    sync::{
        Arc, Condvar, Mutex, MutexGuard,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant, SystemTime},
};

use serde_json::{Value, json};

use crate::http::{self, Answer as Said, Manner, Request};

/// Longer than anything takes here, on the busiest machine.
const PATIENCE: Duration = Duration::from_secs(120);
const NEXT: &str = "/2018-06-01/runtime/invocation/next";
const INVOCATION: &str = "/2018-06-01/runtime/invocation/";

/// One invocation.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub payload: String,
    /// How long it may take.
    pub limit: Duration,
    pub trace: String,
}

impl Invocation {
    /// Makes one that may take a minute.
    pub fn new(payload: impl ToString) -> Invocation {
        let trace = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
        Invocation { payload: payload.to_string(), limit: Duration::from_secs(60), trace: trace.to_owned() }
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
    /// How long after it was given out.
    pub took: Duration,
}

type Ear = Box<dyn FnOnce(Answer) + Send>;
type Freezer = Arc<dyn Fn(bool) + Send + Sync>;

/// An invocation that was given out.
struct Running {
    began: Instant,
    limit: Duration,
}

#[derive(Default)]
struct State {
    queue: VecDeque<(String, Invocation)>,
    running: HashMap<String, Running>,
    answers: HashMap<String, Answer>,
    /// Who wants to hear of an answer, by request.
    ears: HashMap<String, Ear>,
    /// Requests that were given out to a process that has ended.
    crashed: HashSet<String>,
    asked: bool,
    most: usize,
    deaf: bool,
    freezer: Option<Freezer>,
    /// Its process has ended.
    handed_over: bool,
}

/// The API. It ends with the test's process.
#[derive(Clone)]
pub struct Runtime {
    /// `AWS_LAMBDA_RUNTIME_API`
    pub address: String,
    shared: Arc<Shared>,
}

#[derive(Default)]
struct Shared {
    state: Mutex<State>,
    /// Something was put into the queue.
    queued: Condvar,
    /// Anything else has changed.
    changed: Condvar,
}

impl Runtime {
    /// Starts it.
    pub fn start() -> Runtime {
        let shared: Arc<Shared> = Arc::default();
        let serving = Runtime { address: String::new(), shared: shared.clone() };
        Runtime { address: http::serve(move |request| serving.serve(&request)), shared }
    }

    /// Answers no answer: its process stands where it sent it.
    pub fn turn_deaf(&self) {
        self.state().deaf = true;
    }

    /// Freezes its process between invocations, as Lambda does where it runs one at a time: that stops it, or lets it go on.
    pub fn freeze_by(&self, freezer: impl Fn(bool) + Send + Sync + 'static) {
        self.state().freezer = Some(Arc::new(freezer));
    }

    /// Puts an invocation into the queue; gives its request id.
    pub fn invoke(&self, invocation: Invocation) -> String {
        self.queue(invocation, None)
    }

    /// Puts an invocation into the queue, and calls that with its answer.
    pub fn invoke_then(&self, invocation: Invocation, ear: impl FnOnce(Answer) + Send + 'static) {
        self.queue(invocation, Some(Box::new(ear)));
    }

    fn queue(&self, invocation: Invocation, ear: Option<Ear>) -> String {
        static REQUESTS: AtomicUsize = AtomicUsize::new(0);
        let id = format!("request-{}", REQUESTS.fetch_add(1, Ordering::Relaxed));
        let mut state = self.state();
        ear.into_iter().for_each(|ear| drop(state.ears.insert(id.clone(), ear)));
        state.queue.push_back((id.clone(), invocation));
        self.shared.queued.notify_one();
        id
    }

    /// Its process has ended: what was given out fails, as on Lambda, and what was not goes to another one's API.
    pub fn hand_over(&self, other: &Runtime) {
        let mut state = self.state();
        state.handed_over = true;
        self.shared.queued.notify_all();
        let running: Vec<(String, Running)> = state.running.drain().collect();
        for (id, Running { began, .. }) in running {
            state.crashed.insert(id.clone());
            let body = json!({ "errorType": "Runtime.ExitError" });
            state.tell(id, Answer { failed: true, body, in_time: true, took: began.elapsed() });
        }
        self.shared.changed.notify_all();
        let (queue, ears) = (std::mem::take(&mut state.queue), std::mem::take(&mut state.ears));
        drop(state);
        let mut state = other.state();
        state.queue.extend(queue);
        state.ears.extend(ears);
        other.shared.queued.notify_all();
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
        self.shared.state.lock().unwrap()
    }

    fn wait<T>(&self, within: Duration, found: impl Fn(&mut State) -> Option<T>) -> Option<T> {
        let late = Instant::now() + within;
        let mut state = self.state();
        loop {
            if let Some(found) = found(&mut state) {
                return Some(found);
            }
            let left = late.checked_duration_since(Instant::now())?;
            state = self.shared.changed.wait_timeout(state, left).unwrap().0;
        }
    }

    fn serve(&self, request: &Request) -> Said {
        if (&*request.method, &*request.path) == ("GET", NEXT) {
            return self.next();
        }
        let (id, what) = request.path.strip_prefix(INVOCATION).and_then(|rest| rest.split_once('/')).unwrap();
        let body = serde_json::from_str(&request.body).unwrap();
        let mut state = self.state();
        let running = state.running.remove(id);
        // The last words of a process that was ended meanwhile are not heard.
        if !state.crashed.remove(id) {
            let Running { began, limit } = running.unwrap_or_else(|| panic!("{id} was not given out"));
            let took = began.elapsed();
            state.tell(id.to_owned(), Answer { failed: what == "error", body, in_time: took < limit, took });
        }
        self.shared.changed.notify_all();
        if state.deaf {
            drop(state);
            http::silence();
        }
        Said { status: 202, ..Said::default() }
    }

    fn next(&self) -> Said {
        let mut state = self.state();
        state.asked = true;
        self.shared.changed.notify_all();
        let freezer = state.freezer.clone();
        if let Some(freeze) = &freezer {
            drop(state);
            freeze(true);
            state = self.state();
        }
        let (id, invocation) = loop {
            if state.handed_over {
                return Said { manner: Manner::Cut, ..Said::default() };
            }
            if let Some(next) = state.queue.pop_front() {
                break next;
            }
            state = self.shared.queued.wait(state).unwrap();
        };
        let deadline = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap() + invocation.limit;
        state.running.insert(id.clone(), Running { began: Instant::now(), limit: invocation.limit });
        state.most = state.most.max(state.running.len());
        drop(state);
        if let Some(freeze) = freezer {
            freeze(false);
        }
        let headers = vec![
            ("lambda-runtime-aws-request-id", id),
            ("lambda-runtime-deadline-ms", deadline.as_millis().to_string()),
            ("lambda-runtime-invoked-function-arn", "arn:aws:lambda:eu-central-1:123456789012:function:f".to_owned()),
            ("lambda-runtime-trace-id", invocation.trace),
        ];
        Said { status: 200, headers, body: invocation.payload, ..Said::default() }
    }
}

impl State {
    fn tell(&mut self, id: String, answer: Answer) {
        match self.ears.remove(&id) {
            Some(ear) => ear(answer),
            None => {
                let twice = self.answers.insert(id.clone(), answer);
                assert_eq!(twice, None, "{id} is answered twice");
            }
        }
    }
}
