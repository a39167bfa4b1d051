"""A function that does what its event says; INIT says how it starts."""

import http.client
import json
import os
import subprocess
import sys
import time

api = os.environ["AWS_LAMBDA_RUNTIME_API"]


def call(method, path, body=None):
    connection = http.client.HTTPConnection(api)
    connection.request(method, f"/2018-06-01/runtime/{path}", body)
    return connection.getresponse()


match os.environ.get("INIT"):
    case "exit":
        print("the pipeline file has a mistake", flush=True)
        sys.exit(2)
    case "error":
        call("POST", "init/error", '{"errorType": "Mistake", "errorMessage": "in the pipeline file"}')
        time.sleep(60)

while True:
    invocation = call("GET", "invocation/next")
    id = invocation.headers["Lambda-Runtime-Aws-Request-Id"]
    event = json.load(invocation)
    print("asked for", json.dumps(event), flush=True)
    match event["do"]:
        case "answer":
            answer = {
                "pid": os.getpid(),
                "environment": dict(os.environ),
                "left_ms": int(invocation.headers["Lambda-Runtime-Deadline-Ms"]) - time.time() * 1000,
                "arn": invocation.headers["Lambda-Runtime-Invoked-Function-Arn"],
            }
            time.sleep(event.get("after", 0))
            call("POST", f"invocation/{id}/response", json.dumps(answer)).read()
        case "too much":
            refused = call("POST", f"invocation/{id}/response", b"0" * 7_000_000)
            print("answered", refused.status, flush=True)
        case "error":
            call("POST", f"invocation/{id}/error", '{"errorType": "Fatal", "errorMessage": "no such table"}').read()
        case "exit":
            sys.exit(event["code"])
        case "leave a child and die":
            print("its pid is", subprocess.Popen(["sleep", "600"]).pid, flush=True)
            os.kill(os.getpid(), 9)
        case "sleep":
            time.sleep(600)
