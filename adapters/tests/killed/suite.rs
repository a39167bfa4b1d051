//! One seed: a process is killed, another one gets everything again, and then once more. What has the receiver?

use std::{
    collections::{BTreeMap, HashMap, HashSet},
    env,
    io::Write,
    ops::AddAssign,
    sync::{Arc, Mutex, PoisonError},
};

use bytes::Bytes;
use fourstroke::identity::idempotency_key;
use serde_json::json;
use tempfile::TempDir;

use crate::{
    child::{Orders, RULE},
    plan::{Delivery, Plan},
    points::Point,
    process::{Ended, Process, Victim},
    server::{Reply, Server},
};

/// Longer than any lease.
pub const LATER: i64 = 60;

/// One request as the receiver got it.
#[derive(Clone, Debug)]
struct Request {
    /// The path says which pass over the events it is of.
    pass: String,
    key: String,
    body: Bytes,
}

/// What came of runs.
#[derive(Default)]
struct Tally {
    runs: usize,
    deliveries: usize,
    acting: usize,
    keys: usize,
    requests: usize,
}

impl AddAssign for Tally {
    fn add_assign(&mut self, other: Tally) {
        self.runs += other.runs;
        self.deliveries += other.deliveries;
        self.acting += other.acting;
        self.keys += other.keys;
        self.requests += other.requests;
    }
}

/// Where decisions are remembered.
#[derive(Clone)]
pub struct Ledger {
    pub url: String,
    /// What the environment of a process must say for it, beside what it says already.
    pub environment: Vec<(&'static str, String)>,
    _directory: Option<Arc<TempDir>>,
}

impl Ledger {
    /// Makes a file of its own, or takes `KILL_STORE`, the URL of a store that all runs share.
    pub fn new() -> Ledger {
        if let Ok(url) = env::var("KILL_STORE") {
            return Ledger::shared(url, Vec::new());
        }
        let directory = tempfile::tempdir().expect("a directory");
        let url = format!("redb:{}", directory.path().join("state.redb").display());
        Ledger { url, environment: Vec::new(), _directory: Some(Arc::new(directory)) }
    }

    pub fn shared(url: String, environment: Vec<(&'static str, String)>) -> Ledger {
        Ledger { url, environment, _directory: None }
    }
}

/// Runs `KILL_SEEDS` seeds (200, where nothing else is said) at one point, and prints what came of them.
pub async fn all_seeds(point: Point) {
    let seeds = env::var("KILL_SEEDS").ok().map_or(200, |seeds| seeds.parse().expect("a number of seeds"));
    these_seeds(point, seeds, Ledger::new).await;
}

/// Runs so many seeds at one point, each with a ledger that is made for it, and prints what came of them.
pub async fn these_seeds(point: Point, seeds: u64, ledger: impl Fn() -> Ledger) {
    let mut all = Tally::default();
    let mut kind = String::new();
    for seed in 0..seeds {
        let ledger = ledger();
        kind = ledger.url.split(':').next().unwrap_or_default().to_owned();
        all += one(point, seed, &ledger).await;
    }
    let Tally { runs, deliveries, acting, keys, requests } = all;
    let (lost, raw) = (acting - keys, requests - keys);
    // The harness would keep what is printed by a test that passes.
    let _ = writeln!(
        std::io::stderr(),
        "killed {:17} {kind}, {runs} runs, {deliveries} deliveries, {acting} events that act: {keys} sent, {lost} lost, \
         {requests} requests, {raw} raw duplicates",
        point.name()
    );
}

async fn one(point: Point, seed: u64, ledger: &Ledger) -> Tally {
    let plan = Plan::draw(point, seed);
    let victim = Victim::default();
    let requests: Arc<Mutex<Vec<Request>>> = Arc::default();
    let (seen, killer, hang) = (requests.clone(), victim.clone(), (point == Point::Sent).then_some(plan.call));
    let receiver = Server::start(move |request| {
        let mut seen = seen.lock().unwrap_or_else(PoisonError::into_inner);
        let key = request.headers["idempotency-key"].clone();
        seen.push(Request { pass: request.path.clone(), key, body: request.body.clone() });
        if hang == Some(seen.len()) {
            killer.kill();
            return Reply::hang("");
        }
        Reply::status(200)
    })
    .await;

    let first = Orders {
        // Runs may share a store: each has events of its own.
        name: format!("killed-{}-{}-{seed}", std::process::id(), point.name()),
        store: ledger.url.clone(),
        environment: ledger.environment.clone(),
        receiver: format!("http://{}", receiver.address),
        point,
        seed,
        stops: true,
        version: 1,
        ahead: 0,
        passes: (1, 1),
    };
    let second = Orders { stops: false, version: plan.second_version, ahead: LATER, passes: (2, 2), ..first.clone() };
    Process::start(&first, &[], victim.clone()).killed();
    let ended = Process::start(&second, &[], victim).ended();

    let requests = requests.lock().unwrap_or_else(PoisonError::into_inner).clone();
    Outcome { point, seed, plan: &plan, name: &first.name, requests: &requests }.check(&ended)
}

/// What a run left behind.
struct Outcome<'a> {
    point: Point,
    seed: u64,
    plan: &'a Plan,
    name: &'a str,
    requests: &'a [Request],
}

impl Outcome<'_> {
    fn check(&self, ended: &[Ended]) -> Tally {
        let Outcome { point, seed, plan, requests, .. } = self;
        let shown = format!("{}, seed {seed}: {plan:#?}\n{requests:#?}\n{ended:?}", point.name());
        let news = plan.news();
        // What the first process has put is done, also where the second would not have chosen it.
        let recorded = plan.recorded(*point);
        let acts = |one: &Delivery| recorded.contains(&one.id) || one.acts_in(plan.second_version);
        let acting: Vec<Delivery> = news.iter().flatten().filter(|one| acts(one)).copied().collect();

        // Nothing is lost, nothing else is sent, and what is sent says what was decided first.
        let expected: BTreeMap<String, serde_json::Value> =
            acting.iter().map(|one| (self.key(one), self.body(one))).collect();
        let mut keys = BTreeMap::new();
        for request in *requests {
            let body: serde_json::Value = serde_json::from_slice(&request.body).expect("JSON");
            let before = keys.insert(request.key.clone(), (request.body.clone(), body.clone()));
            assert!(before.is_none_or(|(bytes, _)| bytes == request.body), "two bodies under one key: {shown}");
        }
        let sent: BTreeMap<String, serde_json::Value> = keys.into_iter().map(|(key, (_, body))| (key, body)).collect();
        assert_eq!(sent, expected, "{shown}");

        // What is sent twice is of the batch that was hit, where that cannot be prevented.
        let of_pass = |pass: &str| -> Vec<&str> {
            requests.iter().filter(|request| request.pass == pass).map(|request| &*request.key).collect()
        };
        let (first, second, third) = (of_pass("/1"), of_pass("/2"), of_pass("/3"));
        let raw = requests.len() - sent.len();
        let hit: HashSet<String> = news[plan.hit].iter().map(|one| self.key(one)).collect();
        let may = match point {
            Point::BeforeIntent | Point::AfterIntent | Point::Marked => 0..=0,
            Point::Sent => 1..=hit.len(),
            Point::Answered => hit.len()..=hit.len(),
            Point::MidBatch => plan.through..=plan.through,
        };
        assert!(may.contains(&raw), "{raw} raw duplicates, not {may:?}: {shown}");
        assert!(second.iter().all(|key| !first.contains(key) || hit.contains(*key)), "{shown}");
        assert!(
            [&first, &second].iter().all(|keys| keys.iter().collect::<HashSet<_>>().len() == keys.len()),
            "{shown}"
        );
        assert!(third.is_empty(), "a full replay sends nothing: {shown}");
        self.check_order(&acting, &shown);

        // Every delivery has its end, and the last time there is nothing left to do.
        let [after, again] = ended else { panic!("two passes: {shown}") };
        let count = |ended: &Ended, name: &str| ended.get(name).copied().unwrap_or_default() as usize;
        let acts = plan.deliveries.iter().filter(|delivery| acts(delivery)).count();
        assert_eq!(count(after, "acted"), second.len(), "{shown}");
        assert_eq!(count(after, "acted") + count(after, "skipped"), acts, "{shown}");
        assert_eq!(count(again, "skipped"), acts, "{shown}");
        for ended in [after, again] {
            assert_eq!(count(ended, "passed"), plan.deliveries.len() - acts, "{shown}");
            assert_eq!(count(ended, "unkept"), 0, "{shown}");
        }
        Tally {
            runs: 1,
            deliveries: plan.deliveries.len(),
            acting: acting.len(),
            keys: sent.len(),
            requests: requests.len(),
        }
    }

    /// A customer's events arrive for the first time in the order they were delivered in.
    fn check_order(&self, acting: &[Delivery], shown: &str) {
        let mut arrived: Vec<&str> = Vec::new();
        for request in self.requests {
            if !arrived.contains(&&*request.key) {
                arrived.push(&request.key);
            }
        }
        let place: HashMap<&str, usize> = arrived.iter().enumerate().map(|(place, key)| (*key, place)).collect();
        let mut last: HashMap<u64, usize> = HashMap::new();
        for one in acting {
            let now = place[&*self.key(one)];
            assert!(last.insert(one.customer, now).is_none_or(|before| before < now), "out of order: {shown}");
        }
    }

    fn key(&self, one: &Delivery) -> String {
        idempotency_key(self.name, &one.event_id(), RULE)
    }

    /// What is to be sent about an event: what the first process has put, else what the second decides.
    fn body(&self, one: &Delivery) -> serde_json::Value {
        match if self.plan.recorded(self.point).contains(&one.id) { 1 } else { self.plan.second_version } {
            1 => json!({ "id": one.event_id(), "n": one.id }),
            version => json!({ "id": one.event_id(), "n": one.id, "version": version }),
        }
    }
}
