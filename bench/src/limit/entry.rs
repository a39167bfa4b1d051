//! What is written about a flight: ids, the action, the entry of the decision log.

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Serialize;
use sha2::{Digest, Sha256};

use super::{
    NAME,
    flight::Flight,
    tables::{Cached, Plane, Weather},
};

pub(super) fn hash(parts: &[&[u8]]) -> String {
    let mut sha = Sha256::new();
    for part in parts {
        sha.update((part.len() as u64).to_be_bytes());
        sha.update(part);
    }
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let mut text = String::with_capacity(64);
    for byte in sha.finalize() {
        text.push(DIGITS[usize::from(byte >> 4)].into());
        text.push(DIGITS[usize::from(byte & 15)].into());
    }
    text
}

pub(super) fn decision_id(event: &str) -> String {
    hash(&[NAME.as_bytes(), event.as_bytes()])
}

/// What one model says about one flight.
#[derive(Clone, Copy, Serialize)]
pub(super) struct Answer {
    class: u8,
    pub probability: f64,
    scores: Scores,
}

#[derive(Clone, Copy, Serialize)]
struct Scores {
    #[serde(rename = "0")]
    on_time: f64,
    #[serde(rename = "1")]
    late: f64,
}

impl Answer {
    pub fn of(scores: &[f32], row: usize) -> Answer {
        let (on_time, late) = (f64::from(scores[row * 2]), f64::from(scores[row * 2 + 1]));
        assert!(on_time.is_finite() && (0.0..=1.00001).contains(&late), "a probability");
        Answer { class: u8::from(late > on_time), probability: late.min(1.0), scores: Scores { on_time, late } }
    }
}

#[derive(Serialize)]
pub(super) struct Action<'a> {
    name: &'static str,
    to: &'static str,
    key: &'a str,
    idempotency_key: String,
    taken: bool,
    data: Rebooking<'a>,
}

#[derive(Serialize)]
struct Rebooking<'a> {
    flight: &'a str,
    probability: f64,
    route: &'a str,
    seats: i64,
}

#[derive(Serialize)]
struct CloudEvent<'a> {
    specversion: &'static str,
    id: &'a str,
    source: &'static str,
    r#type: &'static str,
    time: String,
    subject: &'a str,
    datacontenttype: &'static str,
    decisionid: &'a str,
    partitionkey: &'a str,
    data: &'a Rebooking<'a>,
}

impl<'a> Action<'a> {
    pub fn rebook(flight: &Flight<'a>, route: &'a str, probability: f64, seats: i64) -> Action<'a> {
        let probability = (probability * 100.0).round() / 100.0;
        Action {
            name: "rebook",
            to: "rebooking",
            key: flight.flight_id,
            idempotency_key: hash(&[NAME.as_bytes(), flight.id.as_bytes(), b"rebook"]),
            taken: true,
            data: Rebooking { flight: flight.flight_id, probability, route, seats },
        }
    }

    pub fn cloud_event(&self, flight: &Flight<'_>, at: DateTime<Utc>, decision_id: &str) -> Vec<u8> {
        serde_json::to_vec(&CloudEvent {
            specversion: "1.0",
            id: &self.idempotency_key,
            source: "/fourstroke/flight-delays",
            r#type: "fourstroke.rebook",
            time: at.to_rfc3339_opts(SecondsFormat::AutoSi, true),
            subject: flight.id,
            datacontenttype: "application/json",
            decisionid: decision_id,
            partitionkey: self.key,
            data: &self.data,
        })
        .expect("JSON")
    }
}

#[derive(Serialize)]
struct Entry<'a> {
    v: u32,
    decision_id: &'a str,
    event_id: &'a str,
    key: Option<&'a str>,
    event_time: String,
    decided_at: String,
    event_age_ms: i64,
    pipeline: &'static str,
    version: &'static str,
    record: Record<'a>,
    enriched: Enriched<'a>,
    features: Models<Late<'a>, EventOnly<'a>>,
    predictions: Models<&'a Answer, &'a Answer>,
    model: &'static [Model],
    candidates: &'a [&'static str],
    actions: &'a [&'a Action<'a>],
    propensity: f64,
    policy: Option<&'static str>,
    held_back: [&'static str; 0],
    disposition: &'static str,
    code: Option<&'static str>,
    batch_size: usize,
    us: Micros,
}

#[derive(Serialize)]
struct Record<'a> {
    route: &'a str,
}

#[derive(Serialize)]
struct Enriched<'a> {
    weather: Seen<&'a Weather>,
    plane: Seen<&'a Plane>,
}

#[derive(Serialize)]
struct Seen<T> {
    value: T,
    found: bool,
    age_ms: i64,
}

#[derive(Serialize)]
struct Models<T, U> {
    #[serde(skip_serializing_if = "Option::is_none")]
    late: Option<T>,
    #[serde(skip_serializing_if = "Option::is_none")]
    late_event_only: Option<U>,
}

#[derive(Serialize)]
struct EventOnly<'a> {
    carrier: &'a str,
    origin: &'a str,
    dest: &'a str,
    distance: Option<f64>,
    weekday: Option<i64>,
    departure_minute: Option<i64>,
    arrival_minute: Option<i64>,
    block_minutes: Option<i64>,
    hour_departures: Option<i64>,
}

#[derive(Serialize)]
struct Late<'a> {
    carrier: &'a str,
    origin: &'a str,
    dest: &'a str,
    distance: Option<f64>,
    weekday: Option<i64>,
    departure_minute: Option<i64>,
    arrival_minute: Option<i64>,
    block_minutes: Option<i64>,
    hour_departures: Option<i64>,
    temp: Option<f64>,
    dewp: Option<f64>,
    humid: Option<f64>,
    wind_speed: Option<f64>,
    wind_gust: Option<f64>,
    precip: Option<f64>,
    pressure: Option<f64>,
    visib: Option<f64>,
    built: Option<i64>,
    engines: Option<i64>,
    seats: i64,
}

#[derive(Serialize)]
struct Model {
    name: &'static str,
    sha256: &'static str,
}

#[derive(Serialize)]
struct Micros {
    transform: u64,
    enrich: u64,
    infer: u64,
    act: u64,
}

const MODELS: [Model; 2] = [
    Model { name: "late", sha256: "975294be62edb388508bf2178b69742187e2eb8bde9a670915a5a6dbc91aa6d5" },
    Model { name: "late_event_only", sha256: "8880a762a5bc8fdede92798bcb021158ae37cea410385a14717a5fa01f90e8d8" },
];

/// What is known of one flight when its entry is written.
pub(super) struct Decided<'a> {
    pub flight: &'a Flight<'a>,
    pub route: &'a str,
    pub at: DateTime<Utc>,
    pub weather: &'a Cached<Weather>,
    pub plane: &'a Cached<Plane>,
    pub answers: Option<&'a [Answer; 2]>,
    pub action: Option<&'a Action<'a>>,
    pub id: &'a str,
    pub now: DateTime<Utc>,
    pub batch_size: usize,
}

impl Decided<'_> {
    pub fn write(&self) -> Vec<u8> {
        let (flight, weather, plane) = (self.flight, self.weather, self.plane);
        let time = |time: DateTime<Utc>| time.to_rfc3339_opts(SecondsFormat::Millis, true);
        let entry = Entry {
            v: 1,
            decision_id: self.id,
            event_id: flight.id,
            key: flight.tailnum,
            event_time: time(self.at),
            decided_at: time(self.now),
            event_age_ms: (self.now - self.at).num_milliseconds(),
            pipeline: NAME,
            version: "by hand",
            record: Record { route: self.route },
            enriched: Enriched {
                weather: Seen { value: &weather.row, found: weather.found, age_ms: weather.age.num_milliseconds() },
                plane: Seen { value: &plane.row, found: plane.found, age_ms: plane.age.num_milliseconds() },
            },
            features: Models {
                late: self.answers.map(|_| late(flight, &weather.row, &plane.row)),
                late_event_only: self.answers.map(|_| event_only(flight)),
            },
            predictions: Models {
                late: self.answers.map(|[late, _]| late),
                late_event_only: self.answers.map(|[_, event_only]| event_only),
            },
            model: if self.answers.is_some() { &MODELS } else { &[] },
            candidates: if self.action.is_some() { &["rebook"] } else { &[] },
            actions: self.action.as_slice(),
            propensity: 1.0,
            policy: None,
            held_back: [],
            disposition: if self.action.is_some() { "acted" } else { "passed" },
            code: None,
            batch_size: self.batch_size,
            us: Micros { transform: 0, enrich: 0, infer: 0, act: 0 },
        };
        serde_json::to_vec(&entry).expect("JSON")
    }
}

#[derive(Serialize)]
struct Outcome<'a> {
    v: u32,
    outcome_of: String,
    label: bool,
    delay_ms: Option<i64>,
    event_id: &'a str,
    event_time: String,
    pipeline: &'static str,
}

/// What an arrival tells about the decision before it.
pub(super) fn outcome(flight: &Flight<'_>, at: DateTime<Utc>) -> Vec<u8> {
    let outcome = Outcome {
        v: 1,
        outcome_of: decision_id(flight.flight_id),
        label: flight.arr_delay.unwrap_or(0.0) > 30.0,
        delay_ms: None,
        event_id: flight.id,
        event_time: at.to_rfc3339_opts(SecondsFormat::Millis, true),
        pipeline: NAME,
    };
    serde_json::to_vec(&outcome).expect("JSON")
}

fn late<'a>(flight: &Flight<'a>, weather: &Weather, plane: &Plane) -> Late<'a> {
    Late {
        carrier: flight.carrier,
        origin: flight.origin,
        dest: flight.dest,
        distance: flight.distance,
        weekday: flight.weekday,
        departure_minute: flight.departure_minute,
        arrival_minute: flight.arrival_minute,
        block_minutes: flight.block_minutes,
        hour_departures: flight.hour_departures,
        temp: weather.temp,
        dewp: weather.dewp,
        humid: weather.humid,
        wind_speed: weather.wind_speed,
        wind_gust: weather.wind_gust,
        precip: weather.precip,
        pressure: weather.pressure,
        visib: weather.visib,
        built: plane.year,
        engines: plane.engines,
        seats: plane.seats,
    }
}

fn event_only<'a>(flight: &Flight<'a>) -> EventOnly<'a> {
    EventOnly {
        carrier: flight.carrier,
        origin: flight.origin,
        dest: flight.dest,
        distance: flight.distance,
        weekday: flight.weekday,
        departure_minute: flight.departure_minute,
        arrival_minute: flight.arrival_minute,
        block_minutes: flight.block_minutes,
        hour_departures: flight.hour_departures,
    }
}
