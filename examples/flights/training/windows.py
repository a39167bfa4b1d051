"""What happened lately, as pipeline.yaml's windows tell it to a boarding event."""

import numpy as np
import pandas as pd

HOUR = 3_600_000
# More milliseconds than any time has since 1970.
APART = 1 << 42


def history(events: pd.DataFrame) -> pd.DataFrame:
    """features.HISTORY per flight, from a stream that begins with these events."""
    kind, time = events["type"], pd.to_datetime(events["at"]).astype("datetime64[ms, UTC]").astype("int64")
    events = events.assign(at=time, route=events["origin"] + "-" + events["dest"])
    delay = events["dep_delay"].fillna(events["arr_delay"])
    arr_delay = events["arr_delay"]
    # Who has boarded and not left. Cancelled flights stay in the queue, which is a sign too.
    queue = kind.map({"boarding": 1.0, "departed": -1.0})
    seconds = time // 1000
    asked = seconds[kind == "boarding"]
    departed = asked - window(events, "tailnum", seconds.where(kind == "departed"), 24)["last"]
    landed = asked - window(events, "tailnum", seconds.where(kind == "arrived"), 24)["last"]
    return pd.DataFrame({
        "airport_1h": window(events, "origin", delay, 1)["mean"],
        "airport_3h": window(events, "origin", delay, 3)["mean"],
        "queue_3h": window(events, "origin", queue, 3)["sum"],
        "airline_3h": window(events, "carrier", delay, 3)["mean"],
        "route_12h": window(events, "route", arr_delay, 12)["mean"],
        "since_departed": departed,
        "since_landed": landed,
        # Since when it could be back, had it turned at once and flown as long as on the way out.
        "since_back": 2 * landed - departed,
    }).set_index(events.loc[asked.index, "flight_id"])


def window(events: pd.DataFrame, by: str, value: pd.Series, hours: int) -> pd.DataFrame:
    """
    What each boarding event sees under its key, of the events that have a value: those strictly before it, in its
    own sixtieth of the duration and the 59 before.
    """
    key, time = pd.factorize(events[by])[0], events["at"].to_numpy()
    # One line of times, key after key. Stable: of events at the same instant, the later one of the stream is the last.
    counted = value.notna().to_numpy() & (key >= 0)
    line, value = (key * APART + time)[counted], value.to_numpy(float)[counted]
    order = np.argsort(line, kind="stable")
    line, value = line[order], value[order]

    asks = (events["type"] == "boarding").to_numpy()
    index, key, time = events.index[asks], key[asks], time[asks]
    width = hours * HOUR // 60
    first = np.searchsorted(line, key * APART + (time // width - 59) * width)
    end = np.searchsorted(line, key * APART + time)
    sums = np.append(0, np.cumsum(value))
    seen = pd.DataFrame({"count": end - first, "sum": sums[end] - sums[first], "last": value[end - 1]}, index)
    some = seen["count"] > 0
    seen["mean"] = (seen["sum"] / seen["count"]).where(some)
    seen["last"] = seen["last"].where(some)
    # Without a key there is no window.
    return seen.where(pd.Series(key >= 0, index), axis=0)
