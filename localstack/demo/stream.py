"""Records of a Kinesis stream."""

from dataclasses import dataclass
from datetime import datetime

from flights import Event
from local_aws import Failed, LocalAws

# What PutRecords takes at a time.
RECORDS = 500


@dataclass(frozen=True)
class Record:
    data: bytes
    key: str
    arrived: datetime


def put(aws: LocalAws, stream: str, events: list[Event]) -> None:
    kinesis = aws.client("kinesis")
    for first in range(0, len(events), RECORDS):
        records = [{"Data": event.data, "PartitionKey": event.key} for event in events[first : first + RECORDS]]
        answer = kinesis.put_records(StreamARN=stream, Records=records)
        if answer["FailedRecordCount"]:
            raise Failed(f"{answer['FailedRecordCount']} records were not taken: {answer['Records']}")


def read(aws: LocalAws, stream: str) -> list[Record]:
    """All that a stream has now."""
    kinesis = aws.client("kinesis")
    records = []
    for shard in kinesis.list_shards(StreamARN=stream)["Shards"]:
        iterator = kinesis.get_shard_iterator(
            StreamARN=stream, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        while iterator:
            answer = kinesis.get_records(StreamARN=stream, ShardIterator=iterator)
            records += [
                Record(record["Data"], record["PartitionKey"], record["ApproximateArrivalTimestamp"])
                for record in answer["Records"]
            ]
            iterator = answer["NextShardIterator"] if answer["Records"] or answer["MillisBehindLatest"] else None
    return records
