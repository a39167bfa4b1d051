//! Processor time, which noisy neighbours disturb less than the clock on the wall.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use fourstroke::ports::{Model, ModelError, Signature, Tensors};
use rustix::time::{ClockId, clock_gettime};

/// Returns the processor time all threads of this process have used.
pub fn cpu_time() -> Duration {
    of(ClockId::ProcessCPUTime)
}

/// Returns the processor time this thread has used.
pub fn thread_time() -> Duration {
    of(ClockId::ThreadCPUTime)
}

fn of(clock: ClockId) -> Duration {
    let time = clock_gettime(clock);
    Duration::new(time.tv_sec.unsigned_abs(), u32::try_from(time.tv_nsec).unwrap_or(0))
}

/// A model that adds up the processor time of its calls.
pub struct Timed {
    model: Arc<dyn Model>,
    spent: Arc<AtomicU64>,
}

impl Timed {
    /// Times a model; the nanoseconds go to `spent`.
    pub fn new(model: Arc<dyn Model>, spent: Arc<AtomicU64>) -> Timed {
        Timed { model, spent }
    }
}

impl Model for Timed {
    fn signature(&self) -> &Signature {
        self.model.signature()
    }

    fn infer(&self, inputs: &Tensors) -> Result<Tensors, ModelError> {
        let before = of(ClockId::ThreadCPUTime);
        let answer = self.model.infer(inputs);
        let nanos = of(ClockId::ThreadCPUTime).saturating_sub(before).as_nanos();
        self.spent.fetch_add(u64::try_from(nanos).unwrap_or(u64::MAX), Relaxed);
        answer
    }
}
