//! The mapping itself.

use std::{collections::BTreeSet, time::Duration};

use serde_json::Value;

use super::{
    answer::{self, Answer},
    lane::{Batch, Lane},
    on_failure::{Condition, Discarded},
    settings::Settings,
    stream::{Place, Record, Stream},
};

/// What is to be invoked.
#[derive(Clone, Debug)]
pub struct Invocation {
    pub id: u64,
    pub places: Vec<Place>,
}

/// How an invocation ended.
#[derive(Clone, Debug)]
pub enum Outcome {
    Answered(Value),
    /// The function said so, its process ended, or its time was up.
    FunctionError,
    /// Lambda was throttled, or could not be reached.
    NotInvoked,
}

/// A mapping.
pub struct Mapping<'a> {
    settings: Settings,
    stream: &'a Stream,
    now: Duration,
    /// By shard.
    lanes: Vec<Vec<Lane>>,
    done: BTreeSet<Place>,
    discarded: Vec<Discarded>,
    expired: Vec<Place>,
    invocations: u64,
}

impl<'a> Mapping<'a> {
    /// Makes one that begins at `TRIM_HORIZON`.
    pub fn new(settings: Settings, stream: &'a Stream) -> Mapping<'a> {
        settings.check();
        let lanes = stream.shards.iter().enumerate().map(|(shard, all)| {
            let mut lanes = vec![Lane::default(); settings.parallelization_factor];
            for (number, Record { partition_key, .. }) in all.records.iter().enumerate() {
                lanes[lane_of(partition_key, settings.parallelization_factor)].places.push((shard, number));
            }
            lanes
        });
        let lanes = lanes.collect();
        Mapping {
            settings,
            stream,
            now: Duration::ZERO,
            lanes,
            done: BTreeSet::new(),
            discarded: Vec::new(),
            expired: Vec::new(),
            invocations: 0,
        }
    }

    /// Moves the clock.
    pub fn advance(&mut self, to: Duration) {
        self.now = self.now.max(to);
    }

    pub fn now(&self) -> Duration {
        self.now
    }

    /// Gives out what is to be invoked now.
    pub fn poll(&mut self) -> Vec<Invocation> {
        let mut invocations = Vec::new();
        for shard in 0..self.lanes.len() {
            if !self.may_begin(shard) {
                continue;
            }
            for lane in 0..self.lanes[shard].len() {
                while self.lanes[shard][lane].due(self.stream, &self.settings).is_some_and(|due| due <= self.now) {
                    let batch = self.lanes[shard][lane].take(self.stream, &self.settings, self.now);
                    let Some(batch) = self.of_age(batch) else { continue };
                    self.invocations += 1;
                    invocations.push(Invocation { id: self.invocations, places: batch.places.clone() });
                    self.lanes[shard][lane].running = Some((self.invocations, batch));
                }
            }
        }
        invocations
    }

    /// Returns when something is to be invoked next; none: not before what is under way has ended.
    pub fn next_due(&self) -> Option<Duration> {
        let shards = (0..self.lanes.len()).filter(|shard| self.may_begin(*shard));
        let lanes = shards.flat_map(|shard| &self.lanes[shard]);
        lanes.filter_map(|lane| lane.due(self.stream, &self.settings)).min()
    }

    /// Hears how an invocation ended; gives the records that are done by that.
    pub fn settle(&mut self, id: u64, outcome: Outcome) -> Vec<Place> {
        let lanes = self.lanes.iter_mut().flatten();
        let mut lanes = lanes.filter(|lane| lane.running.as_ref().is_some_and(|(running, _)| *running == id));
        // One of a poller that is no more.
        let Some(lane) = lanes.next() else { return Vec::new() };
        let Some((_, mut batch)) = lane.running.take() else { return Vec::new() };
        lane.idle_since = self.now;
        let place_of = |number: &str| {
            let place = self.stream.place_of(batch.places[0].0, number)?;
            batch.places.iter().position(|one| *one == place)
        };
        let answer = match &outcome {
            Outcome::NotInvoked => {
                batch.not_before = self.now + wait(batch.attempts + 1);
                lane.waiting.push_front(batch);
                return Vec::new();
            }
            Outcome::FunctionError => None,
            Outcome::Answered(_) if !self.settings.report_batch_item_failures => Some(Answer::Success),
            Outcome::Answered(answer) => Some(answer::read(answer, place_of)),
        };
        let ends = match answer {
            Some(Answer::Success) => batch.places.len(),
            Some(Answer::Partial(place)) => place,
            Some(Answer::Failure) | None => 0,
        };
        let done: Vec<Place> = batch.places.drain(..ends).collect();
        self.done.extend(&done);
        if batch.places.is_empty() {
            return done;
        }
        if !done.is_empty() {
            lane.waiting.push_front(Batch { attempts: 0, not_before: self.now + wait(1), ..batch });
            return done;
        }
        batch.function_error = answer.is_none();
        if batch.function_error && self.settings.bisect_batch_on_function_error && batch.places.len() > 1 {
            let second = batch.places.split_off(batch.places.len() / 2);
            if !self.settings.loses_second_halves {
                lane.waiting.push_front(Batch { places: second, not_before: self.now, ..batch });
            }
            lane.waiting.push_front(Batch { not_before: self.now, ..batch });
            return done;
        }
        batch.attempts += 1;
        if self.settings.maximum_retry_attempts.is_some_and(|most| batch.attempts > most) {
            let condition = Condition::RetryAttemptsExhausted { function_error: batch.function_error };
            self.discard(batch.places, condition, batch.attempts);
            return done;
        }
        batch.not_before = self.now + wait(batch.attempts);
        lane.waiting.push_front(batch);
        done
    }

    /// Replaces the pollers of a shard: they begin at its checkpoint again, and know nothing of what is under way.
    pub fn replace_pollers(&mut self, shard: usize) {
        let checkpoint = self.checkpoint(shard);
        self.done.retain(|place| place.0 != shard || *place < (shard, checkpoint));
        for lane in &mut self.lanes[shard] {
            lane.restart((shard, checkpoint));
            lane.idle_since = self.now;
        }
    }

    /// Returns the place of the first record of a shard that is not done with.
    pub fn checkpoint(&self, shard: usize) -> usize {
        let all = 0..self.stream.shards[shard].records.len();
        all.clone().find(|number| !self.done.contains(&(shard, *number))).unwrap_or(all.end)
    }

    /// What was given up, to the destination or to nowhere.
    pub fn discarded(&self) -> &[Discarded] {
        &self.discarded
    }

    /// What the on-failure destination was sent.
    pub fn documents(&self) -> Vec<Value> {
        let sent = |destination| self.discarded.iter().map(move |batch| batch.document(self.stream, destination));
        self.settings.on_failure.into_iter().flat_map(sent).collect()
    }

    /// What the stream no longer kept when its turn came.
    pub fn expired(&self) -> &[Place] {
        &self.expired
    }

    /// How many batches have fewer records than they might, as a payload has room for no more.
    pub fn cut_by_payload(&self) -> usize {
        self.lanes.iter().flatten().map(|lane| lane.cut_by_payload).sum()
    }

    fn may_begin(&self, shard: usize) -> bool {
        let early = self.settings.begins_children_early;
        early || self.stream.shards[shard].parents.iter().all(|parent| self.lanes[*parent].iter().all(Lane::is_done))
    }

    /// Leaves what is young enough to be invoked.
    fn of_age(&mut self, mut batch: Batch) -> Option<Batch> {
        let age = |place: &Place| self.now.saturating_sub(self.stream.record(*place).arrived);
        // They stand in the order they came in.
        let gone = batch.places.iter().take_while(|place| age(place) > self.stream.retention).count();
        let old = |most| batch.places[gone..].iter().take_while(|place| age(place) > most).count();
        let old = self.settings.maximum_record_age.map_or(0, old);
        let gone: Vec<Place> = batch.places.drain(..gone).collect();
        self.done.extend(&gone);
        self.expired.extend(gone);
        if old > 0 {
            let old = batch.places.drain(..old).collect();
            self.discard(old, Condition::RecordAgeExceeded, batch.attempts);
        }
        (!batch.places.is_empty()).then_some(batch)
    }

    fn discard(&mut self, places: Vec<Place>, condition: Condition, invocations: u32) {
        self.done.extend(&places);
        self.discarded.push(Discarded { places, condition, invocations, at: self.now });
    }
}

/// The lane of a partition key.
fn lane_of(partition_key: &str, lanes: usize) -> usize {
    // FNV-1a: the same on every machine.
    let hash = partition_key
        .bytes()
        .fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
    usize::try_from(hash % lanes as u64).expect("fewer than ten")
}

/// How long a batch waits that has failed so often.
fn wait(failures: u32) -> Duration {
    const FIRST: Duration = Duration::from_millis(250);
    const LONGEST: Duration = Duration::from_secs(60);
    FIRST.saturating_mul(1 << (failures - 1).min(20)).min(LONGEST)
}
