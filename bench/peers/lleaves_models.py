"""Runs tree models compiled by lleaves (LLVM), in the protocol of onnxruntime_models.py. lleaves reads LightGBM's text only: an ONNX
ensemble with one target whose tests are all `x <= t` is written as such, and held against onnxruntime before it is timed. For any other
model the answer is `none`."""

import os
import sys
import tempfile
import time
from importlib.metadata import version

import lleaves
import numpy
import onnx
import onnxruntime

LEFT_WITHOUT_MISSING = 2
compiled = {}


def compile_model(path: str) -> lleaves.Model | None:
    text = lightgbm_text(onnx.load(path).graph)
    if text is None:
        return None
    with tempfile.NamedTemporaryFile("w", suffix=".txt", delete=False) as file:
        file.write(text)
    try:
        model = lleaves.Model(model_file=file.name)
        model.compile()
    finally:
        os.unlink(file.name)
    return model


def lightgbm_text(graph: onnx.GraphProto) -> str | None:
    ensembles = [node for node in graph.node if node.op_type.startswith("TreeEnsemble")]
    if len(ensembles) != 1:
        return None
    given = {a.name: onnx.helper.get_attribute_value(a) for a in ensembles[0].attribute}
    kind = "class" if "class_ids" in given else "target"
    if set(given.get("nodes_modes", [])) - {b"BRANCH_LEQ", b"LEAF"} or len(set(given.get(f"{kind}_ids", [0, 1]))) != 1:
        return None
    base = given.get("base_values", [0.0])
    weights = {}
    for tree, node, weight in zip(given[f"{kind}_treeids"], given[f"{kind}_nodeids"], given[f"{kind}_weights"]):
        weights[tree, node] = weight
    trees = {}
    for at, (tree, node) in enumerate(zip(given["nodes_treeids"], given["nodes_nodeids"])):
        trees.setdefault(tree, {})[node] = at
    columns = max(given["nodes_featureids"]) + 1
    objective = "binary sigmoid:1" if given.get("post_transform") == b"LOGISTIC" else "regression"
    lines = ["tree", "version=v4", "num_class=1", "num_tree_per_iteration=1", f"max_feature_idx={columns - 1}",
             f"objective={objective}", "feature_infos=" + " ".join(["[0:1]"] * columns), "tree_sizes=" + " ".join(["0"] * len(trees)), ""]
    for number, (tree, places) in enumerate(trees.items()):
        is_leaf = [given["nodes_modes"][at] == b"LEAF" for at in places.values()]
        index = {node: -1 - sum(is_leaf[:i]) if is_leaf[i] else i - sum(is_leaf[:i]) for i, node in enumerate(places)}
        inner = [at for at, leaf in zip(places.values(), is_leaf) if not leaf]
        leaves = [weights[tree, node] for node, leaf in zip(places, is_leaf) if leaf]
        if not inner or index[next(iter(places))] != 0:
            return None
        # The first tree carries what all are added to.
        leaves = [leaf + (base[0] if number == 0 else 0.0) for leaf in leaves]
        rows = {"split_feature": [given["nodes_featureids"][at] for at in inner],
                "threshold": [repr(float(given["nodes_values"][at])) for at in inner],
                "decision_type": [LEFT_WITHOUT_MISSING] * len(inner),
                "left_child": [index[given["nodes_truenodeids"][at]] for at in inner],
                "right_child": [index[given["nodes_falsenodeids"][at]] for at in inner],
                "leaf_value": [repr(float(leaf)) for leaf in leaves]}
        lines += [f"Tree={number}", f"num_leaves={len(leaves)}", "num_cat=0"]
        lines += [f"{name}={' '.join(map(str, row))}" for name, row in rows.items()] + [""]
    return "\n".join([*lines, "end of trees", "", "pandas_categorical:null", ""])


def check(path: str, model: lleaves.Model, table: numpy.ndarray) -> None:
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    [port] = session.get_inputs()
    answers = session.run(None, {port.name: table[:, : port.shape[1]]})
    expected = answers[1][:, 1] if len(answers) > 1 else answers[0][:, 0]
    numpy.testing.assert_allclose(model.predict(table[:, : model.num_feature()], n_jobs=1), expected, rtol=1e-3, atol=1e-5)


print(version("lleaves"), flush=True)
for line in sys.stdin:
    path, data, rows, repetitions = line.rstrip("\n").split("\t")
    table = numpy.fromfile(data, "<f4").reshape(-1, 20) if data.endswith(".f32") else None
    if path not in compiled:
        compiled[path] = None if table is None else compile_model(path)
        if compiled[path] is not None:
            check(path, compiled[path], table)
    model = compiled[path]
    if model is None:
        print("none", flush=True)
        continue
    given = numpy.ascontiguousarray(table[numpy.arange(int(rows)) % len(table)][:, : model.num_feature()])
    times = []
    for _ in range(int(repetitions)):
        before = time.thread_time_ns()
        model.predict(given, n_jobs=1)
        times.append(time.thread_time_ns() - before)
    print(" ".join(map(str, times)), flush=True)
