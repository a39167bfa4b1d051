"""moto's server, a stand-in of AWS, on a free port of this machine. Prints the port; ends when its input does.

Run by the Python that has moto. Two answers of Lambda's that moto forgets are put right, or Terraform would find something to
change in what it has just made.
"""

import os
import sys
import threading

from moto.awslambda.models import EventSourceMapping, LambdaBackend, LambdaFunction
from moto.moto_server.werkzeug_app import DomainDispatcherApplication, create_backend_app
from werkzeug.serving import make_server


def keep_logging_config():
    """A function's LoggingConfig."""
    made, told = LambdaFunction.__init__, LambdaFunction.get_configuration

    def make(self, account_id, spec, *rest, **named):
        made(self, account_id, spec, *rest, **named)
        self.logging_config = spec.get("LoggingConfig")

    def tell(self, *arguments, **named):
        return told(self, *arguments, **named) | ({"LoggingConfig": self.logging_config} if self.logging_config else {})

    LambdaFunction.__init__, LambdaFunction.get_configuration = make, tell


def keep_alias():
    """The alias that a mapping invokes; moto says which version that is."""
    made = EventSourceMapping.__init__

    def make(self, spec, *rest, **named):
        made(self, spec, *rest, **named)
        if spec.get("FunctionName", "").startswith("arn:"):
            self.function_arn = spec["FunctionName"]

    EventSourceMapping.__init__ = make


def invoke_nothing():
    """A record on a mapped stream would start the function, in Docker."""
    LambdaBackend.send_kinesis_message = lambda self, **message: None


def end_with_input():
    sys.stdin.read()
    os._exit(0)


if __name__ == "__main__":
    keep_logging_config()
    keep_alias()
    invoke_nothing()
    server = make_server("127.0.0.1", 0, DomainDispatcherApplication(create_backend_app), threaded=True)
    print(server.server_port, flush=True)
    threading.Thread(target=end_with_input, daemon=True).start()
    server.serve_forever()
