//! Holds back what limits have no room for: all keys of a batch are read at once, counted in the order of the batch, and
//! written before anything is sent. An action that is not sent in the end stays counted: a limit is never exceeded.

use std::{
    collections::{HashMap, HashSet},
    sync::Arc,
};

use bytestring::ByteString;

use chrono::{DateTime, Utc};
use futures_util::future::{join, join_all};

use super::{Inner, run::Run};
use crate::{
    act::{
        Limited,
        limit::Counted,
        once::{self, Entry},
    },
    clock::Deadline,
    error::{Code, Error, Stage},
    ports::{Condition, Item, Key, Put, StoreError},
    report::{Decision, Disposition},
    state::{self, Change},
};

/// An action that asks for room: its decision's and its own place, and the decision's id.
#[derive(Clone)]
struct Ask {
    decision: usize,
    action: usize,
    id: ByteString,
    at_most: i64,
}

/// What a limit has counted under one key, and who asks for room there.
struct Slot {
    limit: usize,
    key: Key,
    version: Option<u64>,
    counted: Counted,
    /// Who was given room.
    asks: Vec<Ask>,
    changed: bool,
    error: Option<Error>,
}

impl Run {
    /// Takes out the actions that limits hold back.
    pub(super) async fn limit(&mut self, decisions: &mut [Decision]) {
        let (mut slots, places) = slots(decisions);
        if slots.is_empty() {
            return;
        }
        let pipeline = self.pipeline.clone();
        let now = self.clock.now();
        let reading = read(&pipeline, &mut slots, now, self.deadline);
        let ((), done) = join(reading, already_done(&pipeline, decisions, self.deadline)).await;
        let mut held = Vec::new();
        let asking =
            decisions.iter().enumerate().filter(|(_, decision)| is_chosen(decision) && !done.contains(&decision.id));
        for (place, decision) in asking {
            for (number, action) in decision.actions.iter().enumerate().filter(|(_, action)| !action.limits.is_empty())
            {
                let of = |limited: &Limited| places[&(limited.limit, &limited.key)];
                // What cannot be counted ends the event, which holds nothing back.
                let room = action.limits.iter().all(|limited| {
                    let slot = &slots[of(limited)];
                    let per = pipeline.act.limits[slot.limit].per;
                    slot.error.is_some() || slot.counted.has_room(&decision.id, limited.at_most, per, now)
                });
                if !room {
                    held.push((place, number));
                    continue;
                }
                for limited in &action.limits {
                    let slot = &mut slots[of(limited)];
                    slot.changed |= !slot.counted.has(&decision.id);
                    slot.counted.count(&decision.id, now);
                    let (id, at_most) = (decision.id.clone(), limited.at_most);
                    slot.asks.push(Ask { decision: place, action: number, id, at_most });
                }
            }
        }
        held.extend(write(&pipeline, &mut slots, now, self.deadline).await);
        for slot in slots {
            let Some(error) = slot.error else { continue };
            let limited = |decision: &Decision| {
                let mut limits = decision.actions.iter().flat_map(|action| &action.limits);
                is_chosen(decision) && limits.any(|limited| limited.limit == slot.limit && limited.key == slot.key)
            };
            for decision in decisions.iter_mut().filter(|decision| limited(decision)) {
                decision.disposition = self.disposition(Some(&error));
                decision.error = Some(error.clone());
            }
        }
        // From behind, so that the places before stay right.
        held.sort_unstable_by(|one, other| other.cmp(one));
        held.dedup();
        for (place, number) in held {
            let action = decisions[place].actions.remove(number);
            decisions[place].held_back.insert(0, action.name);
        }
    }
}

fn is_chosen(decision: &Decision) -> bool {
    decision.disposition == Disposition::Passed
}

/// Finds what was done once already, by its decision: it takes no room, as it is not done again.
async fn already_done(pipeline: &Inner, decisions: &[Decision], deadline: Deadline) -> HashSet<ByteString> {
    let Some(ledger) = &pipeline.ledger else { return HashSet::new() };
    let limited = decisions.iter().filter(|decision| is_chosen(decision));
    let limited =
        limited.filter(|decision| decision.actions.iter().any(|action| action.once && !action.limits.is_empty()));
    let asked: HashMap<Key, ByteString> = limited.map(|decision| (once::key(decision), decision.id.clone())).collect();
    let keys: Vec<Key> = asked.keys().cloned().collect();
    let found = state::read(&*ledger.store, &keys, deadline).await;
    // What cannot be read now is asked for again when it is claimed.
    let is_done = |item: Result<Option<Item>, StoreError>| {
        let entry = item.ok().flatten().and_then(|item| Entry::from_value(&item.value));
        entry.is_some_and(|entry| entry.actions.iter().all(|action| action.earlier))
    };
    keys.iter().zip(found).filter(|(_, item)| is_done(item.clone())).map(|(key, _)| asked[key].clone()).collect()
}

/// Collects the keys of a batch, each once.
fn slots(decisions: &[Decision]) -> (Vec<Slot>, HashMap<(usize, &Key), usize>) {
    let (mut slots, mut places): (Vec<Slot>, HashMap<(usize, &Key), usize>) = <_>::default();
    let actions = decisions.iter().filter(|decision| is_chosen(decision)).flat_map(|decision| &decision.actions);
    for limited in actions.flat_map(|action| &action.limits) {
        places.entry((limited.limit, &limited.key)).or_insert_with(|| {
            let (limit, key) = (limited.limit, limited.key.clone());
            let counted = Counted::default();
            slots.push(Slot { limit, key, version: None, counted, asks: Vec::new(), changed: false, error: None });
            slots.len() - 1
        });
    }
    (slots, places)
}

/// Gives each store its slots.
fn by_store<'s>(pipeline: &Inner, slots: impl Iterator<Item = &'s mut Slot>) -> HashMap<Arc<str>, Vec<&'s mut Slot>> {
    let mut stores: HashMap<Arc<str>, Vec<&mut Slot>> = HashMap::new();
    for slot in slots {
        stores.entry(pipeline.act.limits[slot.limit].store.clone()).or_default().push(slot);
    }
    stores
}

async fn read(pipeline: &Inner, slots: &mut [Slot], now: DateTime<Utc>, deadline: Deadline) {
    let reads = by_store(pipeline, slots.iter_mut()).into_iter().map(|(store, slots)| async move {
        let keys: Vec<Key> = slots.iter().map(|slot| slot.key.clone()).collect();
        let answers = state::read(&*pipeline.stores[&store], &keys, deadline).await;
        for (slot, answer) in slots.into_iter().zip(answers) {
            match answer {
                Ok(item) => slot.take(pipeline, item, now),
                Err(error) => slot.error = Some(slot.failed(pipeline, error)),
            }
        }
    });
    join_all(reads).await;
}

/// Writes what was counted. Gives the actions that have no room any more, as others were faster.
async fn write(pipeline: &Inner, slots: &mut [Slot], now: DateTime<Utc>, deadline: Deadline) -> Vec<(usize, usize)> {
    let news = slots.iter_mut().filter(|slot| slot.changed && slot.error.is_none());
    let writes = by_store(pipeline, news).into_iter().map(|(store, mut slots)| async move {
        let mut held = Vec::new();
        let puts = slots.iter().map(|slot| Change::Put(slot.put(pipeline, now))).collect();
        let again = |place: usize, item: Option<Item>| slots[place].again(pipeline, item, now, &mut held);
        let ended = state::change(&*pipeline.stores[&store], puts, deadline, again).await;
        for (slot, ended) in slots.iter_mut().zip(ended) {
            if let Err(error) = ended {
                slot.error = Some(slot.failed(pipeline, error));
            }
        }
        held
    });
    join_all(writes).await.into_iter().flatten().collect()
}

impl Slot {
    /// Takes in what the store has.
    fn take(&mut self, pipeline: &Inner, item: Option<Item>, now: DateTime<Utc>) {
        self.version = item.as_ref().map(|item| item.version);
        match item.map_or(Some(Counted::default()), |item| Counted::from_value(&item.value)) {
            Some(counted) => self.counted = counted,
            None => {
                let reason = format!("what a limit counts at {}", self.place(pipeline));
                self.error = Some(Error::poison(Stage::Act, Code::STATE_DAMAGED, reason));
            }
        }
        self.counted.forget(pipeline.act.limits[self.limit].per, now);
    }

    fn put(&self, pipeline: &Inner, now: DateTime<Utc>) -> Put {
        let per = pipeline.act.limits[self.limit].per;
        Put {
            key: self.key.clone(),
            value: self.counted.to_value(),
            condition: self.version.map_or(Condition::Absent, Condition::Version),
            expires: Some(self.counted.expires(per, now)),
        }
    }

    /// Counts again in what somebody else wrote; who has no room there is held back.
    fn again(
        &mut self,
        pipeline: &Inner,
        item: Option<Item>,
        now: DateTime<Utc>,
        held: &mut Vec<(usize, usize)>,
    ) -> Option<Change> {
        self.take(pipeline, item, now);
        if self.error.is_some() {
            return None;
        }
        let per = pipeline.act.limits[self.limit].per;
        let mut news = false;
        let counted = &mut self.counted;
        self.asks.retain(|ask| {
            let room = counted.has_room(&ask.id, ask.at_most, per, now);
            if room {
                news |= !counted.has(&ask.id);
                counted.count(&ask.id, now);
            } else {
                held.push((ask.decision, ask.action));
            }
            room
        });
        news.then(|| Change::Put(self.put(pipeline, now)))
    }

    fn failed(&self, pipeline: &Inner, error: StoreError) -> Error {
        let what = format!("what a limit counts at {}", self.place(pipeline));
        state::failed(Stage::Act, Code::LIMIT_FAILED, &what, error)
    }

    fn place(&self, pipeline: &Inner) -> String {
        let limit = &pipeline.act.limits[self.limit];
        format!(
            "`{}` `{}` in the store `{}`, of the rule `{}`",
            self.key.partition, self.key.sort, limit.store, limit.rule
        )
    }
}
