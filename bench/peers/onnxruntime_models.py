"""Runs models by onnxruntime on one thread, as it is told line by line: `MODEL DATA ROWS REPETITIONS`, between tabs. Answers each line
with thread-processor nanoseconds, one number per repetition. The data are a file of float32 rows of 20 columns, of which the model takes
the first, or a JSON file of tensors, whose rows begin again where they end."""

import json
import sys
import time

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
sessions = {}


def feed(session: onnxruntime.InferenceSession, data: str, rows: int) -> dict[str, numpy.ndarray]:
    if data.endswith(".f32"):
        [port] = session.get_inputs()
        table = numpy.fromfile(data, "<f4").reshape(-1, 20)
        return {port.name: again(table[:, : port.shape[1]], rows)}
    with open(data, encoding="utf-8") as file:
        tensors = json.load(file)["sets"][0]["tensors"]
    return {tensor["name"]: again(array(tensor), rows) for tensor in tensors}


def array(tensor: dict) -> numpy.ndarray:
    dtype = object if tensor["dtype"] == "string" else tensor["dtype"]
    return numpy.array(tensor["data"], dtype=dtype).reshape(tensor["shape"])


def again(table: numpy.ndarray, rows: int) -> numpy.ndarray:
    return numpy.ascontiguousarray(table[numpy.arange(rows) % len(table)])


print(onnxruntime.__version__, flush=True)
for line in sys.stdin:
    model, data, rows, repetitions = line.rstrip("\n").split("\t")
    if model not in sessions:
        sessions[model] = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    run = sessions[model].run
    given = feed(sessions[model], data, int(rows))
    times = []
    for _ in range(int(repetitions)):
        before = time.thread_time_ns()
        run(None, given)
        times.append(time.thread_time_ns() - before)
    print(" ".join(map(str, times)), flush=True)
