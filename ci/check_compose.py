#!/usr/bin/env python3
"""Checks that fixtures/built/compose is what its CHECKSUMS says."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.exit(subprocess.run([sys.executable, str(ROOT / "fixtures/compose.py"), "--check"], cwd=ROOT, check=False).returncode)
