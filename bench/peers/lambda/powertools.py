"""The handler that Powertools for AWS Lambda documents for a stream: its batch processor calls one function a record, its logger and
metrics go around the whole."""

import orjson
from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from aws_lambda_powertools.utilities.batch import BatchProcessor, EventType, process_partial_response
from decide import finish, look_up

processor = BatchProcessor(event_type=EventType.KinesisDataStreams)
logger = Logger(service="flights", json_serializer=lambda entry: orjson.dumps(entry).decode())
metrics = Metrics(namespace="flights", service="flights")


def act(event: dict) -> None:
    _, actions = finish([look_up(event)], 1)
    if actions:
        metrics.add_metric(name="Rebookings", unit=MetricUnit.Count, value=len(actions))


def decide(record) -> None:
    # Its data_as_json() takes the standard library's slower decoder.
    act(orjson.loads(record.kinesis.data_as_bytes()))


def respond(event, record_handler, context):
    # A line and a value a batch: a record's own would cost more than its decision.
    logger.info("flights", extra={"records": len(event["Records"])})
    metrics.add_metric(name="Flights", unit=MetricUnit.Count, value=len(event["Records"]))
    return process_partial_response(event=event, record_handler=record_handler, processor=processor, context=context)


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    return respond(event, decide, context)
