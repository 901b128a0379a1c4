"""Certification: which cases try a claim, what prevents a certificate, and what a changed bundle shows."""

from __future__ import annotations

import json
import shutil
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from conftest import CASE, Project

from assay import cases, record
from assay.certify import assess, bundle, profile
from assay.certify.profile import ProfileError
from assay.cli import main
from assay.model import Case

ROOT = Path(__file__).resolve().parents[2]
PROFILES = ROOT / "suites/profiles"
CORE = """
title = "A part"
world = "wasi:cli/command"
interfaces = ["wasi:cli/*", "wasi:io/*"]
versions = ["0.2.0", "0.2.12"]
extras = ["should", "read-only-directories"]
"""


def assay(project: Project, *args: str) -> Result:
    return CliRunner().invoke(main, ["--root", str(project.root), *args])


@pytest.fixture
def certified(project: Project) -> Callable[..., Result]:
    """A project with one case and one profile. Returns what certifies a fake there."""
    project.add("p2/t/one")
    (project.root / "suites/profiles").mkdir()
    (project.root / "suites/profiles/core.toml").write_text(CORE, encoding="utf-8")
    (project.root / "suites/disputed.tsv").write_text("# none\n", encoding="utf-8")

    def certify(kind: str, *args: str) -> Result:
        program = f"touchstone={project.fake(kind)}"
        return assay(project, "certify", "touchstone", "--profile", "core", "-j", "1", "--program", program, *args)

    return certify


def bundle_of(project: Project) -> Path:
    return project.root / "reports/certificates/touchstone-core/bundle.zip"


def changed(path: Path, change: Callable[[dict[str, bytes]], None], *, sums: bool) -> Path:
    """Returns the bundle with other files, and with checksums of them where `sums`."""
    files = bundle.read(path)
    change(files)
    if sums:
        rest = {name: data for name, data in files.items() if name != bundle.SUMS}
        lines = (f"{digest}  {name}\n" for name, digest in sorted((n, _sha(d)) for n, d in rest.items()))
        files[bundle.SUMS] = "".join(lines).encode()
    made = path.with_name("changed.zip")
    bundle.write(made, files)
    return made


def _sha(data: bytes) -> str:
    return subprocess.run(["sha256sum"], input=data, capture_output=True, check=True).stdout.split()[0].decode()


def test_a_runtime_that_passes_is_certified(project: Project, certified: Callable[..., Result]) -> None:
    done = certified("pass")
    assert done.exit_code == 0, done.output
    assert "touchstone is certified for core, WASI 0.2.0 to 0.2.12" in done.output
    files = bundle.read(bundle_of(project))
    assert {"run-1.jsonl", "run-2.jsonl", "run-3.jsonl", "certificate.html", "badge.svg"} <= set(files)
    assert json.loads(files["certificate.json"])["result"]["interfaces"][0]["must"] == [1, 1]
    assert str(project.root) not in files["certificate.json"].decode() + files["certificate.html"].decode()
    told = assay(project, "verify", str(bundle_of(project)))
    assert told.exit_code == 0, told.output
    assert "certified, verified" in told.output and "anybody could have made it" in told.output
    assert "judge again to the same verdicts" in told.output and "the suite is the one that is here" in told.output


@pytest.mark.parametrize("kind", ["fail", "crash", "nothing", "unsupported", "lie-undeclared"])
def test_a_runtime_that_fails_is_not(project: Project, certified: Callable[..., Result], kind: str) -> None:
    done = certified(kind)
    assert done.exit_code == 1, done.output
    assert "touchstone is not certified" in done.output
    told = assay(project, "verify", str(bundle_of(project)))
    assert told.exit_code == 1 and "not certified" in told.output and "NO " not in told.output


def test_what_is_disputed_is_not_needed(project: Project, certified: Callable[..., Result]) -> None:
    (project.root / "suites/disputed.tsv").write_text("t.fake.second\t2026-01-01\tan issue\n", encoding="utf-8")
    assert certified("fail").exit_code == 0
    (project.root / "suites/disputed.tsv").write_text("# none\n", encoding="utf-8")
    told = assay(project, "verify", str(bundle_of(project)))
    assert told.exit_code == 1 and "not disputed here: t.fake.second" in told.output
    (project.root / "suites/disputed.tsv").write_text("t.fake.none\t2026-01-01\tan issue\n", encoding="utf-8")
    assert "no case has the disputed check t.fake.none" in certified("fail").output
    (project.root / "suites/disputed.tsv").write_text("t.fake.none\n", encoding="utf-8")
    assert certified("fail").exit_code == 2


def test_runs_that_differ_are_no_certificate(project: Project, certified: Callable[..., Result]) -> None:
    assert certified("pass").exit_code == 0
    texts = [bundle.read(bundle_of(project))[f"run-{n}.jsonl"].decode() for n in (1, 2, 3)]
    claimed = profile.claim(profile.load(project.root / "suites/profiles", "core"))

    def reasons(*changed: str) -> list[str]:
        records = [record.parse(text.removesuffix("\n").split("\n")) for text in changed]
        return [str(reason) for reason in assess.assess(claimed, "touchstone", records).reasons]

    assert reasons(*texts) == []
    assert reasons(*texts[:2]) == ["a certificate needs 3 runs; there are 2"]
    assert reasons(texts[0], texts[1], texts[1]) == ["a run occurs twice"]
    other = texts[2].replace('"id":"t.fake.choice","verdict":"PASS"', '"id":"t.fake.choice","verdict":"SKIP"')
    assert other != texts[2]
    assert reasons(*texts[:2], other) == ["p2/t/one t.fake.choice: the runs differ: PASS, PASS, SKIP"]
    assert "run 3 is partial" in reasons(*texts[:2], texts[2].rsplit("\n", 2)[0] + "\n")[0]
    assert reasons(*texts[:2], texts[2].replace("fake pass 1.0", "fake pass 2.0"))[0] == (
        "the runtime is not the same in every run"
    )


@pytest.mark.parametrize("sums", [False, True])
def test_a_changed_bundle_is_found(project: Project, certified: Callable[..., Result], sums: bool) -> None:
    assert certified("fail").exit_code == 1

    def better(files: dict[str, bytes]) -> None:
        raw = json.loads(files["certificate.json"])
        raw["result"] |= {"certified": True, "reasons": []}
        files["certificate.json"] = json.dumps(raw).encode()

    told = assay(project, "verify", str(changed(bundle_of(project), better, sums=sums)))
    assert told.exit_code == 1 and "the records do not give the result of the certificate" in told.output
    assert ("certificate.json was changed" in told.output) is not sums

    def verdicts(files: dict[str, bytes]) -> None:
        better(files)
        for name in files:
            if name.startswith("run-"):
                files[name] = files[name].replace(b'"verdict":"FAIL"', b'"verdict":"PASS"')

    told = assay(project, "verify", str(changed(bundle_of(project), verdicts, sums=sums)))
    assert told.exit_code == 1 and "run 1 judges otherwise" in told.output


def test_weaker_definitions_are_found(project: Project, certified: Callable[..., Result]) -> None:
    project.add("p2/t/one", CASE.replace('[[check]]\nid = "t.fake.second"\nlevel = "must"', '[[check]]\nid = "t.fake.second"\nlevel = "should"'))
    assert certified("fail").exit_code == 0
    project.add("p2/t/one")
    told = assay(project, "verify", str(bundle_of(project)))
    assert told.exit_code == 1 and "cases with another definition or guest than here (1)" in told.output
    project.add("p2/t/two")
    told = assay(project, "verify", str(bundle_of(project)))
    assert "cases of the suite here that it lacks (1): p2/t/two" in told.output


def test_without_a_suite_it_says_so(project: Project, certified: Callable[..., Result], tmp_path_factory: pytest.TempPathFactory) -> None:
    assert certified("pass").exit_code == 0
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    told = CliRunner().invoke(main, ["--root", str(elsewhere), "verify", str(bundle_of(project))])
    assert told.exit_code == 0, told.output
    assert "the suite was not compared" in told.output and "the profile was not compared" in told.output


def test_ssh_signatures(project: Project, certified: Callable[..., Result]) -> None:
    key = project.root / "key"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(key)], check=True)
    assert certified("pass", "--sign", str(key)).exit_code == 0
    signers = project.root / "allowed_signers"
    signers.write_text(f"me@example.org {key.with_suffix('.pub').read_text()}", encoding="utf-8")
    verified = assay(project, "verify", str(bundle_of(project)), "--key", str(signers))
    assert verified.exit_code == 0, verified.output
    assert "for me@example.org" in verified.output
    assert "Whose key that is was not asked" in assay(project, "verify", str(bundle_of(project))).output
    wrong = assay(project, "verify", str(bundle_of(project)), "--key", str(signers), "--identity", "you@example.org")
    assert wrong.exit_code == 1 and "NO  the signature" in wrong.output

    def log(files: dict[str, bytes]) -> None:
        files["log.txt"] += b"more\n"

    told = assay(project, "verify", str(changed(bundle_of(project), log, sums=True)), "--key", str(signers))
    assert told.exit_code == 1 and "NO  the signature" in told.output
    unsigned = changed(bundle_of(project), lambda files: files.pop("SHA256SUMS.sig") and None, sums=False)
    assert assay(project, "verify", str(unsigned), "--key", str(signers)).exit_code == 1


@pytest.mark.skipif(shutil.which("minisign") is None, reason="minisign is not installed")
def test_minisign_signatures(project: Project, certified: Callable[..., Result]) -> None:
    secret, public = project.root / "m.key", project.root / "m.pub"
    subprocess.run(["minisign", "-G", "-W", "-s", str(secret), "-p", str(public)], check=True, capture_output=True)
    assert certified("pass", "--sign", str(secret)).exit_code == 0
    assert assay(project, "verify", str(bundle_of(project)), "--key", str(public)).exit_code == 0
    assert assay(project, "verify", str(bundle_of(project))).exit_code == 0  # told, not asked
    subprocess.run(["minisign", "-G", "-f", "-W", "-s", str(secret), "-p", str(public)], check=True, capture_output=True)
    assert assay(project, "verify", str(bundle_of(project)), "--key", str(public)).exit_code == 1


def test_files_that_are_no_bundle(project: Project) -> None:
    bad = project.root / "bad.zip"
    bad.write_bytes(b"PK\3\4 not really")
    assert assay(project, "verify", str(bad)).exit_code == 2
    for name, data in (("other", b""), ("certificate.json", b"{}")):
        with zipfile.ZipFile(bad, "w") as archive:
            archive.writestr(name, data)
            archive.writestr(bundle.SUMS, b"")
        done = assay(project, "verify", str(bad))
        assert done.exit_code == 2 and "Traceback" not in done.output, done.output
    with zipfile.ZipFile(bad, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(bundle.MOST_FILES + 1):
            archive.writestr(f"run-{number}.jsonl", b"")
    assert "more than" in assay(project, "verify", str(bad)).output


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--profile", "cor"), "did you mean core?"),
        (("--profile", "core", "--wasi", "0.2.1..0.2.99"), "is not LOW..HIGH"),
        (("--profile", "core", "--wasi", "0.2.3..0.2.1"), "core is for 0.2.0 to 0.2.12"),
        (("--profile", "core", "--claim", "speed"), "core has no extra speed"),
        (("--profile", "core", "--runs", "2"), "2 is not in the range"),
    ],
)
def test_claims_that_cannot_be_made(project: Project, certified: Callable[..., Result], words: tuple[str, ...], said: str) -> None:
    done = assay(project, "certify", "touchstone", *words)
    assert done.exit_code == 2 and said in done.output


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('"wasi:io/*"', '"wasi:oi/*"', "WASI 0.2 has no interface wasi:oi/*"),
        ('title = "A part"', "", "title is missing"),
        ("extras", "extra", "unknown key extra"),
        ('"should"', '"fast"', "unknown extra fast"),
        ("wasi:cli/command", "wasi:cli/order", "unknown world wasi:cli/order"),
        ('title = "A part"', 'title = "A part"\nextends = ["core"]', "the profile extends itself"),
    ],
)
def test_profiles_that_cannot_be_used(tmp_path: Path, old: str, new: str, said: str) -> None:
    (tmp_path / "core.toml").write_text(CORE.replace(old, new), encoding="utf-8")
    with pytest.raises(ProfileError, match=said.replace("*", r"\*")):
        profile.load(tmp_path, "core")


@pytest.fixture(scope="module")
def suite() -> tuple[Case, ...]:
    return cases.discover(ROOT / "suites", ROOT / "fixtures")


def test_each_profile_has_cases_and_each_case_a_profile(suite: tuple[Case, ...]) -> None:
    covered: set[str] = set()
    for name in profile.names(PROFILES):
        loaded = profile.load(PROFILES, name)
        plain = profile.cases_of(profile.claim(loaded), suite)
        every = profile.cases_of(profile.claim(loaded, "", loaded.extras), suite)
        assert len(plain) > 20 and {case.id for case in plain} <= {case.id for case in every}
        covered |= {case.id for case in every}
    there = {case.id for case in suite if case.id.startswith("p2/") and not case.made_by and case.run.openat2}
    assert there == covered


def test_a_claim_of_one_version_leaves_out_the_others(suite: tuple[Case, ...]) -> None:
    loaded = profile.load(PROFILES, "command-core")
    chosen = profile.cases_of(profile.claim(loaded, "0.2.3"), suite)
    assert {case.id.partition("@")[2] for case in chosen} == {"", "0.2.3"}
    assert all(check.since in ("0.2.0", "0.2.1", "0.2.2", "0.2.3") for case in chosen for check in case.checks)


def test_the_page_of_certification_names_each_profile_and_extra() -> None:
    page = (ROOT / "suites/CERTIFICATION.md").read_text(encoding="utf-8")
    for name in profile.names(PROFILES):
        assert f"| `{name}` |" in page
        for extra in profile.load(PROFILES, name).extras:
            assert f"`{extra}`" in page or extra.startswith(profile.UNSTABLE)
    profile.disputed(ROOT / "suites/disputed.tsv")
