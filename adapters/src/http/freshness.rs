//! Until when an answer may be used again, as RFC 9111 has it for a cache of one's own.

use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};
use hyper::header::{AGE, CACHE_CONTROL, DATE, EXPIRES, HeaderMap, HeaderName};

/// Returns the moment from which the answer to a request of that time is stale; none: its service does not say.
///
/// Counted from the request, not the answer: the way back only makes it older.
pub(super) fn expires(headers: &HeaderMap, asked: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let after = |lifetime: TimeDelta| {
        let age = headers.get(AGE).map_or(Some(0), |age| seconds(age.to_str().ok()?));
        // An age that cannot be read may be any.
        let left = age.map_or(TimeDelta::zero(), |age| lifetime - TimeDelta::seconds(age));
        asked.checked_add_signed(left.max(TimeDelta::zero()))
    };
    let mut lifetime: Option<i64> = None;
    for directive in directives(headers) {
        let (name, value) = directive.split_once('=').map_or((directive.as_str(), ""), |(name, value)| (name, value));
        match name.trim().to_ascii_lowercase().as_str() {
            "no-store" | "no-cache" => return Some(asked),
            "max-age" => {
                // What cannot be read is stale; of two the shorter counts.
                let given = seconds(value.trim().trim_matches('"')).unwrap_or(0);
                lifetime = Some(lifetime.map_or(given, |other| other.min(given)));
            }
            _ => {}
        }
    }
    if let Some(lifetime) = lifetime {
        return after(TimeDelta::seconds(lifetime));
    }
    let until = headers.get(EXPIRES)?;
    // `Expires: 0` and the like mean: already.
    let Some(until) = until.to_str().ok().and_then(date) else { return Some(asked) };
    after(until - moment(headers, DATE).unwrap_or(asked))
}

/// Takes `Cache-Control` apart at the commas that are not quoted.
fn directives(headers: &HeaderMap) -> Vec<String> {
    let mut directives = vec![String::new()];
    for value in headers.get_all(CACHE_CONTROL) {
        let mut quoted = false;
        for c in String::from_utf8_lossy(value.as_bytes()).chars() {
            quoted ^= c == '"';
            match c {
                ',' if !quoted => directives.push(String::new()),
                c => directives.last_mut().expect("there is one from the start").push(c),
            }
        }
        directives.push(String::new());
    }
    directives
}

/// Reads a number of seconds; at most a hundred years, so that sums stay in the calendar.
fn seconds(text: &str) -> Option<i64> {
    const MOST: i64 = 100 * 365 * 24 * 60 * 60;
    let digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.parse().unwrap_or(MOST).min(MOST))
}

fn moment(headers: &HeaderMap, name: HeaderName) -> Option<DateTime<Utc>> {
    date(headers.get(name)?.to_str().ok()?)
}

fn date(text: &str) -> Option<DateTime<Utc>> {
    let time: SystemTime = httpdate::parse_http_date(text).ok()?;
    Some(time.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// How many seconds an answer with these headers is fresh.
    fn fresh(headers: &[(&'static str, &str)]) -> Option<i64> {
        let asked = date("Sun, 06 Nov 1994 08:49:37 GMT").unwrap();
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.append(*name, value.parse().unwrap());
        }
        expires(&map, asked).map(|until| (until - asked).num_seconds())
    }

    #[test]
    fn a_service_says_how_long() {
        type Headers = &'static [(&'static str, &'static str)];
        let cases: &[(Headers, Option<i64>)] = &[
            (&[], None),
            (&[("cache-control", "public, must-revalidate")], None),
            (&[("cache-control", "max-age=60")], Some(60)),
            (&[("cache-control", "Private , Max-Age=\"60\"")], Some(60)),
            (&[("cache-control", "max-age=60, s-maxage=5")], Some(60)),
            (&[("cache-control", "s-maxage=5")], None),
            (&[("cache-control", "max-age=60"), ("cache-control", "max-age=9")], Some(9)),
            (&[("cache-control", "max-age=60"), ("age", "50")], Some(10)),
            (&[("cache-control", "max-age=60"), ("age", "70")], Some(0)),
            (&[("cache-control", "max-age=60"), ("age", "x")], Some(0)),
            (&[("cache-control", "max-age=0")], Some(0)),
            (&[("cache-control", "max-age=-1")], Some(0)),
            (&[("cache-control", "max-age=99999999999999999999")], Some(3_153_600_000)),
            (&[("cache-control", "no-store")], Some(0)),
            (&[("cache-control", "max-age=60, no-cache")], Some(0)),
            (&[("cache-control", "no-cache=\"set-cookie, x\", max-age=60")], Some(0)),
            (&[("cache-control", "x=\"a, no-store\"")], None),
            (&[("expires", "Sun, 06 Nov 1994 08:50:37 GMT")], Some(60)),
            (&[("expires", "Sun, 06 Nov 1994 08:50:37 GMT"), ("date", "Sun, 06 Nov 1994 08:50:07 GMT")], Some(30)),
            (&[("expires", "Sun, 06 Nov 1994 08:50:37 GMT"), ("age", "20")], Some(40)),
            (&[("expires", "Sun, 06 Nov 1994 08:50:37 GMT"), ("cache-control", "max-age=5")], Some(5)),
            (&[("expires", "Sun, 06 Nov 1993 08:50:37 GMT")], Some(0)),
            (&[("expires", "0")], Some(0)),
        ];
        for (headers, expected) in cases {
            assert_eq!(fresh(headers), *expected, "{headers:?}");
        }
    }
}
