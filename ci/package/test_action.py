"""The action of GitHub and the template of GitLab: their shell steps, on a runtime that got worse."""

from __future__ import annotations

import http.server
import json
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

import pytest
import yaml
from installed import Clean
from test_new_user import runtime
from workflow import ACTION, ROOT, Job

CASES = "p2/cli/environment --no-smoke -r mine -j 2"
BROKEN = "cli.environment.get-environment.value"
GH = """#!/bin/sh
# what the action asks GitHub for: the first of two runs has no artifact
echo "$@" >> "$FAKE/calls"
case "$1 $2" in
"run list") printf '11\\n12\\n' ;;
"run download")
    [ "$3" = 12 ] && [ -f "$FAKE/artifact.jsonl" ] || exit 1
    while [ "$1" != --dir ]; do shift; done
    mkdir -p "$2" && cp "$FAKE/artifact.jsonl" "$2/results.jsonl" ;;
"api --paginate") cat "$FAKE/comment-id" 2> /dev/null || true ;;
"api --method")
    [ ! -e "$FAKE/no-token" ] || exit 1
    for word in "$@"; do case $word in body=@*) cp "${word#body=@}" "$FAKE/body" ;; esac; done ;;
esac
"""


@pytest.fixture(scope="module")
def repository(clean: Clean, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A user's repository with a good runtime, and a record of it that is all green."""
    folder = tmp_path_factory.mktemp("repository")
    runtime(clean, folder)
    line = "./build/mine run {env} {options} {dirs} {component} {args}"
    clean.run("assay", "init", "--name", "mine", "--command", line, cwd=folder)
    clean.run("assay", "run", *CASES.split(), "--output", folder / "good", cwd=folder)
    yield folder


def job(clean: Clean, folder: Path, event: str = "pull_request") -> Job:
    """A job whose `gh` is a fake, which keeps what it is asked for in fake/."""
    fake = folder / "fake"
    (fake / "bin").mkdir(parents=True)
    (fake / "bin/gh").write_text(GH)
    (fake / "bin/gh").chmod(0o755)
    variables = {**clean.variables, "FAKE": str(fake)}
    variables["PATH"] = f"{fake / 'bin'}:{variables['PATH']}"
    names = {"event_name": event, "repository": "o/r", "workflow": "WASI", "token": "t", "base_ref": "main"}
    return Job(folder / "temp", variables, {**names, "event.pull_request.number": "7"})


def worse(clean: Clean, repository: Path, folder: Path) -> Path:
    """A copy of the repository whose runtime got worse."""
    shutil.copytree(repository, folder / "worse")
    runtime(clean, folder / "worse", worse=True)
    return folder / "worse"


GIVEN = {"arguments": CASES, "package": "", "python_version": ""}


def test_without_a_baseline_the_expectations_judge(clean: Clean, repository: Path, tmp_path: Path) -> None:
    good = job(clean, tmp_path / "good")
    assert good.run(repository, **GIVEN) == 0, good.log
    assert good.outputs["steps.run.outputs.status"] == "0" and good.outputs["steps.baseline.outputs.record"] == ""
    assert "mine" in good.summary
    assert (tmp_path / "good/fake/body").read_text().startswith("<!-- assay: assay -->\n")
    assert "POST repos/o/r/issues/7/comments" in (tmp_path / "good/fake/calls").read_text()
    bad = job(clean, tmp_path / "bad")
    assert bad.run(worse(clean, repository, tmp_path), **GIVEN) == 1
    assert BROKEN in bad.summary and "Results differ from the expectations" in bad.log


def test_a_regression_fails_and_is_in_the_comment(clean: Clean, repository: Path, tmp_path: Path) -> None:
    here = job(clean, tmp_path)
    shutil.copyfile(repository / "good/results.jsonl", tmp_path / "fake/artifact.jsonl")
    (tmp_path / "fake/comment-id").write_text("99\n")
    status = here.run(worse(clean, repository, tmp_path), **GIVEN, baseline="artifact", fail_on="regression")
    assert status == 1, here.log
    assert here.outputs["steps.compare.outputs.status"] == "1"
    body = (tmp_path / "fake/body").read_text()
    assert BROKEN in body and body.startswith("<!-- assay: assay -->\n") and len(body) <= 65536
    assert BROKEN in here.summary
    calls = (tmp_path / "fake/calls").read_text()
    assert "PATCH repos/o/r/issues/comments/99" in calls and "POST" not in calls  # the comment from before


def test_what_fails_the_job_can_be_chosen(clean: Clean, repository: Path, tmp_path: Path) -> None:
    baseline = str(repository / "good/results.jsonl")
    bad = worse(clean, repository, tmp_path)
    here = job(clean, tmp_path / "nothing")
    (tmp_path / "nothing/fake/no-token").touch()
    assert here.run(bad, **GIVEN, baseline=baseline, fail_on="nothing") == 0, here.log
    assert "::warning::The comment cannot be written" in here.log
    # what was known before is no regression
    shutil.copyfile(bad / "reports/latest/results.jsonl", tmp_path / "old.jsonl")
    here = job(clean, tmp_path / "same")
    assert here.run(bad, **GIVEN, baseline=str(tmp_path / "old.jsonl"), fail_on="regression", comment="false") == 0
    assert not (tmp_path / "same/fake/body").exists()
    here = job(clean, tmp_path / "typo")
    assert here.run(bad, **GIVEN, fail_on="regressions") == 2


def test_a_profile_that_is_not_certified_fails_the_job(clean: Clean, repository: Path, tmp_path: Path) -> None:
    here = job(clean, tmp_path)
    (tmp_path / "fake/bin/assay").write_text(
        f'#!/bin/sh\n[ "$1" = certify ] || exec {clean.bin}/assay "$@"\necho "$@" >> "$FAKE/calls"; exit "$(cat "$FAKE/status")"\n'
    )
    (tmp_path / "fake/bin/assay").chmod(0o755)
    for status, wanted in (("0", 0), ("1", 1), ("2", 2)):
        (tmp_path / "fake/status").write_text(status)
        assert here.run(repository, **GIVEN, profile="command-core", comment="false") == wanted, here.log
    assert "mine is not certified for command-core" in here.log
    assert "certify mine --profile command-core --output reports/latest/certificates/mine" in (tmp_path / "fake/calls").read_text()


def test_the_site_is_in_the_artifact_unless_it_is_not_wanted(clean: Clean, repository: Path, tmp_path: Path) -> None:
    (kept,) = [step for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if "upload-artifact" in step.get("uses", "")]
    assert "${{ inputs.output }}/site" in kept["with"]["path"].split("\n")
    for site in ("true", "false"):
        here = job(clean, tmp_path / site)
        output = tmp_path / site / "output"
        assert here.run(repository, **GIVEN, output=str(output), site=site, comment="false") == 0, here.log
        assert (output / "site/index.html").is_file() == (site == "true")
    hidden = [path.name for path in (tmp_path / "true/output/site").rglob(".*")]
    assert not hidden or kept["with"]["include-hidden-files"] is True, f"upload-artifact leaves out {hidden}"


def test_what_cannot_be_compared_is_an_error(clean: Clean, repository: Path, tmp_path: Path) -> None:
    here = job(clean, tmp_path / "one")
    assert here.run(repository, **GIVEN, baseline="nowhere.jsonl") == 2 and "no baseline nowhere.jsonl" in here.log
    here = job(clean, tmp_path / "two")
    assert here.run(repository, **{**GIVEN, "arguments": "p2/no/such/case"}) == 2, here.log
    here = job(clean, tmp_path / "three")
    assert here.run(repository, **GIVEN, baseline="artifact") == 0, here.log  # the first run of all
    assert "nothing is compared" in here.log


def test_a_history_on_a_branch_is_kept_and_read(clean: Clean, repository: Path, tmp_path: Path) -> None:
    origin, work = tmp_path / "origin", tmp_path / "work"
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@b", "-c", "init.defaultBranch=main"]
    shutil.copytree(repository, work)
    for words in (["init", "-q", "--bare", str(origin)], ["init", "-q", str(work)]):
        subprocess.run([*git, *words], check=True)
    for words in (["remote", "add", "origin", str(origin)], ["add", "assay.toml"], ["commit", "-qm", "one"]):
        subprocess.run([*git, "-C", str(work), *words], check=True)
    push = job(clean, tmp_path / "push", "push")
    assert push.run(work, **GIVEN, baseline="branch:records", history_branch="records") == 0, push.log
    assert "There is no branch records yet" in push.log
    runtime(clean, work, worse=True)
    pull = job(clean, tmp_path / "pull")
    assert pull.run(work, **GIVEN, baseline="branch:records", history_branch="records", fail_on="regression") == 1, pull.log
    assert BROKEN in (tmp_path / "pull/fake/body").read_text()
    runs = subprocess.run([*git, "-C", str(origin), "log", "--oneline", "records"], capture_output=True, text=True, check=True)
    assert len(runs.stdout.splitlines()) == 1, "a pull request adds nothing"


# --- GitLab ------------------------------------------------------------------------------------------------------------


class GitLab(http.server.BaseHTTPRequestHandler):
    """The parts of GitLab's API that the template asks for."""

    record = b""
    notes: ClassVar[list[dict[str, object]]] = []

    def answer(self, data: bytes, status: int = 200) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self) -> None:
        if "/jobs/artifacts/main/raw/reports/latest/results.jsonl?job=wasi" in self.path and self.record:
            self.answer(self.record)
        elif "/merge_requests/3/notes" in self.path and self.headers["PRIVATE-TOKEN"] == "secret":
            self.answer(json.dumps(self.notes).encode())
        else:
            self.answer(b"", 404)

    def do_POST(self) -> None:
        note = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.notes.append({"id": len(self.notes) + 1, **note})
        self.answer(b"{}")

    def do_PUT(self) -> None:
        note = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.notes[int(self.path.rpartition("/")[2]) - 1].update(note)
        self.answer(b"{}")

    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture
def gitlab() -> Iterator[str]:
    GitLab.record, GitLab.notes = b"", []
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), GitLab)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}/api/v4"
    server.shutdown()
    thread.join()
    server.server_close()


def gitlab_job(address: str, **more: str) -> tuple[str, dict[str, str], list[str]]:
    """Returns the script of the template's job, the variables that a merge request gives it, and the paths of its artifact."""
    template = yaml.safe_load((ROOT / "ci/gitlab-template.yml").read_text())[".assay"]
    (script,) = template["script"]
    variables = {
        **template["variables"], "CI_API_V4_URL": address, "CI_PROJECT_ID": "1", "CI_JOB_NAME": "wasi", "CI_JOB_TOKEN": "j",
        "CI_DEFAULT_BRANCH": "main", "CI_MERGE_REQUEST_IID": "3", "CI_MERGE_REQUEST_TARGET_BRANCH_NAME": "main",
        "ASSAY_PACKAGE": "", "ASSAY_ARGUMENTS": CASES, "ASSAY_TOKEN": "secret", **more,
    }  # fmt: skip
    return script, variables, template["artifacts"]["paths"]


def test_gitlab_fails_a_regression_and_comments_once(clean: Clean, repository: Path, tmp_path: Path, gitlab: str) -> None:
    script, variables, _ = gitlab_job(gitlab, ASSAY_SITE="false")
    said = clean.run("sh", "-c", script, cwd=repository, **variables)
    assert "nothing is compared" in said and not GitLab.notes
    GitLab.record = (repository / "good/results.jsonl").read_bytes()
    bad = worse(clean, repository, tmp_path)
    for _ in range(2):
        said = clean.run("sh", "-c", script, cwd=bad, status=1, **{**variables, "ASSAY_FAIL_ON": "regression"})
    assert "Something broke or is missing" in said
    assert len(GitLab.notes) == 1 and BROKEN in str(GitLab.notes[0]["body"])
    clean.run("sh", "-c", script, cwd=bad, **{**variables, "ASSAY_FAIL_ON": "nothing"})


def test_gitlab_keeps_the_site_in_its_artifact_unless_it_is_not_wanted(clean: Clean, repository: Path, tmp_path: Path, gitlab: str) -> None:
    bad = worse(clean, repository, tmp_path)  # a red job has its artifact too
    shutil.rmtree(bad / "reports", ignore_errors=True)
    for site in ("true", "false"):
        script, variables, kept = gitlab_job(gitlab, ASSAY_SITE=site)
        clean.run("sh", "-c", script, cwd=bad, status=1, **variables)
        (index,) = bad.glob("reports/**/site/index.html") if site == "true" else (None,)
        assert index is None or any(index.is_relative_to(bad / path) for path in kept)
        assert (bad / "reports/latest/site").exists() == (site == "true")
        shutil.rmtree(bad / "reports")


# --- the files themselves ----------------------------------------------------------------------------------------------


def test_the_example_uses_inputs_that_there_are() -> None:
    inputs = yaml.safe_load(ACTION.read_text())["inputs"]
    example = yaml.safe_load((ROOT / "ci/example-workflow/wasi.yml").read_text())
    (used,) = [step for step in example["jobs"]["wasi"]["steps"] if "assay" in step.get("uses", "")]
    assert set(used["with"]) <= set(inputs)
    assert example["permissions"] == {"contents": "read", "actions": "read", "pull-requests": "write"}
    page = (ROOT / "ci/ACTION.md").read_text()
    assert not [name for name in inputs if f"`{name}`" not in page], "ci/ACTION.md lacks an input"


def test_the_container_copies_and_runs_what_there_is() -> None:
    """Docker itself is not needed: the sources of COPY are here, and what RUN calls is here or in a package that it installs."""
    text = (ROOT / "ci/Containerfile").read_text().replace("\\\n", " ")
    copies = [words[1:] for line in text.splitlines() if (words := line.split())[:1] == ["COPY"]]
    here = [source for *sources, _ in copies for source in sources if not sources[0].startswith("--from")]
    assert here and not [name for name in here if not (ROOT / name).exists()]
    runs = [line.removeprefix("RUN ") for line in text.splitlines() if line.startswith("RUN ")]
    called = [command.split()[0] for run in runs for command in run.split("&&")]
    known = {"apt-get", "rm", "python", "pip", "useradd", "make", ".venv/bin/pip"}
    assert not [name for name in called if name not in known and not os.access(ROOT / name, os.X_OK)]
    done = subprocess.run(["make", "-n", "wheel"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0 and "ci/wheel.py" in done.stdout
    # the image has what ci/requirements-wheel.txt lists: the whole set-up would install compilers, node and browsers
    assert not (ROOT / ".venv/bin/auditwheel").exists() or "ci/setup.sh" not in done.stdout


def test_the_shell_of_the_workflows_is_clean(tmp_path: Path) -> None:
    steps = [step["run"] for step in yaml.safe_load(ACTION.read_text())["runs"]["steps"] if "run" in step]
    (gitlab,) = yaml.safe_load((ROOT / "ci/gitlab-template.yml").read_text())[".assay"]["script"]
    for number, (shell, script) in enumerate([*(("bash", step) for step in steps), ("sh", gitlab)]):
        path = tmp_path / f"{number}.sh"
        path.write_text(f"#!/bin/{shell}\n{script}")
        done = subprocess.run([ROOT / ".venv/bin/shellcheck", "--severity=warning", path], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stdout
