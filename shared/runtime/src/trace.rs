//! Which trace an invocation belongs to, as whoever called tells: in AWS X-Ray's words or in W3C's.

use std::fmt;

/// A span elsewhere that caused what happens here.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caller {
    /// Of the trace.
    pub trace_id: u128,
    /// Of the caller's span.
    pub span_id: u64,
    /// Whether the trace is recorded.
    pub sampled: bool,
}

impl Caller {
    /// Reads `traceparent`; none if it is malformed. Source: W3C Trace Context, level 1.
    ///
    /// ```
    /// # use fourstroke_runtime::Caller;
    /// let caller = Caller::from_traceparent("00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01").unwrap();
    /// assert_eq!((caller.to_string().as_str(), caller.sampled), ("4bf92f3577b34da6a3ce929d0e0e4736", true));
    /// ```
    pub fn from_traceparent(text: &str) -> Option<Caller> {
        let mut parts = text.trim().split('-');
        let (version, trace, span, flags) = (parts.next()?, parts.next()?, parts.next()?, parts.next()?);
        // A later version may have more parts.
        let known = version.len() == 2 && version != "ff" && (version != "00" || parts.next().is_none());
        let flags = hex::<2>(flags)?;
        known.then(|| Caller::new(hex::<32>(trace)?, hex::<16>(span)?, flags & 1 == 1))?
    }

    /// Reads `X-Amzn-Trace-Id`; none if it is malformed. Source: AWS X-Ray, "Tracing header".
    ///
    /// ```
    /// # use fourstroke_runtime::Caller;
    /// let header = "Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1";
    /// assert_eq!(Caller::from_xray(header).unwrap().to_string(), "5759e988bd862e3fe1be46a994272793");
    /// ```
    pub fn from_xray(text: &str) -> Option<Caller> {
        let part = |name: &str| text.split(';').find_map(|part| part.trim().strip_prefix(name)?.strip_prefix('='));
        let (time, random) = part("Root")?.strip_prefix("1-")?.split_once('-')?;
        let trace = (hex::<8>(time)? << 96) | hex::<24>(random)?;
        Caller::new(trace, hex::<16>(part("Parent")?)?, part("Sampled") == Some("1"))
    }

    fn new(trace_id: u128, span_id: u128, sampled: bool) -> Option<Caller> {
        let span_id = u64::try_from(span_id).ok()?;
        (trace_id != 0 && span_id != 0).then_some(Caller { trace_id, span_id, sampled })
    }
}

/// Shows the trace's id, as W3C writes it.
impl fmt::Display for Caller {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.trace_id)
    }
}

/// Reads so many digits, in lower case.
fn hex<const DIGITS: usize>(text: &str) -> Option<u128> {
    let fits = text.len() == DIGITS && text.bytes().all(|digit| matches!(digit, b'0'..=b'9' | b'a'..=b'f'));
    if fits { u128::from_str_radix(text, 16).ok() } else { None }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_malformed_is_nobodys() {
        for text in [
            "",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7",
            "00-00000000000000000000000000000000-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-0000000000000000-01",
            "00-4BF92F3577B34DA6A3CE929D0E0E4736-00f067aa0ba902b7-01",
            "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01-more",
            "ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
            "00-+bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
        ] {
            assert_eq!(Caller::from_traceparent(text), None, "{text}");
        }
        for text in [
            "Root=1-5759e988-bd862e3fe1be46a994272793",
            "Root=2-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8",
            "x",
        ] {
            assert_eq!(Caller::from_xray(text), None, "{text}");
        }
        assert!(Caller::from_traceparent("01-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00-more").is_some());
    }
}
