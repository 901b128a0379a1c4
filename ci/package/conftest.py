"""The installations that the tests of this folder share."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import packages
import pytest
from installed import Clean, install


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    return install(tmp_path_factory.mktemp("clean"))


@pytest.fixture(scope="session")
def with_guests(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Clean]:
    """The wheel with its extra `guests`. It is removed at the end: Zig has 20,000 files, 400 MB."""
    if missing := packages.absent():
        pytest.skip(f"no wheel of {', '.join(missing)} in {packages.FOLDER} (ci/package/packages.py downloads it)")
    home = tmp_path_factory.mktemp("guests")
    yield install(home, "[guests]", packages.FOLDER)
    shutil.rmtree(home)
