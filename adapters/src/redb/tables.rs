//! What stands in the file: items, the moments they expire, and two counts.

use chrono::{DateTime, Utc};
use fourstroke::ports::{Condition, Item, Key, PutOutcome, StoreError};
use redb::{Error, ReadableTable, Table, TableDefinition, WriteTransaction};

use super::failure::damaged_item;
use crate::encoding;

/// The layout below. A file of another one is refused.
pub(super) const FORMAT: u64 = 1;

/// A moment as seconds and nanoseconds, in the order of time.
type Moment = (i64, u32);
/// Version, expiry, value.
pub(super) type Row = (u64, Option<Moment>, &'static [u8]);

/// By partition and sort.
pub(super) const ITEMS: TableDefinition<'_, (&str, &str), Row> = TableDefinition::new("items");
/// The items that expire, by when, so that those whose time has come are found without a look at the others.
const EXPIRING: TableDefinition<'_, (i64, u32, &str, &str), ()> = TableDefinition::new("expiring");
/// [`FORMAT`], and the last version given. One count for all keys, so that none comes back after a delete.
pub(super) const COUNTS: TableDefinition<'_, &str, u64> = TableDefinition::new("counts");
pub(super) const FORMAT_COUNT: &str = "format";
const VERSION_COUNT: &str = "version";

/// Asks for one key to be put or, without anything new, deleted.
#[derive(Debug)]
pub(super) struct Change {
    pub(super) key: Key,
    pub(super) condition: Condition,
    pub(super) new: Option<New>,
}

/// What a put stores.
#[derive(Debug)]
pub(super) struct New {
    /// Encoded.
    pub(super) value: Vec<u8>,
    pub(super) expires: Option<DateTime<Utc>>,
}

/// The tables of one write transaction.
pub(super) struct Tables<'t> {
    items: Table<'t, (&'static str, &'static str), Row>,
    expiring: Table<'t, (i64, u32, &'static str, &'static str), ()>,
    counts: Table<'t, &'static str, u64>,
    /// The last version given.
    version: u64,
    /// How many changes were done.
    changed: usize,
}

impl<'t> Tables<'t> {
    /// Opens the tables, making those that are not there.
    pub(super) fn open(transaction: &'t WriteTransaction) -> Result<Tables<'t>, Error> {
        let counts = transaction.open_table(COUNTS)?;
        let version = counts.get(VERSION_COUNT)?.map_or(0, |version| version.value());
        let (items, expiring) = (transaction.open_table(ITEMS)?, transaction.open_table(EXPIRING)?);
        Ok(Tables { items, expiring, counts, version, changed: 0 })
    }

    /// Marks a new file as one of this layout.
    pub(super) fn begin(mut self) -> Result<(), Error> {
        self.counts.insert(FORMAT_COUNT, FORMAT)?;
        Ok(())
    }

    /// Does a change, if its condition holds.
    pub(super) fn change(
        &mut self,
        change: &Change,
        now: DateTime<Utc>,
    ) -> Result<Result<PutOutcome, StoreError>, Error> {
        let key = (change.key.partition.as_str(), change.key.sort.as_str());
        let before = match self.items.get(key)? {
            None => None,
            Some(row) => {
                let (version, expires, value) = row.value();
                let alive = is_alive(expires, now);
                let holds = match change.condition {
                    Condition::Absent => !alive,
                    Condition::Version(wanted) => alive && version == wanted,
                };
                if !holds {
                    let current = if alive { item(version, expires, value).map(Some) } else { Ok(None) };
                    return Ok(current.map(PutOutcome::Refused));
                }
                Some((version, expires))
            }
        };
        if before.is_none() && change.condition != Condition::Absent {
            return Ok(Ok(PutOutcome::Refused(None)));
        }
        if let Some((_, Some((seconds, nanos)))) = before {
            self.expiring.remove((seconds, nanos, key.0, key.1))?;
        }
        self.changed += 1;
        let Some(new) = &change.new else {
            self.items.remove(key)?;
            return Ok(Ok(PutOutcome::Done(before.map_or(0, |(version, _)| version))));
        };
        self.version += 1;
        let expires = new.expires.map(moment);
        self.items.insert(key, (self.version, expires, new.value.as_slice()))?;
        if let Some((seconds, nanos)) = expires {
            self.expiring.insert((seconds, nanos, key.0, key.1), ())?;
        }
        Ok(Ok(PutOutcome::Done(self.version)))
    }

    /// Tells whether anything is to be committed, after writing down the count and removing expired items: more than were
    /// changed, so that they do not pile up, and not all at once, so that nobody waits long.
    pub(super) fn end(mut self, now: Option<DateTime<Utc>>) -> Result<bool, Error> {
        const AT_LEAST: usize = 64;
        let Some(now) = now.filter(|_| self.changed > 0) else { return Ok(false) };
        let (seconds, nanos) = moment(now);
        // The first moment that has not come yet.
        let expired = self.expiring.range(..(seconds, nanos + 1, "", ""))?.take(AT_LEAST.max(self.changed * 2));
        let expired = expired.map(|entry| {
            let (key, _) = entry?;
            let (seconds, nanos, partition, sort) = key.value();
            Ok((seconds, nanos, partition.to_owned(), sort.to_owned()))
        });
        let expired: Vec<_> = expired.collect::<Result<_, Error>>()?;
        for (seconds, nanos, partition, sort) in &expired {
            self.items.remove((partition.as_str(), sort.as_str()))?;
            self.expiring.remove((*seconds, *nanos, partition.as_str(), sort.as_str()))?;
        }
        self.counts.insert(VERSION_COUNT, self.version)?;
        Ok(true)
    }
}

/// Reads one item, if it has not expired.
pub(super) fn get(
    items: &impl ReadableTable<(&'static str, &'static str), Row>,
    key: &Key,
    now: DateTime<Utc>,
) -> Result<Result<Option<Item>, StoreError>, Error> {
    let Some(row) = items.get((key.partition.as_str(), key.sort.as_str()))? else { return Ok(Ok(None)) };
    let (version, expires, value) = row.value();
    Ok(if is_alive(expires, now) { item(version, expires, value).map(Some) } else { Ok(None) })
}

/// Reads a subject's items, without expired ones.
pub(super) fn list(
    items: &impl ReadableTable<(&'static str, &'static str), Row>,
    partition: &str,
    now: DateTime<Utc>,
) -> Result<Result<Vec<(String, Item)>, StoreError>, Error> {
    let mut listed = Vec::new();
    for entry in items.range((partition, "")..)? {
        let (key, row) = entry?;
        let (found, sort) = key.value();
        if found != partition {
            break;
        }
        let (version, expires, value) = row.value();
        if is_alive(expires, now) {
            match item(version, expires, value) {
                Ok(item) => listed.push((sort.to_owned(), item)),
                Err(error) => return Ok(Err(error)),
            }
        }
    }
    Ok(Ok(listed))
}

fn item(version: u64, expires: Option<Moment>, value: &[u8]) -> Result<Item, StoreError> {
    let value = encoding::decode(value).ok_or_else(damaged_item)?;
    let expires = expires.map(|(seconds, nanos)| DateTime::from_timestamp(seconds, nanos).ok_or_else(damaged_item));
    Ok(Item { value, version, expires: expires.transpose()? })
}

fn is_alive(expires: Option<Moment>, now: DateTime<Utc>) -> bool {
    expires.is_none_or(|expires| moment(now) < expires)
}

fn moment(time: DateTime<Utc>) -> Moment {
    (time.timestamp(), time.timestamp_subsec_nanos())
}
