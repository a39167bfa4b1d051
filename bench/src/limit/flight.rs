//! One event, borrowed from its bytes.

use chrono::{DateTime, Utc};
use serde::Deserialize;

#[derive(Deserialize)]
pub(super) struct Flight<'a> {
    pub id: &'a str,
    #[serde(rename = "type")]
    pub kind: &'a str,
    pub flight_id: &'a str,
    pub at: &'a str,
    pub tailnum: Option<&'a str>,
    pub carrier: &'a str,
    pub origin: &'a str,
    pub dest: &'a str,
    pub distance: Option<f64>,
    pub weekday: Option<i64>,
    pub departure_minute: Option<i64>,
    pub arrival_minute: Option<i64>,
    pub block_minutes: Option<i64>,
    pub hour_departures: Option<i64>,
    #[serde(rename = "dep_delay")]
    pub _dep_delay: Option<f64>,
    pub arr_delay: Option<f64>,
}

impl Flight<'_> {
    /// Gives the route, the time, and the hour as the weather's key has it.
    pub fn shape(&self) -> (String, DateTime<Utc>, String) {
        let at = DateTime::parse_from_rfc3339(self.at).expect("a time").to_utc();
        (format!("{}-{}", self.origin, self.dest), at, at.format("%Y-%m-%dT%H").to_string())
    }
}
