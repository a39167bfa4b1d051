//! examples/flights in Rust: the same decisions and the same log, with closures where the YAML has expressions.
use fourstroke::{code::*, config::Format, config::SloConfig, record::Record};
use std::time::Duration;
const EVENT: &str = "id: string, type: string, flight_id: string, at: timestamp, tailnum: string?, carrier: string, \
    origin: string, dest: string, distance: float?, weekday: integer?, departure_minute: integer?, \
    arrival_minute: integer?, block_minutes: integer?, hour_departures: integer?, dep_delay: float?, arr_delay: float?";
const WEATHER: &str = "measured_at: timestamp?, temp: float?, dewp: float?, humid: float?, wind_speed: float?, \
    wind_gust: float?, precip: float?, pressure: float?, visib: float?";
const PLANE: &str = "year: integer?, engines: integer?, seats: integer";
const SCHEDULE: &str = ".carrier .origin .dest .distance .weekday .departure_minute .arrival_minute .block_minutes \
    .hour_departures";
const SEEN: &str = ".weather.temp .weather.dewp .weather.humid .weather.wind_speed .weather.wind_gust \
    .weather.precip .weather.pressure .weather.visib built=.plane.year .plane.engines .plane.seats";
const OR_NAN: &[&str] = &["temp", "dewp", "humid", "wind_speed", "pressure", "built", "engines"];
const LATE: (&str, &str) = ("late", "63bedc91f6d79faa256e175b324927ada822f8fa2b2a94da7149a180366fcca6");
const ALONE: (&str, &str) = ("late_event_only", "8880a762a5bc8fdede92798bcb021158ae37cea410385a14717a5fa01f90e8d8");

fn model((name, sha256): (&str, &str), from: &str) -> Infer {
    let path = |file: &str| format!("file:{from}/models/{file}");
    let infer = Infer::new(name, &path(&format!("{name}.onnx"))).sha256(sha256).positive("1").features(SCHEDULE);
    let infer = infer.table("carrier", &path("carriers.json")).table("dest", &path("dests.json"));
    infer.categories("origin", &["EWR", "JFK", "LGA"]).when(with(|r| Ok(r.text("type")? == "boarding")))
}
fn rebooking(r: &Record) -> Result<fourstroke::Value, String> {
    let probability = float((r.float("late.probability")? * 100.0).round() / 100.0);
    let (flight, route, seats) = (r.text("flight_id")?.into(), r.text("route")?.into(), r.integer("plane.seats")?);
    Ok(object([("flight", flight), ("probability", probability), ("route", route), ("seats", seats.into())]))
}
/// Gives the strokes; `from` is the example's folder, `out` where its files go.
pub fn strokes(from: &str, out: &str) -> Strokes {
    let calm = [("wind_gust", float(0.0)), ("precip", float(0.0)), ("visib", float(10.0))];
    let full = with(|r| Ok(r.float("late.probability")? * r.float("plane.seats")? >= 75.0));
    let label = with(|r| Ok(r.float("arr_delay").unwrap_or(0.0) > 30.0));
    let (day, soon) = (Duration::from_hours(24), Duration::from_millis(50));
    let weather = Lookup::new("weather", "weather", [".origin", ".hour"]).cache(day / 144).timeout(soon);
    let plane = Lookup::new("plane", "planes", [".tailnum"]).cache(day).timeout(soon);
    Strokes::named("flight-delays", "1")
        .store("weather", &format!("file:{from}/data/weather.csv.gz"), &["origin", "hour"], WEATHER)
        .store("planes", &format!("file:{from}/data/planes.csv.gz"), &["tailnum"], PLANE)
        .sink_as(Format::CloudEvents, "rebooking", &format!("file:{out}/rebooking.jsonl"))
        .sink("decisions", &format!("file:{out}/decisions.jsonl"))
        .fields(EVENT)
        .identity(".id", ".tailnum")
        .time(".at")
        .transform("route: string, hour: string", |r| {
            r.insert("route", [r.text("origin")?, r.text("dest")?].join("-"));
            r.insert("hour", r.time("at")?.format("%Y-%m-%dT%H").to_string());
            Ok(())
        })
        .enrich(weather.default(calm))
        .enrich(plane.default([("seats", 150.into())]))
        .infer(model(LATE, from).features(SEEN).missing(OR_NAN, f64::NAN))
        .infer(model(ALONE, from))
        .rule(Rule::new("rebook", "rebooking").needs(&["late"]).when(full).key(".flight_id").data(with(rebooking)))
        .outcome(with(|r| Ok(r.text("type")? == "arrived")), ".flight_id", label, day)
        .sink("dead", &format!("file:{out}/dead.jsonl"))
        .written("decisions", &[".route"], "dead")
        .stop_above(20.0, 1_000)
        .slo(SloConfig { decide: Some(soon * 5), event_age: None })
}
