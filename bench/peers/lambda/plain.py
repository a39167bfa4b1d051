"""A handler with nothing around it: one loop, each model called once a batch, and no library but those that do the work."""

from binascii import a2b_base64

import orjson
from decide import finish, look_up


def handler(event, context):
    flights, failures = [], []
    records = event["Records"]
    for record in records:
        kinesis = record["kinesis"]
        try:
            flights.append(look_up(orjson.loads(a2b_base64(kinesis["data"]))))
        except Exception:
            # A shard is replayed from its lowest failure on: what comes after would be done twice.
            failures.append({"itemIdentifier": kinesis["sequenceNumber"]})
            break
    finish(flights, len(records))
    return {"batchItemFailures": failures}
