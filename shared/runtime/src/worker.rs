//! The loop of a long-running worker: fetch ahead, decide, retry in process, settle.

use std::{fmt, pin::Pin, pin::pin, time::Duration};

use bytestring::ByteString;
use fourstroke::{
    clock::{Backoff, Deadline},
    error::{Code, Error, Kind},
    event::Decoded,
    pipeline::Pipeline,
    ports::{Batch, Source, SourceError},
    report::{Disposition, Report},
};
use tokio::{
    sync::mpsc,
    task::JoinSet,
    time::{Instant, sleep},
};

use crate::alarm::alarms;

/// The first and the longest wait between tries of a batch.
const FIRST: Duration = Duration::from_millis(100);
const LONGEST: Duration = Duration::from_secs(10);

/// How long is waited for the leases of others: a few times what one lasts.
const LEASES: Duration = Duration::from_secs(90);

/// Bounds the loop.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// How long one try of a batch may take.
    pub limit: Duration,
    /// How often a batch is tried before the loop gives up; none: for ever. Tries that wait for another worker do not count.
    pub tries: Option<u32>,
    /// How many events are taken; none: all the source has.
    pub events: Option<u64>,
}

/// Says why the loop ended.
#[derive(Clone, Debug, PartialEq)]
pub enum End {
    /// The source has no more.
    Source,
    /// As many events were taken as the settings allow.
    Limit,
    /// It was asked to stop.
    Stopped,
    /// Nothing more will succeed until somebody acts.
    Fatal {
        /// Why.
        error: Error,
        /// Why the source could not settle the last batch either, if so.
        unsettled: Option<SourceError>,
    },
    /// Some events were still to be asked for again after the last try.
    GaveUp {
        /// Their ids as the source gave them.
        left: Vec<ByteString>,
        /// How many events the breaker holds.
        held: usize,
        /// Why the source could not settle the last batch either, if so.
        unsettled: Option<SourceError>,
    },
    /// The source failed, in giving events or in settling them.
    Failed(SourceError),
}

impl End {
    /// Tells whether everything that was to be done was tried, or somebody wished it otherwise.
    pub fn is_orderly(&self) -> bool {
        matches!(self, End::Source | End::Limit | End::Stopped)
    }
}

impl fmt::Display for End {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const SHOWN: usize = 5;
        match self {
            End::Source => f.write_str("the source ended"),
            End::Limit => f.write_str("the limit was reached"),
            End::Stopped => f.write_str("stopped when asked to"),
            End::Fatal { error, unsettled } => {
                write!(f, "stopped: {error}")?;
                also(f, unsettled)
            }
            End::GaveUp { left, held, unsettled } => {
                let ids: Vec<&str> = left.iter().take(SHOWN).map(|id| &**id).collect();
                let more = if left.len() > SHOWN { ", …" } else { "" };
                write!(f, "gave up on {} events after trying again: {}{more}", left.len(), ids.join(", "))?;
                if *held > 0 {
                    write!(
                        f,
                        "; the breaker holds {held} ({}): mend what the dead letters show",
                        Code::BREAKER.as_str()
                    )?;
                    f.write_str(", or raise `on_error.stop_above`, and run again: what is held is not lost")?;
                }
                also(f, unsettled)
            }
            End::Failed(error) => write!(f, "the source failed: {error}"),
        }
    }
}

fn also(f: &mut fmt::Formatter<'_>, unsettled: &Option<SourceError>) -> fmt::Result {
    unsettled.iter().try_for_each(|error| write!(f, "; and the source could not settle the batch: {error}"))
}

/// Runs everything a source gives through a pipeline, one batch at a time while the next one is fetched.
///
/// What is to be retried is tried again here before anything later runs, so that order is kept in every group. That is
/// simple and safe, and has a price: all groups wait while the events of one are tried again.
///
/// Each batch is then settled once, with the report of how its events ended at last, and shown to `observe`. What
/// somebody has to hear of is told to `alarm` when it happens, as a line: what the breaker does (a batch it holds may not
/// end for hours), and what becomes of models that are reloaded. Of a batch
/// that [`Settings::events`] cuts, only the events that ran are settled: the source keeps the others. When `shutdown` is
/// ready, the current batch is finished and settled.
///
/// Dropping the future leaves the current batch unsettled: the source gives it again.
pub async fn work(
    pipeline: &Pipeline,
    source: Box<dyn Source>,
    settings: Settings,
    shutdown: impl Future<Output = ()>,
    mut observe: impl FnMut(&Report),
    mut alarm: impl FnMut(&str),
) -> End {
    let mut room = settings.events.unwrap_or(u64::MAX);
    let mut fetched = Fetched::of(source);
    let mut shutdown = pin!(shutdown);
    while room > 0 {
        let next = tokio::select! {
            biased;
            () = &mut shutdown => return End::Stopped,
            next = fetched.next() => next,
        };
        let mut batch = match next {
            Ok(Some(batch)) => batch,
            Ok(None) => return End::Source,
            Err(error) => return End::Failed(error),
        };
        batch.events.truncate(usize::try_from(room).unwrap_or(usize::MAX));
        room -= batch.events.len() as u64;

        let (report, stopped) = decide(pipeline, batch.events, settings, shutdown.as_mut(), &mut alarm).await;
        let settled = batch.acknowledge.settle(&report).await;
        observe(&report);
        let left: Vec<ByteString> = report.retries().iter().map(|input| input.event().id.clone()).collect();
        let unsettled = settled.err();
        if let Some(error) = report.fatal {
            return End::Fatal { error, unsettled };
        }
        if !stopped && !left.is_empty() {
            return End::GaveUp { left, held: report.held(), unsettled };
        }
        if let Some(error) = unsettled {
            return End::Failed(error);
        }
        if stopped {
            return End::Stopped;
        }
    }
    End::Limit
}

/// Runs a batch, and its retries until none is left, the tries are used up, or the shutdown comes (then `true`).
async fn decide(
    pipeline: &Pipeline,
    events: Vec<Decoded>,
    settings: Settings,
    mut shutdown: Pin<&mut impl Future<Output = ()>>,
    alarm: &mut impl FnMut(&str),
) -> (Report, bool) {
    let arrived = Instant::now();
    let mut report = pipeline.run(events, Deadline::after(settings.limit)).await;
    alarms(&report).for_each(|line| alarm(&line));
    let mut backoff = Backoff::new(FIRST, LONGEST);
    let mut waited = Duration::ZERO;
    let mut tries = counted(&report, waited);
    while report.fatal.is_none()
        && report.count(Disposition::Retry) > 0
        && settings.tries.is_none_or(|allowed| tries < allowed)
    {
        let wait = backoff.delay().max(report.leased.unwrap_or_default());
        if report.leased.is_some() && waited <= LEASES && waited + wait > LEASES {
            alarm(&format!(
                "{}: events are held by another worker for longer than any lease lasts; is a clock wrong?",
                Code::LEASED.as_str()
            ));
        }
        waited += report.leased.map_or(Duration::ZERO, |_| wait);
        tokio::select! {
            biased;
            () = &mut shutdown => return (report, true),
            () = sleep(wait) => {}
        }
        let again = pipeline.run(report.retries(), Deadline::after(settings.limit)).await;
        alarms(&again).for_each(|line| alarm(&line));
        report.absorb(again);
        // The waits between belong to what the events experienced.
        report.times.whole = arrived.elapsed();
        tries = tries.saturating_add(counted(&report, waited));
    }
    (report, false)
}

/// Counts a try, but one that found events held by others: that ends by itself, when they are done or their lease is over, unless
/// it has lasted too long already.
fn counted(report: &Report, waited: Duration) -> u32 {
    u32::from(report.leased.is_none() || waited > LEASES)
}

/// A source that fetches one batch ahead, in a task that ends with this.
struct Fetched {
    batches: mpsc::Receiver<Result<Option<Batch>, SourceError>>,
    _task: JoinSet<()>,
}

impl Fetched {
    fn of(mut source: Box<dyn Source>) -> Fetched {
        let (give, batches) = mpsc::channel(1);
        let mut task = JoinSet::new();
        task.spawn(async move {
            // The place is taken first: no second batch is fetched before the one ahead is taken.
            while let Ok(place) = give.reserve().await {
                let next = source.next().await;
                let last = !matches!(next, Ok(Some(_)));
                place.send(next);
                if last {
                    return;
                }
            }
        });
        Fetched { batches, _task: task }
    }

    async fn next(&mut self) -> Result<Option<Batch>, SourceError> {
        let died = || SourceError { kind: Kind::Fatal, reason: "the task that reads the source has died".to_owned() };
        self.batches.recv().await.unwrap_or_else(|| Err(died()))
    }
}
