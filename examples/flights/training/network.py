"""A small network that takes raw columns: encoding and imputing happen inside, in Python and in ONNX alike."""

import json
import warnings

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper
from sklearn.exceptions import ConvergenceWarning
from sklearn.neural_network import MLPClassifier

# A reading far outside what training saw must not swing the answer without bound.
CLIP = 5.0


class Network:
    """One-hot for the categorical columns, which come first; median, scale and clip for the rest; then an MLP."""

    def __init__(self, sizes: list[int], hidden: tuple[int, ...], epochs: int, alpha: float, seed: int):
        self.sizes = sizes
        self.mlp = MLPClassifier(hidden, alpha=alpha, batch_size=1024, learning_rate_init=1e-3, max_iter=epochs,
                                 random_state=seed, tol=0.0, n_iter_no_change=epochs)

    def fit(self, x: np.ndarray, late: np.ndarray) -> "Network":
        numbers = x[:, len(self.sizes):]
        self.median = np.nanmedian(numbers, axis=0).astype(np.float32)
        filled = np.where(np.isnan(numbers), self.median, numbers)
        self.mean = filled.mean(axis=0, dtype=np.float64).astype(np.float32)
        self.scale = filled.std(axis=0, dtype=np.float64).astype(np.float32)
        with warnings.catch_warnings():
            # The number of epochs is chosen, not run until nothing changes.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self.mlp.fit(self.encode(x), late.astype(np.int64))
        return self

    def probability(self, x: np.ndarray) -> np.ndarray:
        return self.mlp.predict_proba(self.encode(x))[:, 1]

    def encode(self, x: np.ndarray) -> np.ndarray:
        hot = [x[:, i:i + 1] == np.arange(size, dtype=np.float32) for i, size in enumerate(self.sizes)]
        numbers = x[:, len(self.sizes):]
        filled = np.where(np.isnan(numbers), self.median, numbers)
        scaled = np.clip((filled - self.mean) / self.scale, -CLIP, CLIP)
        return np.hstack([*hot, scaled]).astype(np.float32)

    def onnx(self, metadata: dict[str, object]) -> onnx.ModelProto:
        """Standard operators only, so that any ONNX runtime can load it."""
        nodes, constants = [], []

        def constant(name: str, value: np.ndarray) -> str:
            constants.append(numpy_helper.from_array(value, name))
            return name

        def node(operator: str, inputs: list[str], output: str, **attributes) -> str:
            nodes.append(helper.make_node(operator, inputs, [output], **attributes))
            return output

        encoded = []
        for i, size in enumerate(self.sizes):
            place = node("Gather", ["features", constant(f"column_{i}", np.array([i]))], f"place_{i}", axis=1)
            places = constant(f"places_{i}", np.arange(size, dtype=np.float32)[None, :])
            same = node("Equal", [place, places], f"same_{i}")
            encoded.append(node("Cast", [same], f"hot_{i}", to=TensorProto.FLOAT))
        width = len(self.sizes) + len(self.median)
        start, end = constant("start", np.array([len(self.sizes)])), constant("end", np.array([width]))
        numbers = node("Slice", ["features", start, end, constant("axis", np.array([1]))], "numbers")
        unknown = node("IsNaN", [numbers], "unknown")
        filled = node("Where", [unknown, constant("median", self.median[None, :]), numbers], "filled")
        centred = node("Sub", [filled, constant("mean", self.mean[None, :])], "centred")
        scaled = node("Div", [centred, constant("scale", self.scale[None, :])], "scaled")
        low, high = constant("low", np.float32(-CLIP)), constant("high", np.float32(CLIP))
        encoded.append(node("Clip", [scaled, low, high], "clipped"))
        layer = node("Concat", encoded, "encoded", axis=1)
        last = len(self.mlp.coefs_) - 1
        for i, (weight, bias) in enumerate(zip(self.mlp.coefs_, self.mlp.intercepts_)):
            weight = constant(f"weight_{i}", weight.astype(np.float32))
            bias = constant(f"bias_{i}", bias.astype(np.float32))
            layer = node("Gemm", [layer, weight, bias], f"layer_{i}")
            layer = node("Relu" if i < last else "Sigmoid", [layer], f"activation_{i}")
        in_time = node("Sub", [constant("one", np.float32(1)), layer], "in_time")
        node("Concat", [in_time, layer], "probabilities", axis=1)
        node("ArgMax", ["probabilities"], "label", axis=1, keepdims=0)

        graph = helper.make_graph(
            nodes, "late",
            [helper.make_tensor_value_info("features", TensorProto.FLOAT, ["N", width])],
            [helper.make_tensor_value_info("label", TensorProto.INT64, ["N"]),
             helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, ["N", 2])],
            constants)
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8,
                                  producer_name="fourstroke flights example")
        helper.set_model_props(model, {name: json.dumps(value) for name, value in metadata.items()})
        onnx.checker.check_model(model, full_check=True)
        return model
