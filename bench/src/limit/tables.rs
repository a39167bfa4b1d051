//! The two tables, each behind a cache with its time to live.

use std::{collections::HashMap, io::Read, path::Path, sync::Mutex};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

#[derive(Clone, Copy, Serialize)]
pub(super) struct Weather {
    pub dewp: Option<f64>,
    pub humid: Option<f64>,
    #[serde(serialize_with = "seconds")]
    pub measured_at: Option<DateTime<Utc>>,
    pub precip: Option<f64>,
    pub pressure: Option<f64>,
    pub temp: Option<f64>,
    pub visib: Option<f64>,
    pub wind_gust: Option<f64>,
    pub wind_speed: Option<f64>,
}

fn seconds<S: serde::Serializer>(time: &Option<DateTime<Utc>>, serializer: S) -> Result<S::Ok, S::Error> {
    match time {
        Some(time) => serializer.collect_str(&time.format("%Y-%m-%dT%H:%M:%SZ")),
        None => serializer.serialize_none(),
    }
}

impl Weather {
    const UNKNOWN: Weather = Weather {
        dewp: None,
        humid: None,
        measured_at: None,
        precip: Some(0.0),
        pressure: None,
        temp: None,
        visib: Some(10.0),
        wind_gust: Some(0.0),
        wind_speed: None,
    };

    pub fn columns(&self, into: &mut Vec<f32>) {
        let all =
            [self.temp, self.dewp, self.humid, self.wind_speed, self.wind_gust, self.precip, self.pressure, self.visib];
        into.extend(all.map(|value| value.map_or(f32::NAN, |value| value as f32)));
    }
}

#[derive(Clone, Copy, Serialize)]
pub(super) struct Plane {
    pub engines: Option<i64>,
    pub seats: i64,
    pub year: Option<i64>,
}

impl Plane {
    const UNKNOWN: Plane = Plane { engines: None, seats: 150, year: None };

    pub fn columns(&self, into: &mut Vec<f32>) {
        let number = |value: Option<i64>| value.map_or(f32::NAN, |value| value as f32);
        into.extend([number(self.year), number(self.engines), self.seats as f32]);
    }
}

/// A row, whether it was there, and how old the answer is.
#[derive(Clone, Copy)]
pub(super) struct Cached<T> {
    pub row: T,
    pub found: bool,
    pub age: TimeDelta,
}

type Cache<K, T> = Mutex<HashMap<K, (DateTime<Utc>, Option<T>)>>;

pub(super) struct Tables {
    weather: HashMap<String, Weather>,
    planes: HashMap<String, Plane>,
    weather_cache: Cache<String, Weather>,
    plane_cache: Cache<String, Plane>,
}

#[derive(Deserialize)]
struct WeatherRow {
    origin: String,
    hour: String,
    measured_at: Option<DateTime<Utc>>,
    temp: Option<f64>,
    dewp: Option<f64>,
    humid: Option<f64>,
    wind_speed: Option<f64>,
    wind_gust: Option<f64>,
    precip: Option<f64>,
    pressure: Option<f64>,
    visib: Option<f64>,
}

#[derive(Deserialize)]
struct PlaneRow {
    tailnum: String,
    year: Option<i64>,
    engines: Option<i64>,
    seats: i64,
}

impl Tables {
    pub fn load(folder: &Path) -> anyhow::Result<Tables> {
        let unknown = Weather::UNKNOWN;
        let weather = rows(&folder.join("weather.csv.gz"))?.into_iter().map(|row: WeatherRow| {
            let weather = Weather {
                dewp: row.dewp,
                humid: row.humid,
                measured_at: row.measured_at,
                precip: row.precip.or(unknown.precip),
                pressure: row.pressure,
                temp: row.temp,
                visib: row.visib.or(unknown.visib),
                wind_gust: row.wind_gust.or(unknown.wind_gust),
                wind_speed: row.wind_speed,
            };
            (row.origin + &row.hour, weather)
        });
        let planes = rows(&folder.join("planes.csv.gz"))?
            .into_iter()
            .map(|row: PlaneRow| (row.tailnum, Plane { engines: row.engines, seats: row.seats, year: row.year }));
        Ok(Tables {
            weather: weather.collect(),
            planes: planes.collect(),
            weather_cache: Cache::default(),
            plane_cache: Cache::default(),
        })
    }

    pub fn weather(&self, origin: &str, hour: &str, now: DateTime<Utc>) -> Cached<Weather> {
        let key = [origin, hour].concat();
        cached(
            &self.weather_cache,
            &key,
            TimeDelta::minutes(10),
            now,
            || self.weather.get(&key).copied(),
            Weather::UNKNOWN,
        )
    }

    pub fn plane(&self, tailnum: Option<&str>, now: DateTime<Utc>) -> Cached<Plane> {
        let unknown = Cached { row: Plane::UNKNOWN, found: false, age: TimeDelta::zero() };
        tailnum.map_or(unknown, |tailnum| {
            let read = || self.planes.get(tailnum).copied();
            cached(&self.plane_cache, tailnum, TimeDelta::days(1), now, read, Plane::UNKNOWN)
        })
    }
}

fn cached<T: Copy>(
    cache: &Cache<String, T>,
    key: &str,
    ttl: TimeDelta,
    now: DateTime<Utc>,
    read: impl FnOnce() -> Option<T>,
    unknown: T,
) -> Cached<T> {
    let mut cache = cache.lock().expect("no panic while locked");
    let (asked, row) = match cache.get(key) {
        Some((asked, row)) if now - asked < ttl => (*asked, *row),
        _ => {
            let row = read();
            cache.insert(key.to_owned(), (now, row));
            (now, row)
        }
    };
    Cached { row: row.unwrap_or(unknown), found: row.is_some(), age: now - asked }
}

fn rows<T: for<'a> Deserialize<'a>>(path: &Path) -> anyhow::Result<Vec<T>> {
    let mut text = String::new();
    flate2::read::MultiGzDecoder::new(std::fs::File::open(path)?).read_to_string(&mut text)?;
    Ok(csv::Reader::from_reader(text.as_bytes()).deserialize().collect::<Result<_, _>>()?)
}
