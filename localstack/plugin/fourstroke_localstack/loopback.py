"""LocalStack's gateway listens on all interfaces, whatever GATEWAY_LISTEN says. Here it listens on loopback."""

from functools import partial
from types import SimpleNamespace

from localstack.runtime.server import twisted
from twisted.internet import endpoints


def use() -> None:
    twisted.endpoints = SimpleNamespace(TCP4ServerEndpoint=partial(endpoints.TCP4ServerEndpoint, interface="127.0.0.1"))
