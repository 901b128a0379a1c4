"""A bundle: one zip file with a certificate and everything that it rests on, and a checksum of each file.

In: a certificate, its records, the log. Out: the file; or, of a file from somebody else, its parts. A bundle may be
hostile: it is read in memory, within limits, and nothing of it is written to a file.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path

from .. import record
from ..record import Record
from . import certificate, page
from .certificate import Certificate
from .sign import MINISIGN, SSH

SUMS = "SHA256SUMS"
MOST_FILES, MOST_BYTES = 64, 1 << 30
_LINE = re.compile(r"([0-9a-f]{64})  ([A-Za-z0-9._-]+)")
_README = """\
This file says that a runtime was certified for a part of WASI, and holds what that rests on.

    certificate.json   what was claimed, and what came out
    certificate.html   the same as a page
    badge.svg          the same as a badge
    run-N.jsonl        the record of each run: every case, what the runtime did, every verdict
    log.txt            what the command printed
    SHA256SUMS         the checksums of these files; with .sig or .minisig, their signature

To verify it without a network: assay verify THIS-FILE
To repeat it: {command}
"""


class BundleError(Exception):
    """A file that is no bundle, or one beyond the limits. The message says why."""


def files_of(made: Certificate, records: Sequence[Record], log: str) -> dict[str, bytes]:
    """Returns the files of a bundle, with their checksums last."""
    texts = {
        "README.txt": _README.format(command=" ".join(made.command)),
        "certificate.json": certificate.to_json(made),
        "certificate.html": page.html(made),
        "badge.svg": page.badge(made).svg,
        "log.txt": log,
    }
    for number, item in enumerate(records, 1):
        texts[f"run-{number}.jsonl"] = "".join(f"{line}\n" for line in record.lines(item))
    files = {name: text.encode() for name, text in texts.items()}
    sums = "".join(f"{hashlib.sha256(data).hexdigest()}  {name}\n" for name, data in sorted(files.items()))
    return {**files, SUMS: sums.encode()}


def write(path: Path, files: Mapping[str, bytes]) -> None:
    """Writes a bundle. The same files make the same bytes."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for name, data in files.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, data)


def read(path: Path) -> dict[str, bytes]:
    """Returns the files of a bundle, with their checksums not yet looked at."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
            names = [entry.filename for entry in entries]
            if len(entries) > MOST_FILES or sum(entry.file_size for entry in entries) > MOST_BYTES:
                raise BundleError(f"{path}: more than {MOST_FILES} files or {MOST_BYTES >> 20} MiB")
            if len(set(names)) < len(names):
                raise BundleError(f"{path}: a name occurs twice")
            files = {entry.filename: _content(archive, entry) for entry in entries}
    except (OSError, zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError, ValueError) as error:
        raise BundleError(f"{path}: {error}") from None
    for name in ("certificate.json", SUMS):
        if name not in files:
            raise BundleError(f"{path}: it has no {name}")
    return files


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Returns the bytes of an entry. The size in its head may be wrong, so no more are read than it says."""
    with archive.open(entry) as file:
        data = file.read(entry.file_size + 1)
    if len(data) != entry.file_size:
        raise BundleError(f"{entry.filename} is longer than the archive says")
    return data


def changed(files: Mapping[str, bytes]) -> list[str]:
    """Returns what differs between the files and their checksums, a line each."""
    found: list[str] = []
    sums: dict[str, str] = {}
    for line in files[SUMS].decode("utf-8", "backslashreplace").splitlines():
        if (parts := _LINE.fullmatch(line)) is None:
            found.append(f"{SUMS} has a line that is no checksum: {line[:80]!r}")
        else:
            sums[parts[2]] = parts[1]
    for name in sorted({*sums, *files} - {SUMS, SSH, MINISIGN}):
        if name not in files:
            found.append(f"{name} is missing")
        elif name not in sums:
            found.append(f"{name} has no checksum")
        elif hashlib.sha256(files[name]).hexdigest() != sums[name]:
            found.append(f"{name} was changed")
    return found
