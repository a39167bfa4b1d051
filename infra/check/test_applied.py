"""infra/aws applied for real, by the real provider, to a stand-in: it is there as template.yaml has it, a second plan changes
nothing, and destroyed it leaves nothing."""

import gzip
import json
import os
import shutil
import subprocess
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

import pytest

import asked
import aws_command
import aws_names
import comparison
import correspondence
import deployments
import first_event
import terraform
from cloudformation import Stack

MOTO = terraform.ROOT / "target/stand-ins/moto/bin/python"
WAYS = ["defaults", "with mine"]
PROVIDER = 'provider "aws" {\n  s3_use_path_style = true\n}\n'
READ = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Action": "dynamodb:BatchGetItem", "Resource": "arn:aws:dynamodb:::table/mine"}],
}


@pytest.fixture(scope="module")
def stand_in():
    """moto's server, for as long as the tests of this file."""
    if not MOTO.exists():
        pytest.skip("moto is not installed (localstack/install)")
    command = [MOTO, terraform.INFRA / "check/moto_server.py"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as server:
        yield f"http://127.0.0.1:{int(server.stdout.readline())}"
        server.stdin.close()


@pytest.fixture(scope="module")
def client(stand_in):
    return asked.clients(stand_in, aws_names.REGION)


@pytest.fixture(scope="module")
def before(client):
    """What is there when nothing of ours is: what a deployment with things of yours names. And their names."""
    client("kinesis").create_stream(StreamName="flights", ShardCount=1)
    for arn in deployments.WITH_MINE["policy_arns"]:
        client("iam").create_policy(PolicyName=arn.split("/")[-1], PolicyDocument=json.dumps(READ))
    key = client("kms").create_key()["KeyMetadata"]["Arn"]
    return asked.everything(client), key


@dataclass
class Deployed:
    parameters: dict
    module: terraform.Terraform
    state: dict

    def values(self, type_name: str) -> dict:
        """Of the one resource of this type."""
        (values,) = [of["values"] for of in self.state["values"]["root_module"]["resources"] if of["type"] == type_name]
        return values

    def output(self, name: str) -> str:
        return self.state["values"]["outputs"][name]["value"]


@pytest.fixture(scope="module")
def deployed(terraform_is_here, mirrors, stand_in, before, tmp_path_factory) -> dict[str, Deployed]:
    """Each deployment, all made at the same time: most of it is waiting."""
    real = mirrors("aws")
    _, key = before
    # With data kept it could not be destroyed; of provisioned concurrency the stand-in knows nothing.
    ways = {
        "defaults": deployments.DEFAULTS | {"keep_data": False},
        "with mine": deployments.WITH_MINE | {"keep_data": False, "kms_key_arn": key, "provisioned_concurrency": 0},
    }

    scratch = {way: tmp_path_factory.mktemp("real") for way in ways}

    def deploy(way: str) -> Deployed:
        module = terraform.Terraform.with_mirrors("aws", scratch[way], real)
        module.env |= {
            "AWS_ENDPOINT_URL": stand_in,
            "AWS_REGION": aws_names.REGION,
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }
        (module.folder / "provider.tf").write_text(PROVIDER)
        module.assign(deployments.for_terraform(ways[way], module.folder))
        return Deployed(ways[way], module, module.init().apply())

    with ThreadPoolExecutor() as pool:
        return dict(zip(ways, pool.map(deploy, ways)))


@pytest.fixture
def wanted(expanded, deployed):
    """What template.yaml has of a kind, with the names that AWS, or its stand-in, made up this time."""

    def get(way: str, kind: str) -> list[dict]:
        stack = Stack(expanded(), deployments.for_sam(deployed[way].parameters))
        role = deployed[way].values("aws_iam_role")
        known = {
            aws_names.arn(aws_names.BY_TERRAFORM["aws_iam_role"], "made-up-iam-role"): role["arn"],
            "made-up-lambda-event-source-mapping": deployed[way].output("mapping_id"),
        }
        text = json.dumps(list(stack.of_type(kind).values()))
        for made_up, real in known.items():
            text = text.replace(json.dumps(made_up), json.dumps(real))
        return json.loads(text)

    return get


@pytest.mark.parametrize("way", WAYS)
def test_a_second_plan_changes_nothing(way, deployed):
    deployed[way].module.run("plan", "-input=false", "-no-color", "-detailed-exitcode")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", asked.KINDS)
def test_it_is_there_as_the_template_has_it(kind, way, wanted, client):
    resources = wanted(way, kind)
    assert resources
    for properties in resources:
        expected, told = comparison.flat(properties), comparison.flat(asked.KINDS[kind](client, properties))
        expected = {path: value for path, value in expected.items() if correspondence.one_sided(kind, path) is None}
        assert {path: told.get(path) for path in expected} == expected


@pytest.mark.parametrize("way", WAYS)
def test_the_role_may_do_what_the_template_lets_it(way, wanted, deployed, client):
    (properties,) = wanted(way, "AWS::IAM::Role")
    told = asked.role(client, deployed[way].values("aws_iam_role")["name"])
    assert comparison.flat(told) == comparison.flat(properties)


def test_the_first_event_arrives(deployed, client):
    made = deployed["defaults"]
    call = aws_command.read(made.output("first_event"))
    event = first_event.body(call.parameters["Data"])
    kinesis = client("kinesis")
    sent = kinesis.put_record(**call.parameters | {"Data": event})
    # By its name: the stand-in cannot read a stream by its ARN.
    stream, shard = made.output("stream_arn").split("/")[-1], sent["ShardId"]
    reader = kinesis.get_shard_iterator(StreamName=stream, ShardId=shard, ShardIteratorType="TRIM_HORIZON")
    (record,) = kinesis.get_records(ShardIterator=reader["ShardIterator"])["Records"]
    assert (record["Data"], record["PartitionKey"]) == (event, call.parameters["PartitionKey"])


def test_the_newest_decision_of_many_is_read(deployed, client, stand_in):
    for program in ("aws", "jq"):
        if not shutil.which(program):
            pytest.skip(f"{program} is not here")
    made, s3 = deployed["defaults"], client("s3")
    bucket = made.output("log_bucket")
    # The stand-in reads no condition and would take the policy for a plain no.
    s3.delete_bucket_policy(Bucket=bucket)

    def put(key: str) -> datetime:
        s3.put_object(Bucket=bucket, Key=f"decisions/{key}", Body=gzip.compress(key.encode()))
        return s3.head_object(Bucket=bucket, Key=f"decisions/{key}")["LastModified"]

    # More than a listing has at once, and the newest is on its first page.
    with ThreadPoolExecutor() as pool:
        latest = max(pool.map(put, (f"old-{number:04}" for number in range(1001))))
    while put("new") <= latest:
        pass
    read = subprocess.run(["bash", "-c", made.output("read_decision")], env=os.environ | made.module.env, capture_output=True)
    assert (read.stdout, read.returncode) == (b"new", 0), read.stderr.decode()


def test_destroyed_it_leaves_nothing(deployed, before, client):
    there, _ = before
    buckets = asked.everything(client)["buckets"]
    assert len(buckets) == 3 * len(deployed)
    # With something in each, as after a day's work. The stand-in reads no condition and would take the policy for a plain no.
    for name in buckets:
        client("s3").delete_bucket_policy(Bucket=name)
        client("s3").put_object(Bucket=name, Key="some/object", Body=b"{}")
    with ThreadPoolExecutor() as pool:
        made = [one.module for one in deployed.values()]
        list(pool.map(lambda module: module.run("destroy", "-input=false", "-no-color", "-auto-approve"), made))
    assert asked.everything(client) == there
