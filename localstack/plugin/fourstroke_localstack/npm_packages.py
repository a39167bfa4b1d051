"""DynamoDB Local and kinesis-local as `localstack/install` put them into FOURSTROKE_STAND_INS: nothing is downloaded at run
time. Both would listen on all interfaces; here they listen on loopback."""

import os
from pathlib import Path

from localstack.packages.api import InstallTarget, PackageException
from localstack.services.dynamodb.packages import DynamoDBLocalPackage, DynamoDBLocalPackageInstaller
from localstack.services.dynamodb.server import DynamodbServer
from localstack.services.kinesis.kinesis_mock_server import KinesisMockNodeServer
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


def _beside(name: str) -> str:
    return str(Path(__file__).with_name(name))


def _dynamodb_command(self: DynamodbServer) -> list[str]:
    return [
        "java",
        f"-Xmx{self.heap_size}",
        f"-Djava.library.path={self.library_path}",
        "-Dorg.eclipse.jetty.LEVEL=WARN",
        f"-Dport={self.port}",
        "-cp",
        self.jar_path,
        "org.eclipse.jetty.xml.XmlConfiguration",
        _beside("dynamodb.xml"),
    ]


def use() -> None:
    DynamoDBLocalPackage._get_installer = lambda self, version: _DynamoDBLocal()
    KinesisMockNodePackage._get_installer = lambda self, version: _KinesisLocal(version)
    DynamodbServer._create_shell_command = _dynamodb_command
    kinesis_command = KinesisMockNodeServer._create_shell_command

    def on_loopback(self: KinesisMockNodeServer) -> tuple[list, dict]:
        (node, *rest), environment = kinesis_command(self)
        return [node, "--require", _beside("loopback.js"), *rest], environment

    KinesisMockNodeServer._create_shell_command = on_loopback
