"""LightGBM's trees, and the same trees as ONNX."""

import json
import re

import lightgbm
import numpy as np
import onnx
from onnx import helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType

from features import CATEGORICAL

TREES = 200
LEAVES = 63
# More rain, stronger gusts, less sight and damper air never make a flight likelier to arrive in time. Without that the
# temperature tells the season more than the weather, and the season that is asked about is another one.
MONOTONE = {"precip": 1, "wind_gust": 1, "visib": -1, "temp": -1, "dewp": 1, "humid": 1}
# All flights of an hour see the same weather, so what few rows have in common is often one bad hour.
PARAMETERS = {"objective": "binary", "num_leaves": LEAVES, "min_child_samples": 500, "max_bin": 63,
              "max_cat_threshold": 4, "min_data_per_group": 500, "cat_smooth": 100, "seed": 2013, "deterministic": True,
              "force_row_wise": True, "num_threads": 1, "verbose": -1}
OPSET = 15


def fit(x: np.ndarray, late: np.ndarray, columns: list[str], choice: dict[str, float]) -> lightgbm.Booster:
    parameters = PARAMETERS | choice | {"monotone_constraints": [MONOTONE.get(name, 0) for name in columns]}
    data = lightgbm.Dataset(x, late, categorical_feature=[columns.index(name) for name in CATEGORICAL],
                            params=parameters)
    grown = lightgbm.train(parameters, data, TREES).model_to_string()
    # ONNX holds thresholds as float32. A float32 value is at most t just if it is at most the float32 below t.
    rounded = re.sub(r"(?m)^threshold=(.*)$", float32_thresholds, grown)
    # The sizes of the trees' texts are no longer true; LightGBM reads on without them.
    return lightgbm.Booster(model_str=re.sub(r"(?m)^tree_sizes=.*\n", "", rounded))


def float32_thresholds(line: re.Match) -> str:
    exact = np.array(line[1].split(), np.float64)
    near = exact.astype(np.float32)
    below = np.where(near > exact, np.nextafter(near, np.float32(-np.inf)), near)
    return "threshold=" + " ".join(repr(float(value)) for value in below)


def to_onnx(booster: lightgbm.Booster, metadata: dict[str, object]) -> onnx.ModelProto:
    inputs = [("features", FloatTensorType(["N", booster.num_feature()]))]
    model = convert_lightgbm(booster, "late", inputs, target_opset=OPSET, zipmap=False)
    for output, name in zip(model.graph.output, ["label", "probabilities"]):
        for node in model.graph.node:
            node.output[:] = [name if one == output.name else one for one in node.output]
        output.name = name
        output.type.tensor_type.shape.dim[0].dim_param = "N"
    helper.set_model_props(model, {name: json.dumps(value) for name, value in metadata.items()})
    onnx.checker.check_model(model, full_check=True)
    return model
