"""Writes the example's data from the package: the event stream of October to December 2013 and two lookup tables."""

import argparse
import gzip
import json
from pathlib import Path

import pandas as pd
import zstandard

import package

FIRST_MONTH = 10
# What is known 30 minutes before the scheduled departure: the schedule, nothing else.
SCHEDULE = ["distance", "weekday", "departure_minute", "arrival_minute", "block_minutes", "hour_departures"]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path(__file__).parent.parent / "data")
    out = parser.parse_args().out
    out.mkdir(parents=True, exist_ok=True)

    flights = package.flights()
    flights = flights[flights["month"] >= FIRST_MONTH]
    lines = "".join(json.dumps(event, separators=(",", ":")) + "\n" for event in events(flights))
    stream = zstandard.ZstdCompressor(level=19).compress(lines.encode())
    (out / "2013-q4.jsonl.zst").write_bytes(stream)

    first_hour = flights["at"].min().strftime(package.HOUR_FORMAT)
    weather = package.weather()
    write_table(out / "weather.csv.gz", weather[weather["hour"] >= first_hour])
    write_table(out / "planes.csv.gz", package.planes())


def events(flights: pd.DataFrame) -> list[dict]:
    """All events in order of time. At the same instant a boarding comes first: it sees only what was earlier."""
    found = []
    for flight in flights.to_dict("records"):
        found.append((0, event(flight, "boarding", flight["at"], SCHEDULE)))
        if pd.notna(flight["dep_delay"]):
            found.append((1, event(flight, "departed", flight["departed"], ["dep_delay"])))
        if pd.notna(flight["arr_delay"]):
            found.append((2, event(flight, "arrived", flight["arrived"], ["arr_delay"])))
    found.sort(key=lambda rank_event: (rank_event[1]["at"], rank_event[0], rank_event[1]["id"]))
    return [event for _, event in found]


def event(flight: dict, kind: str, at: pd.Timestamp, fields: list[str]) -> dict:
    flight_id = flight["flight_id"]
    return {
        "id": flight_id if kind == "boarding" else f"{flight_id}:{kind}",
        "type": kind,
        "flight_id": flight_id,
        "at": at.strftime(package.RFC_3339),
        "tailnum": flight["tailnum"] if pd.notna(flight["tailnum"]) else None,
        "carrier": flight["carrier"],
        "origin": flight["origin"],
        "dest": flight["dest"],
    } | {name: flight[name] for name in fields}


def write_table(path: Path, table: pd.DataFrame) -> None:
    text = table.to_csv(index=False, lineterminator="\n")
    # No time stamp inside, so that the same table gives the same file.
    path.write_bytes(gzip.compress(text.encode(), compresslevel=9, mtime=0))


if __name__ == "__main__":
    main()
