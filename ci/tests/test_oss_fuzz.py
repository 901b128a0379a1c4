"""The OSS-Fuzz project: its files have the form that OSS-Fuzz reads, and its build makes targets that run."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "ci/oss-fuzz"
CLANG = next((found for name in ("clang-22", "clang-21", "clang-20", "clang-19") if (found := shutil.which(name))), None)
TARGETS = sorted(path.stem for path in (ROOT / "runtime/fuzz").glob("fuzz_*.c") if path.stem not in ("fuzz_tiers", "fuzz_cache_code"))


def lists(text: str) -> dict[str, list[str]]:
    """The keys of project.yaml, each with its value or its list."""
    found: dict[str, list[str]] = {}
    key = ""
    for line in text.splitlines():
        if match := re.fullmatch(r"(\w+):(?: \"?([^\"]+)\"?)?", line):
            key = match[1]
            found[key] = [match[2]] if match[2] else []
        elif match := re.fullmatch(r"  - (\w+)", line):
            found[key].append(match[1])
        else:
            assert line.startswith("#"), line
    return found


def test_the_project_has_what_oss_fuzz_reads() -> None:
    project = lists((FOLDER / "project.yaml").read_text())
    assert project["language"] == ["c"]
    assert {"homepage", "main_repo", "primary_contact"} <= set(project)
    assert set(project["fuzzing_engines"]) <= {"libfuzzer", "afl", "honggfuzz", "centipede"}
    assert set(project["sanitizers"]) <= {"address", "undefined", "memory", "none"}
    assert "libfuzzer" in project["fuzzing_engines"] and "address" in project["sanitizers"]


def test_the_image_is_built_on_that_of_oss_fuzz_and_has_the_same_repository() -> None:
    text = (FOLDER / "Dockerfile").read_text()
    lines = [line for line in text.splitlines() if not line.startswith("#")]
    assert lines[0] == "FROM gcr.io/oss-fuzz-base/base-builder"
    assert lines[-1] == "COPY build.sh $SRC/"
    assert lists((FOLDER / "project.yaml").read_text())["main_repo"][0] in text


def test_the_script_is_a_program_without_mistakes_of_syntax() -> None:
    script = FOLDER / "build.sh"
    assert os.access(script, os.X_OK)
    assert subprocess.run(["bash", "-n", script], check=False).returncode == 0
    text = script.read_text()
    assert all(name in text for name in ("$OUT", "$CC", "$CXX", "$CFLAGS", "$LIB_FUZZING_ENGINE", "_seed_corpus.zip"))


def test_options_and_dictionaries_belong_to_targets() -> None:
    for path in sorted((ROOT / "runtime/fuzz/dictionaries").iterdir()):
        assert path.stem in TARGETS
        if path.suffix == ".options":
            assert path.read_text().startswith("[libfuzzer]\n")
        else:
            for line in path.read_text().splitlines():
                assert re.fullmatch(r'#.*|"(?:[ -\[\]-~]|\\[\\"]|\\x[0-9a-f]{2})+"', line), line


@pytest.mark.timeout(3600)
@pytest.mark.skipif(not os.environ.get("CI_LONG"), reason="minutes: CI_LONG=1")
@pytest.mark.skipif(CLANG is None, reason="clang is absent")
def test_the_build_makes_targets_that_run(tmp_path: Path) -> None:
    assert CLANG
    out = tmp_path / "out"
    out.mkdir()
    env = {**os.environ, "OUT": str(out), "SRC": str(tmp_path), "WORK": str(tmp_path), "CC": CLANG, "CXX": CLANG.replace("clang", "clang++"), "SANITIZER": "address",
           "CFLAGS": "-O1 -fno-omit-frame-pointer -gline-tables-only -fsanitize=address -fsanitize=fuzzer-no-link", "LIB_FUZZING_ENGINE": "-fsanitize=fuzzer"}  # fmt: skip
    done = subprocess.run([FOLDER / "build.sh"], cwd=ROOT, env=env, capture_output=True, text=True, check=False, timeout=3000)
    assert done.returncode == 0, done.stderr[-3000:]
    for name in TARGETS:
        seeds = tmp_path / "seeds" / name
        with zipfile.ZipFile(out / f"{name}_seed_corpus.zip") as packed:
            packed.extractall(tmp_path / "seeds")
        some = sorted(seeds.iterdir())[:60]
        assert some or name == "fuzz_record", name
        few = tmp_path / "few" / name
        few.mkdir(parents=True)
        for path in some:
            shutil.copy(path, few)
        command = [str(out / name), "-runs=0", "-timeout=60", "-close_fd_mask=3", str(few)]
        ran = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, timeout=600)
        assert ran.returncode == 0, f"{name}: {ran.stderr[-2000:]}"
