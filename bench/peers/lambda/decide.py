"""The decisions of bench/flights.yaml by hand, as all peers of this folder make them: tables in memory, two models by onnxruntime, the
rule, an entry of the decision log and an action as JSON. `same_work.py` holds it to the log that the pipeline writes."""

import csv
import gzip
import json
import struct
from datetime import datetime, timezone
from hashlib import sha256
from pathlib import Path

import numpy
import onnxruntime
import orjson

EXAMPLE = Path(__file__).parents[3] / "examples/flights"
NAME = "flight-delays"
SCHEDULE = ["carrier", "origin", "dest", "distance", "weekday", "departure_minute", "arrival_minute", "block_minutes", "hour_departures"]
WEATHER = ["temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
PLANE = ["built", "engines", "seats"]
MODELS = orjson.Fragment(json.dumps([
    {"name": "late", "sha256": (EXAMPLE / "models/late_no_history.onnx.sha256").read_text().strip()},
    {"name": "late_event_only", "sha256": (EXAMPLE / "models/late_event_only.onnx.sha256").read_text().strip()},
], separators=(",", ":")))
MICROS = orjson.Fragment(b'{"transform":0,"enrich":0,"infer":0,"act":0}')


class Row:
    """A table's row as a decision wants it, made once when the table is loaded: JSON for the log, features, and their float32 columns."""

    __slots__ = ("columns", "features", "found", "json", "seats")

    def __init__(self, value: dict, features: dict, found: bool = True):
        self.json = orjson.Fragment(orjson.dumps(value))
        self.features = features
        self.columns = numpy.array(list(features.values()), dtype=numpy.float32).tobytes()  # None is NaN
        self.found = found
        self.seats = value.get("seats")


def weather_row(row: dict, found: bool = True) -> Row:
    value = {"dewp": None, "humid": None, "measured_at": row.get("measured_at") or None, "precip": 0.0, "pressure": None, "temp": None,
             "visib": 10.0, "wind_gust": 0.0, "wind_speed": None}
    value |= {name: float(row[name]) for name in WEATHER if row.get(name)}
    return Row(value, {name: value[name] for name in WEATHER}, found)


def plane_row(row: dict, found: bool = True) -> Row:
    number = {name: int(row[name]) if row.get(name) else None for name in ("engines", "seats", "year")}
    return Row(number, {"built": number["year"], "engines": number["engines"], "seats": number["seats"]}, found)


def table(name: str) -> list[dict]:
    with gzip.open(EXAMPLE / "data" / name, "rt", encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def codes(names: list[str]) -> dict[str, float]:
    return {name: float(code) for code, name in enumerate(names)}


def model(name: str):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    return onnxruntime.InferenceSession(EXAMPLE / "models" / name, options, providers=["CPUExecutionProvider"]).run


weather = {(row["origin"], row["hour"]): weather_row(row) for row in table("weather.csv.gz")}
planes = {row["tailnum"]: plane_row(row) for row in table("planes.csv.gz")}
no_weather, no_plane = weather_row({}, False), plane_row({"seats": "150"}, False)
carriers = codes(json.loads((EXAMPLE / "models/carriers.json").read_text()))
dests = codes(json.loads((EXAMPLE / "models/dests.json").read_text()))
origins = codes(["EWR", "JFK", "LGA"])
late, late_event_only = model("late_no_history.onnx"), model("late_event_only.onnx")
loaded = datetime.now(timezone.utc)
pack = struct.Struct(f"<{len(SCHEDULE)}f").pack


def part(text: str) -> bytes:
    encoded = text.encode()
    return len(encoded).to_bytes(8) + encoded


PIPELINE, REBOOK = part(NAME), part("rebook")


def decision_id(event: str) -> str:
    return sha256(PIPELINE + part(event)).hexdigest()


def look_up(event: dict) -> tuple:
    """Transform and Enrich. Raises what a bad event raises: nothing has been done about it yet."""
    at = datetime.fromisoformat(event["at"]).astimezone(timezone.utc)
    time = milliseconds(at)
    origin = event["origin"]
    around = weather.get((origin, time[:13]), no_weather)
    plane = planes.get(event.get("tailnum"), no_plane)
    columns = None
    if event["type"] == "boarding":
        columns = pack(carriers.get(event["carrier"], -1.0), origins.get(origin, -1.0), dests.get(event["dest"], -1.0), event["distance"],
                       event["weekday"], event["departure_minute"], event["arrival_minute"], event["block_minutes"],
                       event["hour_departures"]) + around.columns + plane.columns
    return event, at, time, f"{origin}-{event['dest']}", around, plane, columns


def finish(flights: list[tuple], size: int) -> tuple[list[bytes], list[bytes]]:
    """Infer, Act and the log, for all flights of a batch at once: each model is called once. Gives the log's lines and the actions."""
    matrix = numpy.frombuffer(b"".join([flight[-1] for flight in flights if flight[-1]]), dtype=numpy.float32).reshape(-1, 20)
    answers = iter(())
    if len(matrix):
        # Only what is read is asked for: the labels follow from the probabilities.
        full = late(["probabilities"], {"features": matrix})[0].tolist()
        schedule = numpy.ascontiguousarray(matrix[:, : len(SCHEDULE)])
        answers = zip(full, late_event_only(["probabilities"], {"features": schedule})[0].tolist())
    now = datetime.now(timezone.utc)
    decided_at, age = milliseconds(now), int((now - loaded).total_seconds() * 1000)
    lines, actions = [], []
    for event, at, time, route, around, plane, columns in flights:
        identity = decision_id(event["id"])
        features, predictions, chosen = {}, {}, []
        if columns:
            full, event_only = next(answers)
            schedule = {name: event[name] for name in SCHEDULE}
            features = {"late": {**schedule, **around.features, **plane.features}, "late_event_only": schedule}
            predictions = {"late": prediction(full), "late_event_only": prediction(event_only)}
            if full[1] * plane.seats >= 75.0:
                chosen = [rebook(event, route, full[1], plane.seats)]
                actions.append(cloud_event(chosen[0], event, at, identity))
        lines.append(orjson.dumps({
            "v": 1, "decision_id": identity, "event_id": event["id"], "key": event.get("tailnum"), "event_time": time,
            "decided_at": decided_at, "event_age_ms": int((now - at).total_seconds() * 1000), "pipeline": NAME, "version": "python",
            "record": {"route": route},
            "enriched": {"weather": {"value": around.json, "found": around.found, "age_ms": age},
                         "plane": {"value": plane.json, "found": plane.found, "age_ms": age}},
            "features": features, "predictions": predictions, "model": MODELS if columns else [],
            "candidates": ["rebook"] if chosen else [], "actions": chosen, "propensity": 1.0, "policy": None, "held_back": [],
            "disposition": "acted" if chosen else "passed", "code": None, "batch_size": size, "us": MICROS}))
        if event["type"] == "arrived":
            lines.append(orjson.dumps({
                "v": 1, "outcome_of": decision_id(event["flight_id"]), "label": (event.get("arr_delay") or 0.0) > 30.0, "delay_ms": None,
                "event_id": event["id"], "event_time": time, "pipeline": NAME}))
    return lines, actions


def milliseconds(time: datetime) -> str:
    return time.isoformat("T", "milliseconds")[:-6] + "Z"


def prediction(scores: list[float]) -> dict:
    on_time, is_late = scores
    return {"class": int(is_late > on_time), "probability": min(is_late, 1.0), "scores": {"0": on_time, "1": is_late}}


def rebook(event: dict, route: str, probability: float, seats: int) -> dict:
    return {"name": "rebook", "to": "rebooking", "key": event["flight_id"],
            "idempotency_key": sha256(PIPELINE + part(event["id"]) + REBOOK).hexdigest(), "taken": True,
            "data": {"flight": event["flight_id"], "probability": round(probability, 2), "route": route, "seats": seats}}


def cloud_event(action: dict, event: dict, at: datetime, identity: str) -> bytes:
    return orjson.dumps({
        "specversion": "1.0", "id": action["idempotency_key"], "source": "/fourstroke/flight-delays", "type": "fourstroke.rebook",
        "time": at.isoformat()[:-6] + "Z", "subject": event["id"], "datacontenttype": "application/json", "decisionid": identity,
        "partitionkey": action["key"], "data": action["data"]})
