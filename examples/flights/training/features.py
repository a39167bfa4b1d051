"""What the models see: the columns that pipeline.yaml's `features:` name, in that order, made from the same lookups."""

import numpy as np
import pandas as pd

import package

ORIGINS = ["EWR", "JFK", "LGA"]
EVENT = ["carrier", "origin", "dest", "distance", "weekday", "departure_minute", "arrival_minute", "block_minutes",
         "hour_departures"]
# wind_dir did not help.
WEATHER = ["temp", "dewp", "humid", "wind_speed", "wind_gust", "precip", "pressure", "visib"]
PLANE = ["built", "engines", "seats"]
# From windows.py. Delays of the airport's and the airline's flights as they leave and arrive, of the route's as they
# arrive. The flights that boarded and have not left. Seconds since the aircraft left, landed, could have been back.
HISTORY = ["airport_1h", "airport_3h", "queue_3h", "airline_3h", "route_12h", "since_departed", "since_landed",
           "since_back"]
CATEGORICAL = ["carrier", "origin", "dest"]
# pipeline.yaml's `default:`, which fills a missing row and an empty cell alike. All else stays missing (NaN).
WEATHER_DEFAULT = {"wind_gust": 0.0, "precip": 0.0, "visib": 10.0}
PLANE_DEFAULT = {"seats": 150}


def joined(flights: pd.DataFrame, weather: pd.DataFrame, planes: pd.DataFrame) -> pd.DataFrame:
    """The flights with what the run's two lookups find for them."""
    flights = flights.assign(hour=flights["at"].dt.strftime(package.HOUR_FORMAT))
    weather = weather.set_index(["origin", "hour"])[["measured_at", *WEATHER]]
    planes = planes.rename(columns={"year": "built"}).set_index("tailnum")[PLANE].astype(float)
    return (flights.join(weather, on=["origin", "hour"]).join(planes, on="tailnum")
            .fillna(WEATHER_DEFAULT | PLANE_DEFAULT))


def matrix(flights: pd.DataFrame, columns: list[str], categories: dict[str, list[str]]) -> np.ndarray:
    """float32, a row per flight; a category is its place in the list, an unknown one -1."""
    places = {name: pd.Index(categories[name]).get_indexer(flights[name]) for name in CATEGORICAL}
    return flights.assign(**places)[columns].to_numpy(np.float32)
