"""Runs models by onnxruntime on one thread, as it is told line by line: `MODEL INPUT FEATURES DATA ROWS REPETITIONS`. Answers each line
with thread-processor nanoseconds, one number per repetition. The data are float32 rows of 20 columns."""

import os
import sys
import time

import numpy
import onnxruntime

options = onnxruntime.SessionOptions()
options.intra_op_num_threads = options.inter_op_num_threads = 1
sessions = {}

print(onnxruntime.__version__, flush=True)
for line in sys.stdin:
    model, name, features, data, rows, repetitions = line.rstrip("\n").split("\t")
    if model not in sessions:
        sessions[model] = onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
    table = numpy.fromfile(data, "<f4").reshape(-1, 20)[: int(rows), : int(features)]
    feed = {name: numpy.ascontiguousarray(table)}
    run = sessions[model].run
    times = []
    for _ in range(int(repetitions)):
        before = time.thread_time_ns()
        run(None, feed)
        times.append(time.thread_time_ns() - before)
    print(" ".join(map(str, times)), flush=True)
