"""Where LocalStack finds this package: see the entry points in pyproject.toml."""

from localstack.runtime import hooks
from localstack.services.lambda_.invocation.plugins import RuntimeExecutorPlugin


class ProcessExecutorPlugin(RuntimeExecutorPlugin):
    """`LAMBDA_RUNTIME_EXECUTOR=process`."""

    name = "process"

    def load(self, *args, **kwargs):
        from fourstroke_localstack.executor import ProcessExecutor

        return ProcessExecutor


@hooks.on_infra_start()
def prepare() -> None:
    from fourstroke_localstack import loopback, npm_packages, objects

    loopback.use()
    npm_packages.use()
    objects.use()
