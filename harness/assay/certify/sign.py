"""Signatures of a bundle, made and verified by minisign or by ssh-keygen.

In: the bytes that are signed, a key. Out: the signature and its file's name; or who has signed. Neither tool is ours:
a key file of minisign is used with `minisign`, any other with `ssh-keygen -Y` (namespace `assay-certificate`).
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

NAMESPACE = "assay-certificate"
SSH, MINISIGN = "SHA256SUMS.sig", "SHA256SUMS.minisig"
"""The names of the two kinds of signatures in a bundle."""


class SignatureError(Exception):
    """A signature that cannot be made, or that is wrong. The message says why."""


def sign(data: bytes, key: Path) -> tuple[str, bytes]:
    """Returns the name and the bytes of a signature. The tool may ask for the key's password on the terminal."""
    try:
        head = key.read_bytes()[:64]
    except OSError as error:
        raise SignatureError(f"the key cannot be read: {error}") from None
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / "SHA256SUMS"
        file.write_bytes(data)
        if head.startswith(b"untrusted comment:"):
            _run([_tool("minisign"), "-S", "-s", str(key), "-m", str(file)], ask=True)
            return MINISIGN, (Path(made) / MINISIGN).read_bytes()
        _run([_tool("ssh-keygen"), "-Y", "sign", "-f", str(key), "-n", NAMESPACE, str(file)], ask=True)
        return SSH, (Path(made) / SSH).read_bytes()


def verify(data: bytes, name: str, signature: bytes, key: Path | None, identity: str) -> str:
    """Verifies a signature. Returns in words who has signed.

    `key` is minisign's public key, or an `allowed_signers` file of ssh-keygen in which `identity` is looked up
    (empty: whoever of the file has signed). Without a key, an SSH signature is only compared with the data and with
    the key in itself, which shows no more than that it fits; minisign cannot do that."""
    with tempfile.TemporaryDirectory() as made:
        file = Path(made) / name
        file.write_bytes(signature)
        if name == MINISIGN:
            if key is None:
                raise SignatureError("a signature of minisign needs the public key (--key FILE)")
            signed = Path(made) / "SHA256SUMS"
            signed.write_bytes(data)
            said = _run([_tool("minisign"), "-V", "-p", str(key), "-x", str(file), "-m", str(signed)])
            return f"{_comment(said)}, by the key in {key.name}"
        tool = [_tool("ssh-keygen"), "-Y"]
        if key is None:
            said = _run([*tool, "check-novalidate", "-n", NAMESPACE, "-s", str(file)], data)
            return f"{said.strip()}. Whose key that is was not asked (--key FILE)"
        who = identity or _principal([*tool, "find-principals", "-s", str(file), "-f", str(key)])
        return _run([*tool, "verify", "-f", str(key), "-I", who, "-n", NAMESPACE, "-s", str(file)], data).strip()


def _principal(argv: list[str]) -> str:
    return _run(argv).strip().splitlines()[0]


def _comment(said: str) -> str:
    lines = [line for line in said.splitlines() if line.strip()]
    return ", ".join(lines) if lines else "the signature fits"


def _tool(name: str) -> str:
    found = shutil.which(name)
    if found is None:
        raise SignatureError(f"there is no `{name}` on the search path (Debian: apt-get install {_PACKAGES[name]})")
    return found


_PACKAGES = {"minisign": "minisign", "ssh-keygen": "openssh-client"}


def _run(argv: list[str], data: bytes | None = None, *, ask: bool = False) -> str:
    """Runs a tool, and returns what it prints. With `ask` it may ask for a password on the terminal."""
    given: dict[str, object] = {} if ask else {"stdin": subprocess.DEVNULL} if data is None else {"input": data}
    try:
        done = subprocess.run(argv, capture_output=not ask, timeout=None if ask else 60, check=False, **given)  # type: ignore[call-overload]
    except (OSError, subprocess.TimeoutExpired) as error:
        raise SignatureError(str(error)) from None
    said = b"" if ask else done.stdout + done.stderr
    text = str(said.decode("utf-8", "backslashreplace"))
    if done.returncode != 0:
        words = text.strip().splitlines()[0] if text.strip() else f"it ended with {done.returncode}"
        raise SignatureError(f"{Path(argv[0]).name}: {words}")
    return text
