//! examples/flights in Rust: the same decisions and the same log, with closures where the YAML has expressions.
use fourstroke::{
    code::*,
    config::{Format, Give, SloConfig},
    record::Record,
};
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
const LATELY: &str = "airport_1h=.airport.mean_1h airport_3h=.airport.mean_3h queue_3h=.queue.sum_3h \
    airline_3h=.airline.mean_3h route_12h=.by_route.mean_12h";
const OR_NAN: &[&str] = &["temp", "dewp", "humid", "wind_speed", "pressure", "built", "engines"];
const LATELY_OR_NAN: &[&str] =
    &["airport_1h", "airport_3h", "airline_3h", "route_12h", "since_departed", "since_landed", "since_back"];

/// The digest of the model of the event alone.
pub const EVENT_ONLY: &str = "8880a762a5bc8fdede92798bcb021158ae37cea410385a14717a5fa01f90e8d8";
/// The digest of the model without history.
pub const NO_HISTORY: &str = "975294be62edb388508bf2178b69742187e2eb8bde9a670915a5a6dbc91aa6d5";
const LATE: &str = "31a5bf8dc2a7dd4e39a8931c34377209faed5b1aa6ccc2eeb19719f8b6bbae72";

/// Asks one of the example's models, of the event alone.
pub fn model(name: &str, from: &str, file: &str, sha256: &str) -> Infer {
    let path = |file: &str| format!("file:{from}/models/{file}");
    let infer = Infer::new(name, &path(file)).sha256(sha256).positive("1").features(SCHEDULE);
    let infer = infer.table("carrier", &path("carriers.json")).table("dest", &path("dests.json"));
    infer.categories("origin", &["EWR", "JFK", "LGA"]).when(with(|r| Ok(r.text("type")? == "boarding")))
}
/// Asks a model of the event, the weather and the aircraft.
pub fn with_context(model: Infer) -> Infer {
    model.features(SEEN).missing(OR_NAN, f64::NAN)
}
/// When the aircraft left New York, or landed, last.
fn seen(r: &Record, window: &str) -> Option<f64> {
    r.float(&format!("{window}.last_24h")).ok()
}
fn ago(r: &Record, then: Option<f64>) -> Result<Option<f64>, String> {
    let now = r.time("at")?.timestamp() as f64;
    Ok(then.map(|then| now - then))
}
fn rebooking(r: &Record) -> Result<fourstroke::Value, String> {
    let probability = float((r.float("late.probability")? * 100.0).round() / 100.0);
    let (flight, route, seats) = (r.text("flight_id")?.into(), r.text("route")?.into(), r.integer("plane.seats")?);
    Ok(object([("flight", flight), ("probability", probability), ("route", route), ("seats", seats.into())]))
}
/// Rebooks where so many seats are expected to arrive late.
pub fn rebook(seats: f64) -> Rule {
    let full = with(move |r| Ok(r.float("late.probability")? * r.float("plane.seats")? >= seats));
    Rule::new("rebook", "rebooking").needs(&["late"]).when(full).key(".flight_id").data(with(rebooking))
}
/// Begins the strokes, without models and rules; `from` is the example's folder, `out` where its files go.
pub fn start(from: &str, out: &str) -> Strokes {
    let calm = [("wind_gust", float(0.0)), ("precip", float(0.0)), ("visib", float(10.0))];
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
        .outcome(with(|r| Ok(r.text("type")? == "arrived")), ".flight_id", label, day)
        .sink("dead", &format!("file:{out}/dead.jsonl"))
        .written("decisions", &[".route"], "dead")
        .stop_above(20.0, 1_000)
        .slo(SloConfig { decide: Some(soon * 5), event_age: None })
}
/// Gives the strokes; `state` is the URL of the store for what happened lately.
pub fn strokes(from: &str, out: &str, state: &str) -> Strokes {
    let is = |kind: &'static str| with(move |r| Ok(r.text("type")? == kind));
    let not = |kind: &'static str| with(move |r| Ok(r.text("type")? != kind));
    let delay = || with(|r| Ok(r.float("dep_delay").or_else(|_| r.float("arr_delay")).ok()));
    let mean = |over: &str| Counting::over(over, &[Give::Mean]);
    let leg = |kind| Counting::over("24h", &[Give::Last]).when(is(kind)).value("to_unix_timestamp(.at)");
    let leaves = with(|r| Ok(if r.text("type")? == "boarding" { 1.0 } else { -1.0 }));
    let queue = Counting::over("3h", &[Give::Sum]).when(not("arrived")).value(leaves);
    let window = |name, by, counting| Lookup::window(name, "state", [by], counting);
    let late = model("late", from, "late.onnx", LATE);
    start(from, out)
        .store("state", state, &[], "")
        .enrich(window("airport", ".origin", mean("1h 3h").when(not("boarding")).value(delay())))
        .enrich(window("queue", ".origin", queue))
        .enrich(window("airline", ".carrier", mean("3h").when(not("boarding")).value(delay())))
        .enrich(window("by_route", ".route", mean("12h").when(is("arrived")).value(".arr_delay")))
        .enrich(window("departed", ".tailnum", leg("departed")))
        .enrich(window("landed", ".tailnum", leg("arrived")))
        .infer(model("late_event_only", from, "late_event_only.onnx", EVENT_ONLY))
        .infer(with_context(model("late_no_history", from, "late_no_history.onnx", NO_HISTORY)))
        .infer(
            with_context(late)
                .features(LATELY)
                .feature("since_departed", with(|r| ago(r, seen(r, "departed"))))
                .feature("since_landed", with(|r| ago(r, seen(r, "landed"))))
                .feature(
                    "since_back",
                    with(|r| ago(r, seen(r, "landed").zip(seen(r, "departed")).map(|(l, d)| 2.0 * l - d))),
                )
                .missing(LATELY_OR_NAN, f64::NAN),
        )
        .rule(rebook(99.1).once("state"))
        .outcome_in("state")
}
