"""The installation that all tests of this folder share."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv

import pytest
from installed import WHEELS, Clean, required


@pytest.fixture(scope="session")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Clean:
    (wheel,) = WHEELS.glob(f"*_{os.uname().machine}.whl")
    home = tmp_path_factory.mktemp("clean")
    venv.create(home / "venv", symlinks=True)
    made = Clean(home, wheel)
    site = made.home / f"venv/lib/python{sys.version_info[0]}.{sys.version_info[1]}/site-packages"
    for distribution in required(wheel):
        for file in distribution.files or ():
            if ".." not in file.parts and "__pycache__" not in file.parts:
                target = site / file
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(str(file.locate()), target)
    pip = [sys.executable, "-m", "pip", "--python", str(made.bin / "python"), "--disable-pip-version-check", "install"]
    subprocess.run([*pip, "-q", "--no-index", "--no-deps", str(wheel)], check=True)
    return made
