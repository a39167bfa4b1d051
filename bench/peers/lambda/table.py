"""Makes the table in which fourstroke keeps state, once DynamoDB answers."""

import boto3
from botocore.config import Config

client = boto3.client("dynamodb", config=Config(retries={"total_max_attempts": 20, "mode": "standard"}))
keys = {"pk": "HASH", "sk": "RANGE"}
client.create_table(
    TableName="state",
    AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
    KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
    BillingMode="PAY_PER_REQUEST",
)
