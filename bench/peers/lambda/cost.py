"""Counts what a million decisions ask of AWS's services: cost.py --rie RIE --bootstrap BOOTSTRAP PIPELINE...

The handler runs behind the emulator; the services are one server here that takes everything, finds nothing, and counts. Units of
DynamoDB are as its documentation counts them: a kilobyte begun per write, four per read that is consistent, half of that else.
"""

import argparse
import base64
import collections
import json
import os
import statistics
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from drive import Peer, Stream

MEMORY_GB = 1769 / 1024  # with which a function has one processor
MILLION = 1_000_000


class Services(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    counts: collections.Counter = collections.Counter()
    lock = threading.Lock()

    def log_message(self, *_):
        pass

    def take(self):
        body = self.rfile.read(int(self.headers.get("content-length", 0)))
        target = self.headers.get("x-amz-target", "S3 puts").rpartition(".")[2]
        answer, units = {}, collections.Counter({target: 1})
        if target == "BatchGetItem":
            [(table, asked)] = json.loads(body)["RequestItems"].items()
            units["read units"] = len(asked["Keys"]) * (1 if asked.get("ConsistentRead") else 0.5)
            answer = {"Responses": {table: []}, "UnprocessedKeys": {}}
        elif target == "PutItem":
            units["write units"] = -(-size(json.loads(body)["Item"]) // 1024)
        elif target == "PutRecords":
            records = json.loads(body)["Records"]
            units["records put"] = len(records)
            answer = {"FailedRecordCount": 0, "Records": [{"SequenceNumber": "1", "ShardId": "shardId-000000000000"}] * len(records)}
        with self.lock:
            self.counts.update(units)
        text = b"" if target == "S3 puts" else json.dumps(answer).encode()
        self.send_response(200)
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    do_POST = do_PUT = take


def size(item: dict) -> int:
    def of(value: dict) -> int:
        [(kind, said)] = value.items()
        return len(base64.b64decode(said)) if kind == "B" else len(said.encode())

    return sum(len(name) + of(value) for name, value in item.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rie", required=True)
    parser.add_argument("--bootstrap", required=True)
    parser.add_argument("--batch", type=int, nargs="+", default=[100, 1000])
    parser.add_argument("--records", type=int, default=20_000)
    parser.add_argument("pipeline", nargs="+")
    given = parser.parse_args()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Services)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    env = os.environ | {"AWS_ACCESS_KEY_ID": "local", "AWS_SECRET_ACCESS_KEY": "local", "AWS_REGION": "eu-west-1",
                        "AWS_LAMBDA_FUNCTION_TIMEOUT": "900", "AWS_ENDPOINT_URL": f"http://127.0.0.1:{server.server_port}"}
    for pipeline in given.pipeline:
        stream = Stream()
        peer = Peer(given.rie, pipeline, given.bootstrap, env | {"PIPELINE": pipeline})
        peer.connect()
        for batch in given.batch:
            peer.post_all(stream.bodies(2, batch), 60)
            Services.counts.clear()
            bodies = stream.bodies(given.records // batch, batch)
            took = peer.post_all(bodies, 600)
            per = MILLION / (len(took) * batch)
            sheet = {"invocations": MILLION // batch, "GB-s": statistics.median(took) / 1000 * MEMORY_GB * MILLION / batch}
            sheet |= {name: count * per for name, count in sorted(Services.counts.items())}
            print(f"{os.path.basename(pipeline)}, batches of {batch}: "
                  + ", ".join(f"{name} {count:,.0f}" for name, count in sheet.items()))
        peer.stop()


if __name__ == "__main__":
    main()
