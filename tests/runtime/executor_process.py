"""One executor in a process of its own, to be killed: `python -m … FOLDER RUN_ID`."""

import os
import sys
from pathlib import Path

import django
from django.conf import settings

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "clusterpanel.settings")
settings.DATABASES["default"]["NAME"] = os.environ["TEST_DATABASE"]
django.setup()

from operations.runtime.executor import execute  # noqa: E402
from tests.fakes.local import LocalCluster  # noqa: E402
from tests.runtime.conftest import HOSTS, World  # noqa: E402

if __name__ == "__main__":
    execute(sys.argv[2], World(LocalCluster(Path(sys.argv[1]), *HOSTS)).ports)
