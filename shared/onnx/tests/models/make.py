"""Makes the models beside this file, each as people export it, with a few rows and what onnxruntime says of them.

    python make.py    # in an environment with requirements.txt

The format is that of the cases of a model zoo: model.onnx, inputs.json, outputs.json, meta.json.
"""

import itertools
import json
from pathlib import Path

import lightgbm
import numpy as np
import onnxruntime
from onnx import TensorProto, helper
from onnxmltools import convert_lightgbm
from onnxmltools.convert.common.data_types import FloatTensorType as LightGbmFloats
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType, StringTensorType
from sklearn.compose import ColumnTransformer
from sklearn.datasets import load_diabetes, load_iris
from sklearn.ensemble import GradientBoostingRegressor, RandomForestClassifier
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.naive_bayes import MultinomialNB
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import OneHotEncoder, StandardScaler
from sklearn.svm import SVC

HERE = Path(__file__).parent
ROWS = 8
random = np.random.default_rng(2013)


def main() -> None:
    iris, flowers = load_iris(return_X_y=True)
    names = np.array(["setosa", "versicolor", "virginica"])[flowers]
    iris = iris.astype(np.float32)
    pick = slice(None, None, len(iris) // ROWS)

    forest = RandomForestClassifier(10, max_depth=5, random_state=0).fit(iris, names)
    save("forest_of_names", to_onnx(forest, iris[:1]), {"X": iris[pick]})
    svm = make_pipeline(StandardScaler(), SVC(probability=True, random_state=0)).fit(iris, flowers)
    save("svm_in_a_pipeline", to_onnx(svm, iris[:1], options={"zipmap": False}), {"X": iris[pick]})
    save("naive_bayes", to_onnx(MultinomialNB().fit(iris, flowers), iris[:1], options={"zipmap": False}),
         {"X": iris[pick] * 100})
    diabetes, progress = load_diabetes(return_X_y=True)
    diabetes = diabetes.astype(np.float32)
    boosted = GradientBoostingRegressor(n_estimators=20, random_state=0).fit(diabetes, progress)
    save("boosted_regression", to_onnx(boosted, diabetes[:1]), {"X": diabetes[:ROWS]})

    categories_and_missing()
    columns_of_text_and_numbers()
    sentences()
    a_map()
    set_membership()
    two_classes()


def categories_and_missing() -> None:
    """Categories are whole numbers, missing numbers NaN."""
    x = np.column_stack([random.integers(0, 12, 2000), random.normal(size=2000), random.normal(size=2000)])
    x[random.random(2000) < 0.2, 1] = np.nan
    late = np.isin(x[:, 0], [1, 4, 7]) ^ (np.nan_to_num(x[:, 1], nan=1.0) > 0.5)
    model = lightgbm.LGBMClassifier(n_estimators=12, num_leaves=15, random_state=0, verbose=-1)
    model.fit(x, late.astype(int), categorical_feature=[0])
    exported = convert_lightgbm(model, initial_types=[("features", LightGbmFloats([None, 3]))], target_opset=15)
    x = x[:ROWS].astype(np.float32)
    x[-1] = [-1, np.nan, np.nan]
    save("lightgbm_categories", exported, {"features": x})


def columns_of_text_and_numbers() -> None:
    """One input per column, as a ColumnTransformer is exported."""
    import pandas as pd

    carriers, distances = random.choice(["AA", "B6", "UA"], 300), random.normal(900, 300, 300).astype(np.float32)
    delays = random.normal(10, 20, 300).astype(np.float32)
    table = pd.DataFrame({"carrier": carriers, "distance": distances, "delay": delays})
    late = (delays + 10 * (carriers == "B6") > 15).astype(int)
    encode = ColumnTransformer([("text", OneHotEncoder(handle_unknown="ignore"), ["carrier"]),
                                ("numbers", StandardScaler(), ["distance", "delay"])])
    model = make_pipeline(encode, LogisticRegression()).fit(table, late)
    types = [("carrier", StringTensorType([None, 1])), ("distance", FloatTensorType([None, 1])),
             ("delay", FloatTensorType([None, 1]))]
    rows = table[:ROWS].copy()
    rows.loc[0, "carrier"] = "??"
    save("columns_of_text_and_numbers", to_onnx(model, initial_types=types, options={"zipmap": False}),
         {name: rows[[name]].to_numpy() for name in table.columns})


def sentences() -> None:
    texts = np.array(["the flight was late", "late again, very late", "on time and friendly", "friendly crew, good food",
                      "lost my bag", "the bag was lost and the crew late", "good flight", "time flies"])
    model = make_pipeline(TfidfVectorizer(ngram_range=(1, 2), lowercase=False), LogisticRegression()).fit(texts, [1, 1, 0, 0, 1, 1, 0, 0])
    exported = to_onnx(model, initial_types=[("text", StringTensorType([None, 1]))], options={"zipmap": False})
    save("sentences", exported, {"text": texts[:, None]})


def a_map() -> None:
    value = helper.make_map_type_proto(TensorProto.STRING, helper.make_tensor_type_proto(TensorProto.FLOAT, []))
    vectorizer = helper.make_node("DictVectorizer", ["features"], ["row"], domain="ai.onnx.ml",
                                  string_vocabulary=["distance", "delay", "seats"])
    regressor = helper.make_node("LinearRegressor", ["row"], ["score"], domain="ai.onnx.ml", targets=1,
                                 coefficients=[0.001, 0.5, -0.01], intercepts=[2.0])
    graph = helper.make_graph([vectorizer, regressor], "map", [helper.make_value_info("features", value)],
                              [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 1])])
    save("a_map", model_of(graph, 1), {"features": {"delay": 12.0, "distance": 1400.0, "unheard of": 1.0}})


def set_membership() -> None:
    """The tree operator of version 5: is the first column 2, 5 or 8? Is the second at most 0.5?"""
    floats = lambda values: helper.make_tensor("", TensorProto.FLOAT, [len(values)], values)
    node = helper.make_node(
        "TreeEnsemble", ["x"], ["score"], domain="ai.onnx.ml", n_targets=2, aggregate_function=1, post_transform=0,
        tree_roots=[0], nodes_featureids=[0, 1], nodes_splits=floats([0.0, 0.5]),
        nodes_modes=helper.make_tensor("", TensorProto.UINT8, [2], [6, 0]),
        nodes_truenodeids=[1, 0], nodes_trueleafs=[0, 1], nodes_falsenodeids=[2, 1], nodes_falseleafs=[1, 1],
        leaf_targetids=[0, 1, 0], leaf_weights=floats([1.5, -2.5, 0.25]),
        membership_values=floats([2.0, 5.0, 8.0, float("nan")]))
    graph = helper.make_graph([node], "member", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 2])],
                              [helper.make_tensor_value_info("score", TensorProto.FLOAT, [None, 2])])
    save("set_membership", model_of(graph, 5), {"x": np.array([[2, 0], [5, 1], [3, 0], [8, 0.5]], np.float32)})


def two_classes() -> None:
    """Stumps of two classes: what leaves speak of, base values and transforms decide together what is written. Left out is one base
    value for leaves of which each speaks of another class: onnxruntime leaves a score unset then."""
    leaves = {
        "both": [{0: 0.3, 1: 0.9}, {0: 0.8, 1: -0.4}], "either": [{0: 0.6}, {1: 0.7}], "either_less": [{0: -0.6}, {1: -0.7}],
        "first": [{0: 0.6}, {0: -0.7}], "first_more": [{0: 0.6}, {0: 0.2}], "second": [{1: 0.6}, {1: -0.7}],
        "second_more": [{1: 0.6}, {1: 0.2}],
    }
    nodes, outputs = [], []
    for (said, stump), base, transform in itertools.product(
            leaves.items(), [[], [0.25], [0.25, -0.75], [-0.25, 2.0]], ["NONE", "LOGISTIC", "SOFTMAX"]):
        if said.startswith("either") and len(base) == 1:
            continue
        name = "_".join([said, *map(str, base), transform])
        weights = [(place, of, weight) for place, leaf in enumerate(stump, 1) for of, weight in leaf.items()]
        places, classes, numbers = zip(*weights)
        nodes.append(helper.make_node(
            "TreeEnsembleClassifier", ["x"], [f"label_{name}", f"scores_{name}"], domain="ai.onnx.ml",
            nodes_treeids=[0, 0, 0], nodes_nodeids=[0, 1, 2], nodes_modes=["BRANCH_LEQ", "LEAF", "LEAF"],
            nodes_featureids=[0, 0, 0], nodes_values=[0.0, 0.0, 0.0], nodes_truenodeids=[1, 0, 0],
            nodes_falsenodeids=[2, 0, 0], class_treeids=[0] * len(weights), class_nodeids=places, class_ids=classes,
            class_weights=numbers, classlabels_int64s=[0, 1], post_transform=transform,
            **({"base_values": base} if base else {})))
        outputs.append(helper.make_tensor_value_info(f"label_{name}", TensorProto.INT64, [None]))
        outputs.append(helper.make_tensor_value_info(f"scores_{name}", TensorProto.FLOAT, [None, 2]))
    graph = helper.make_graph(nodes, "two", [helper.make_tensor_value_info("x", TensorProto.FLOAT, [None, 1])], outputs)
    save("two_classes", model_of(graph, 3), {"x": np.array([[-1.0], [1.0], [0.0], [2.0]], np.float32)})


def model_of(graph, version: int):
    imports = [helper.make_opsetid("", 17), helper.make_opsetid("ai.onnx.ml", version)]
    return helper.make_model(graph, opset_imports=imports, ir_version=8)


def save(name: str, model, inputs: dict) -> None:
    folder = HERE / name
    folder.mkdir(exist_ok=True)
    content = model.SerializeToString(deterministic=True)
    (folder / "model.onnx").write_bytes(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    outputs = [output.name for output in session.get_outputs()]

    def said(feed: dict) -> list:
        return [written(*pair) for pair in zip(outputs, session.run(outputs, feed))]

    sets = {"all": inputs}
    if not any(isinstance(value, dict) for value in inputs.values()):
        sets["one"] = {name: value[:1] for name, value in inputs.items()}
    ids = list(sets)
    write(folder / "inputs.json", [[written(*pair) for pair in sets[id].items()] for id in ids], ids)
    write(folder / "outputs.json", [said(sets[id]) for id in ids], ids)
    ops = sorted({node.op_type for node in model.graph.node})
    meta = {"name": name, "ops": ops, "reference": {"onnxruntime": onnxruntime.__version__},
            "tolerance": {"rtol": 1e-4, "atol": 1e-5}}
    (folder / "meta.json").write_text(json.dumps(meta, indent=1) + "\n")


def write(path: Path, tensors: list, ids: list[str]) -> None:
    sets = [{"id": id, "tensors": of} for id, of in zip(ids, tensors)]
    path.write_text(json.dumps({"sets": sets}, separators=(",", ":")) + "\n")


def written(name: str, value) -> dict:
    """A tensor, a map, or a ZipMap's list of maps."""
    if isinstance(value, dict):
        return {"name": name, "kind": "map", "dtype": "float32", "shape": [len(value)], "keys": list(value),
                "data": [number(x) for x in value.values()]}
    if isinstance(value, list):
        keys = list(value[0])
        return {"name": name, "kind": "seq_map", "dtype": "float32", "shape": [len(value), len(keys)], "keys": keys,
                "data": [number(row[key]) for row in value for key in keys]}
    value = np.asarray(value)
    dtype = "string" if value.dtype.kind in "OU" else str(value.dtype)
    data = [x if dtype == "string" else number(x) for x in value.ravel().tolist()]
    return {"name": name, "kind": "tensor", "dtype": dtype, "shape": list(value.shape), "data": data}


def number(x):
    return x if isinstance(x, (int, bool)) or np.isfinite(x) else str(x)


if __name__ == "__main__":
    main()
