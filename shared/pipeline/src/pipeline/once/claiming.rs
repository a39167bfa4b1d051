//! Asks the ledger for entries: puts those of what is to be done once, reads the others, takes over what was left open.

use chrono::{DateTime, Utc};
use futures_util::future::join;

use super::{Ledger, chose};
use crate::{
    act::once::{self, Claim, Entry, Found, Lease},
    clock::Deadline,
    ports::{Condition, Item, Key, Put, StoreError},
    report::{Decision, Disposition},
    state::{self, Change},
};

/// What came of asking for one entry.
pub(super) enum Asked {
    Held(u64, Box<Entry>),
    Skip(Box<Entry>),
    Wait(DateTime<Utc>),
    Damaged,
    Failed(StoreError),
    /// Nothing was ever done once about it.
    Nothing,
}

/// What is needed to ask for entries.
pub(super) struct Claiming<'a> {
    pub ledger: &'a Ledger,
    pub lease: &'a Lease,
    pub version: &'a str,
    pub now: DateTime<Utc>,
    pub deadline: Deadline,
}

impl Claiming<'_> {
    /// Puts the entries of those that chose something to be done once, and reads those of the others. What is found open is
    /// taken over.
    pub async fn ask(&self, decisions: &[Decision], places: &[usize]) -> Vec<Asked> {
        let store = &*self.ledger.store;
        let acts = |place: usize| decisions[place].disposition == Disposition::Passed && chose(&decisions[place]);
        let (put, read): (Vec<usize>, Vec<usize>) = (0..places.len()).partition(|nth| acts(places[*nth]));
        let begun = put.iter().map(|nth| {
            let decision = &decisions[places[*nth]];
            (once::key(decision), Entry::of(decision, self.lease, self.version, self.now))
        });
        let keys: Vec<Key> = read.iter().map(|nth| once::key(&decisions[places[*nth]])).collect();
        let (begun, found) = join(
            self.put(begun.map(|(key, entry)| (key, entry, Condition::Absent)).collect()),
            state::read(store, &keys, self.deadline),
        )
        .await;
        let mut answers: Vec<Option<Asked>> = places.iter().map(|_| None).collect();
        put.into_iter().zip(begun).for_each(|(nth, asked)| answers[nth] = Some(asked));
        let mut open = Vec::new();
        for ((nth, key), found) in read.into_iter().zip(keys).zip(found) {
            let looked = match found {
                Ok(item) => self.look(item.as_ref(), None),
                Err(error) => Err(Asked::Failed(error)),
            };
            match looked {
                Ok((entry, condition)) => open.push((nth, (key, entry, condition))),
                Err(asked) => answers[nth] = Some(asked),
            }
        }
        let (nths, open): (Vec<usize>, Vec<_>) = open.into_iter().unzip();
        let taken = self.put(open).await;
        nths.into_iter().zip(taken).for_each(|(nth, asked)| answers[nth] = Some(asked));
        answers.into_iter().map(|asked| asked.unwrap_or(Asked::Nothing)).collect()
    }

    /// Says what is found means, or what is to be put instead of it: `own` where there is nothing.
    fn look(&self, item: Option<&Item>, own: Option<&Entry>) -> Result<(Entry, Condition), Asked> {
        let Some(item) = item else {
            return match (once::claim(Found::Nothing), own) {
                (Claim::Begin, Some(own)) => Ok((own.clone(), Condition::Absent)),
                _ => Err(Asked::Nothing),
            };
        };
        let Some(entry) = Entry::from_value(&item.value) else { return Err(Asked::Damaged) };
        match once::claim(entry.found(self.lease, self.now)) {
            Claim::TakeOver => Ok((entry.taken_over(self.lease), Condition::Version(item.version))),
            Claim::Act => Err(Asked::Held(item.version, Box::new(entry))),
            Claim::Wait => Err(Asked::Wait(entry.leased_until)),
            Claim::Skip | Claim::Begin => Err(Asked::Skip(Box::new(entry))),
        }
    }

    async fn put(&self, entries: Vec<(Key, Entry, Condition)>) -> Vec<Asked> {
        if entries.is_empty() {
            return Vec::new();
        }
        let expires = Some(self.now + self.ledger.keep);
        let put = |key: &Key, entry: &Entry, condition| {
            Change::Put(Put { key: key.clone(), value: entry.to_value(), condition, expires })
        };
        let puts = entries.iter().map(|(key, entry, condition)| put(key, entry, *condition)).collect();
        let mut entries: Vec<(Key, Entry, Option<Asked>)> =
            entries.into_iter().map(|(key, entry, _)| (key, entry, None)).collect();
        let again = |nth: usize, item: Option<Item>| {
            let (key, entry, asked) = &mut entries[nth];
            // It may have expired, or been removed, in between: then what was decided begins after all.
            let (next, condition) = match self.look(item.as_ref(), Some(entry)) {
                Ok(next) => next,
                Err(other) => {
                    *asked = Some(other);
                    return None;
                }
            };
            *entry = next;
            Some(put(key, entry, condition))
        };
        let ended = state::change(&*self.ledger.store, puts, self.deadline, again).await;
        let answers = ended.into_iter().zip(entries).map(|(ended, (_, entry, asked))| match (ended, asked) {
            (_, Some(asked)) => asked,
            (Ok(state::Changed::Done(version)), None) => Asked::Held(version, Box::new(entry)),
            (Ok(state::Changed::Left), None) => Asked::Nothing,
            (Err(error), None) => Asked::Failed(error),
        });
        answers.collect()
    }
}
