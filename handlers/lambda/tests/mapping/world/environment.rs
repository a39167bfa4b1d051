//! An execution environment: the handler's process below a Runtime API, and another one once it was killed.

use std::{
    net::SocketAddr,
    sync::{
        Arc, RwLock, Weak,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
    time::Duration,
};

use super::receiver::{Life, Receiver};
use crate::{
    process::Process,
    runtime::{Answer, Invocation, Runtime},
};

/// Longer than a process needs to get ready on a busy machine.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// What a schedule hears while it runs.
pub enum Told {
    /// An invocation of that number was answered.
    Answered(u64, Answer),
    /// The mapping is to give up the invocation of that event.
    Abandon(usize),
}

/// An environment.
pub struct Environment {
    pub receiver: Arc<Receiver>,
    pipeline: String,
    /// None: one, and it stands still between them.
    invocations_at_once: Option<usize>,
    /// How often it went on behind that.
    thaws: Arc<AtomicUsize>,
    table: Option<SocketAddr>,
    /// How often it may still be killed.
    kills: AtomicUsize,
    own: Weak<Environment>,
    current: RwLock<Option<Current>>,
}

struct Current {
    runtime: Runtime,
    process: Process,
    life: Arc<Life>,
}

impl Environment {
    /// Starts one that runs so many invocations at the same time (none: one, and it stands still between them), and may be killed so
    /// often; what was done is kept in the table, or in the process's memory.
    pub fn start(
        receiver: &Arc<Receiver>,
        pipeline: &str,
        invocations_at_once: Option<usize>,
        kills: usize,
        table: Option<SocketAddr>,
    ) -> Arc<Environment> {
        let environment = Arc::new_cyclic(|own| Environment {
            receiver: receiver.clone(),
            pipeline: pipeline.to_owned(),
            invocations_at_once,
            thaws: Arc::default(),
            table,
            kills: AtomicUsize::new(kills),
            own: own.clone(),
            current: RwLock::new(None),
        });
        let first = environment.process();
        assert!(first.runtime.is_asked(READY_WITHIN), "it does not get ready\n{}", first.process.log());
        *environment.current.write().unwrap() = Some(first);
        environment
    }

    fn process(&self) -> Current {
        let (life, url) = self.receiver.bear(self.own.clone());
        let runtime = Runtime::start();
        let (at_once, table) = (self.invocations_at_once.map(|many| many.to_string()), format!("{url}/dynamodb"));
        let mut variables = vec![("RECEIVER", url.as_str()), ("SOURCE", "kinesis"), ("FOURSTROKE_LOG", "error")];
        variables.extend(at_once.as_ref().map(|many| ("AWS_LAMBDA_MAX_CONCURRENCY", many.as_str())));
        if self.table.is_some() {
            variables.extend([("STATE", "dynamodb://state"), ("AWS_ENDPOINT_URL_DYNAMODB", &table)]);
        }
        let process = Process::start(&runtime, &self.pipeline, &variables);
        if at_once.is_none() {
            let (guard, thaws) = (process.guard(), self.thaws.clone());
            runtime.freeze_by(move |frozen| {
                // One that has ended meanwhile hears nothing.
                if guard.signal(if frozen { "STOP" } else { "CONT" }) && !frozen {
                    thaws.fetch_add(1, Ordering::SeqCst);
                }
            });
        }
        Current { runtime, process, life }
    }

    /// Invokes the function; that hears the answer.
    pub fn invoke(&self, invocation: Invocation, ear: impl FnOnce(Answer) + Send + 'static) {
        self.current.read().unwrap().as_ref().unwrap().runtime.invoke_then(invocation, ear);
    }

    /// How often it went on after it had stood still.
    pub fn thaws(&self) -> usize {
        self.thaws.load(Ordering::SeqCst)
    }

    pub fn table(&self) -> Option<SocketAddr> {
        self.table
    }

    /// What the process wrote.
    pub fn log(&self) -> String {
        self.current.read().unwrap().as_ref().unwrap().process.log()
    }

    /// Stops the process of that life, and ends it once its time is up; tells whether it did.
    pub fn stall(&self, life: &Life, limit: Duration) -> bool {
        {
            let current = self.current.read().unwrap();
            let stalled = current.as_ref().unwrap();
            if stalled.life.number != life.number || self.kills.load(Ordering::SeqCst) == 0 {
                return false;
            }
            stalled.process.guard().signal("STOP");
        }
        thread::sleep(limit);
        self.kill(life)
    }

    /// Ends the process of that life, as Lambda does when it takes too much memory or time: nothing that it asked for and was not
    /// taken is taken any more. Another one takes over. Tells whether it did.
    pub fn kill(&self, life: &Life) -> bool {
        let mut current = self.current.write().unwrap();
        let ended = current.as_mut().unwrap();
        let left = |kills: usize| kills.checked_sub(1);
        if ended.life.number != life.number
            || self.kills.fetch_update(Ordering::SeqCst, Ordering::SeqCst, left).is_err()
        {
            return false;
        }
        *life.lives.write().unwrap() = false;
        ended.process.end("KILL");
        let next = self.process();
        ended.runtime.hand_over(&next.runtime);
        *ended = next;
        true
    }
}
