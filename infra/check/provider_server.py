"""A Terraform provider that is nothing but a schema: Terraform validates, plans and tests against it as against the real one.

It speaks the plug-in protocol, version 6, inside this process; Terraform finds it by TF_REATTACH_PROVIDERS. What the real
provider would compute is unknown in a plan and made up at apply: nothing outside is made, changed or asked.
"""

import json
import os
from collections.abc import Callable
from concurrent import futures

import grpc
import msgpack
from tf.gen import tfplugin_pb2 as protocol
from tf.gen import tfplugin_pb2_grpc as service

UNKNOWN = msgpack.ExtType(0, b"\0")
NESTING = {mode: getattr(protocol.Schema.NestedBlock, mode.upper()) for mode in ("single", "list", "set", "map")}
# Made-up value of a computed attribute: of which type of resource or data source, which attribute, given the others. None: no
# particular one.
Answers = Callable[[str, str, dict], object]


class SchemaServer:
    """Providers by name, served until `stop`. `reattach` is what TF_REATTACH_PROVIDERS wants to hear."""

    def __init__(self, schemas: dict[str, dict], answers: Answers = lambda kind, attribute, values: None):
        self.servers = []
        self.reattach = {}
        for name, schema in schemas.items():
            # The default limit of a message is 4 MiB, about a schema's size.
            server = grpc.server(futures.ThreadPoolExecutor(4), options=[("grpc.max_send_message_length", -1)])
            service.add_ProviderServicer_to_server(_Provider(schema, answers), server)
            port = server.add_insecure_port("127.0.0.1:0")
            server.start()
            self.servers.append(server)
            self.reattach[f"hashicorp/{name}"] = {
                "Protocol": "grpc",
                "ProtocolVersion": 6,
                "Pid": os.getpid(),
                # Terraform does not end this process when it is done.
                "Test": True,
                "Addr": {"Network": "tcp", "String": f"127.0.0.1:{port}"},
            }

    def stop(self):
        for server in self.servers:
            server.stop(grace=None)


class _Provider(service.ProviderServicer):
    def __init__(self, schema: dict, answers: Answers):
        self.schema = schema
        self.answers = answers
        self.response = protocol.GetProviderSchema.Response(
            provider=_schema(schema["provider"]),
            resource_schemas={name: _schema(of) for name, of in schema["resource_schemas"].items()},
            data_source_schemas={name: _schema(of) for name, of in schema["data_source_schemas"].items()},
        )

    def GetProviderSchema(self, request, context):
        return self.response

    # Terraform itself has compared the configuration with the schema before it asks.
    def ValidateProviderConfig(self, request, context):
        return protocol.ValidateProviderConfig.Response()

    def ValidateResourceConfig(self, request, context):
        return protocol.ValidateResourceConfig.Response()

    def ValidateDataResourceConfig(self, request, context):
        return protocol.ValidateDataResourceConfig.Response()

    def ConfigureProvider(self, request, context):
        return protocol.ConfigureProvider.Response()

    def StopProvider(self, request, context):
        return protocol.StopProvider.Response()

    def UpgradeResourceState(self, request, context):
        return protocol.UpgradeResourceState.Response(upgraded_state=protocol.DynamicValue(json=request.raw_state.json))

    def ReadResource(self, request, context):
        return protocol.ReadResource.Response(new_state=request.current_state)

    def PlanResourceChange(self, request, context):
        planned = _decode(request.proposed_new_state)
        is_new = _decode(request.prior_state) is None
        if planned is not None and is_new:
            _compute(self._block("resource_schemas", request.type_name), planned, lambda name, attribute: UNKNOWN)
        return protocol.PlanResourceChange.Response(planned_state=_encode(planned))

    def ApplyResourceChange(self, request, context):
        values = _decode(request.planned_state)
        if values is not None:
            self._make_up("resource_schemas", request.type_name, values)
        return protocol.ApplyResourceChange.Response(new_state=_encode(values))

    def ReadDataSource(self, request, context):
        values = _decode(request.config)
        self._make_up("data_source_schemas", request.type_name, values)
        return protocol.ReadDataSource.Response(state=_encode(values))

    def _block(self, kind: str, name: str) -> dict:
        return self.schema[kind][name]["block"]

    def _make_up(self, kind: str, type_name: str, values: dict):
        def made_up(name, attribute):
            answer = self.answers(type_name, name, values)
            if answer is not None:
                return answer
            # What one may set and did not is the provider's default, which the schema does not know.
            return None if attribute.get("optional") else _placeholder(attribute["type"], f"{type_name}.{name}")

        _compute(self._block(kind, type_name), values, made_up)


def _compute(block: dict, values: dict, value: Callable[[str, dict], object]):
    """Puts `value` wherever an attribute is computed and has none."""
    for name, attribute in block["attributes"].items():
        if attribute.get("computed") and (values.get(name) is None or isinstance(values[name], msgpack.ExtType)):
            values[name] = value(name, attribute)
    for name, nested in block["block_types"].items():
        inner = values.get(name)
        inner = inner.values() if isinstance(inner, dict) and nested["nesting_mode"] == "map" else inner
        for one in [inner] if isinstance(inner, dict) else inner or []:
            if isinstance(one, dict):
                _compute(nested["block"], one, value)


def _placeholder(of, name: str):
    if isinstance(of, list):
        if of[0] == "object":
            return {key: _placeholder(inner, f"{name}.{key}") for key, inner in of[1].items()}
        return {} if of[0] == "map" else []
    return {"string": name, "number": 1, "bool": False}.get(of)


def _decode(value):
    return msgpack.unpackb(value.msgpack, raw=False, strict_map_key=False)


def _encode(value):
    return protocol.DynamicValue(msgpack=msgpack.packb(value))


def _schema(of: dict):
    return protocol.Schema(version=of["version"], block=_block(of["block"]))


def _block(block: dict):
    return protocol.Schema.Block(
        attributes=[
            protocol.Schema.Attribute(
                name=name,
                type=json.dumps(of["type"]).encode(),
                required=of.get("required", False),
                optional=of.get("optional", False),
                computed=of.get("computed", False),
            )
            for name, of in block["attributes"].items()
        ],
        block_types=[
            protocol.Schema.NestedBlock(
                type_name=name,
                block=_block(of["block"]),
                nesting=NESTING[of["nesting_mode"]],
                min_items=of.get("min_items", 0),
                max_items=of.get("max_items", 0),
            )
            for name, of in block["block_types"].items()
        ],
    )
