//! The answer to services that invoke a function asynchronously: done, or all of it again.

use fourstroke::report::{Disposition, Report};

/// Says whether the invocation must fail, so that AWS Lambda
/// [tries it again](https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Whole {
    /// It must not.
    Done,
    /// It must.
    Again,
}

impl From<&Report> for Whole {
    fn from(report: &Report) -> Whole {
        match report.fatal.is_some() || report.dispositions().contains(&Disposition::Retry) {
            true => Whole::Again,
            false => Whole::Done,
        }
    }
}
