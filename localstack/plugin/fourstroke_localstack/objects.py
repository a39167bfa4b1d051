"""S3 keeps objects in a folder that all LocalStacks of a machine share and none removes. Here they are with the rest it keeps."""

import os

from localstack.services.s3 import provider


def use() -> None:
    provider.DEFAULT_S3_TMP_DIR = os.path.join(os.environ["FOURSTROKE_LOCALSTACK"], "s3")
