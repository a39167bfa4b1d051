"""The same with its idempotency around each record, remembered in the DynamoDB table IDEMPOTENCY_TABLE."""

import os

import orjson
from aws_lambda_powertools.utilities.idempotency import DynamoDBPersistenceLayer, IdempotencyConfig, idempotent_function
from botocore.config import Config
from powertools import act, logger, metrics, respond

# A stream repeats seldom, so a cache of its own would only be filled. A retried producer sends a flight under a new sequence number: the
# flight's id is what must not come twice.
config = IdempotencyConfig(event_key_jmespath="id", raise_on_no_idempotency_key=True)
store = DynamoDBPersistenceLayer(table_name=os.environ["IDEMPOTENCY_TABLE"], boto_config=Config(tcp_keepalive=True))


@idempotent_function(data_keyword_argument="event", config=config, persistence_store=store)
def act_once(event: dict) -> None:
    act(event)


def decide(record) -> None:
    act_once(event=orjson.loads(record.kinesis.data_as_bytes()))


@logger.inject_lambda_context
@metrics.log_metrics(capture_cold_start_metric=True)
def handler(event, context):
    config.register_lambda_context(context)
    return respond(event, decide, context)
