"""DynamoDB Local and kinesis-local as `localstack/install` put them into FOURSTROKE_STAND_INS: nothing is downloaded at run time."""

import os
from pathlib import Path

from localstack.packages.api import InstallTarget, PackageException
from localstack.services.dynamodb.packages import DynamoDBLocalPackage, DynamoDBLocalPackageInstaller
from localstack.services.dynamodb.server import DynamodbServer
from localstack.services.kinesis.packages import KinesisMockNodePackage, KinesisMockNodePackageInstaller


def _folder(name: str) -> str:
    return str(Path(os.environ["FOURSTROKE_STAND_INS"], name))


class _DynamoDBLocal(DynamoDBLocalPackageInstaller):
    def _get_install_dir(self, target: InstallTarget) -> str:
        return _folder("dynamodb")

    def _install(self, target: InstallTarget) -> None:
        raise PackageException("DynamoDB Local is not installed: localstack/install says why")

    def _prepare_installation(self, target: InstallTarget) -> None:
        pass

    def get_java_env_vars(self) -> dict[str, str]:
        # The jar is one of 2020: the machine's own Java will do.
        return {}


class _KinesisLocal(KinesisMockNodePackageInstaller):
    def _get_install_dir(self, target: InstallTarget) -> str:
        return _folder("kinesis")

    def _install(self, target: InstallTarget) -> None:
        raise PackageException("kinesis-local is not installed: localstack/install says why")


def use() -> None:
    DynamoDBLocalPackage._get_installer = lambda self, version: _DynamoDBLocal()
    KinesisMockNodePackage._get_installer = lambda self, version: _KinesisLocal(version)
    command = DynamodbServer._create_shell_command
    # The agent allows more indexes than a table of AWS may have, and is a download.
    DynamodbServer._create_shell_command = lambda self: [
        word for word in command(self) if not word.startswith("-javaagent:")
    ]
