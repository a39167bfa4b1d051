//! What a mapping is set to.

use std::time::Duration;

/// The settings, under the names of `CreateEventSourceMapping`.
#[derive(Clone, Debug)]
pub struct Settings {
    pub batch_size: usize,
    pub maximum_batching_window: Duration,
    pub parallelization_factor: usize,
    /// None: −1, until the records expire.
    pub maximum_retry_attempts: Option<u32>,
    /// None: −1.
    pub maximum_record_age: Option<Duration>,
    pub bisect_batch_on_function_error: bool,
    pub report_batch_item_failures: bool,
    pub on_failure: Option<Destination>,
    /// No setting of AWS's, as the next: a mapping that is wrong in this way, to see whether that is found.
    pub loses_second_halves: bool,
    pub begins_children_early: bool,
}

/// Where discarded batches go.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Destination {
    /// With the records.
    S3,
    /// With metadata alone.
    Sqs,
    /// With metadata alone.
    Sns,
}

impl Default for Settings {
    /// AWS's defaults.
    fn default() -> Settings {
        Settings {
            batch_size: 100,
            maximum_batching_window: Duration::ZERO,
            parallelization_factor: 1,
            maximum_retry_attempts: None,
            maximum_record_age: None,
            bisect_batch_on_function_error: false,
            report_batch_item_failures: false,
            on_failure: None,
            loses_second_halves: false,
            begins_children_early: false,
        }
    }
}

impl Settings {
    /// Panics where AWS would refuse to make the mapping.
    pub fn check(&self) {
        assert!((1..=10_000).contains(&self.batch_size), "BatchSize");
        assert!(self.maximum_batching_window <= Duration::from_secs(300), "MaximumBatchingWindowInSeconds");
        assert!((1..=10).contains(&self.parallelization_factor), "ParallelizationFactor");
        assert!(self.maximum_retry_attempts.is_none_or(|attempts| attempts <= 10_000), "MaximumRetryAttempts");
        let ages = Duration::from_secs(60)..=Duration::from_secs(604_800);
        assert!(self.maximum_record_age.is_none_or(|age| ages.contains(&age)), "MaximumRecordAgeInSeconds");
    }
}
