"""Runs one transpiled component in headless Chromium or in workerd. In: a JSON object in argv[1]. Out: an outcome
file. With a port, workerd serves wasi:http/incoming-handler there.

The files of the guest are in memory: the directories are copied in, and what became of them is written back.
"""

from __future__ import annotations

import base64
import contextlib
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
SHIM = ("cli", "clocks", "filesystem", "http", "io", "random", "sockets")
OURS = ("jco_component.mjs", "jco_memory.mjs", "outcome.mjs")
LOAD = "".join(f'import * as {name} from "./shim/{name}.js";\n' for name in SHIM)
LOAD += f"const shim = {{ {', '.join(SHIM)} }};\n"
PAGE = """<!doctype html><meta charset="utf-8"><script type="module">
import { runInMemory } from "/jco_memory.mjs";
const core = (name) => WebAssembly.compileStreaming(fetch(`/${name}`));
const result = await runInMemory(await (await fetch("/job")).json(), async () => {
  const { shim } = await import("/shim.mjs");
  return { shim, core, module: await import("/m.js") };
});
await fetch("/done", { method: "POST", body: JSON.stringify(result) });
</script>"""
CHROMIUM = (
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-extensions",
    "--disable-component-update", "--disable-background-networking", "--no-proxy-server",
)  # fmt: skip
WORKER = """
import { answer, runInMemory } from "./jco_memory.mjs";
import * as module from "./m.js";
const loaded = { module, shim, core: (name) => cores[name] };
export default {
  async fetch(request) {
    if (serving) return answer(request, loaded);
    return Response.json(await runInMemory(await request.json(), async () => loaded));
  },
};
"""
CONFIG = """using Workerd = import "/workerd/workerd.capnp";
const config :Workerd.Config = (
  services = [
    (name = "main", worker = .worker),
    (name = "internet", network = (allow = [%s])),
  ],
  sockets = [(name = "http", address = "127.0.0.1:%d", http = (), service = "main")],
);
const worker :Workerd.Worker = (compatibilityDate = "2026-01-01", modules = [%s]);
"""


def main() -> int:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    job = json.loads(sys.argv[1])
    files = {name: HERE / name for name in OURS}
    files |= {f"shim/{path.name}": path for path in Path(job["shim"]).glob("*.js")}
    files |= {path.name: path for path in Path(job["module"]).glob("m*") if path.suffix in (".js", ".wasm")}
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as scratch:
        if job["port"]:
            return serve(job, files, Path(scratch))
        trees = {guest: packed(Path(host)) for guest, host in job["dirs"].items()}
        told = {"args": job["args"], "env": job["env"], "trees": trees}
        told["stdin"] = text(sys.stdin.buffer.read())
        engine = chromium if job["engine"] == "chromium" else workerd
        made = engine(job, files, Path(scratch), json.dumps(told).encode())
    for stream, piece in made["output"]:
        os.write(stream, base64.b64decode(piece))
    for guest, host in job["dirs"].items():
        if guest in made["trees"]:
            write_back(Path(host), trees[guest]["dir"], made["trees"][guest]["dir"])
    outcome = {"schema": "touchstone-outcome/1", **made["outcome"]}
    Path(job["outcome"]).write_text(json.dumps(outcome) + "\n", encoding="utf-8")
    if outcome["outcome"] != "exited":
        print(outcome.get("message", outcome["outcome"]), file=sys.stderr)
    return int(outcome.get("status", 1))


@contextlib.contextmanager
def running(argv: list[str], errors: Any, **more: Any) -> Iterator[subprocess.Popen[bytes]]:
    """Runs an engine in a process group of its own, which is always ended."""
    process = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=errors, stderr=errors, process_group=0, **more)
    try:
        yield process
    finally:
        with contextlib.suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def chromium(job: dict[str, Any], files: dict[str, Path], scratch: Path, told: bytes) -> Any:
    """Shows a page, which gets what it needs from this process and posts the result to it."""
    import http.server  # half of the start of this program, which workerd does not need

    done = threading.Event()
    result: list[bytes] = []
    pages = {"": PAGE.encode(), "job": told, "shim.mjs": (LOAD + "export { shim };\n").encode()}
    types = {".js": "text/javascript", ".mjs": "text/javascript", ".wasm": "application/wasm"}

    class Pages(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            name = self.path[1:]
            there = name in pages or name in files
            body = pages[name] if name in pages else files[name].read_bytes() if there else b""
            self.send_response(200 if there else 404)
            self.send_header("Content-Type", types.get(Path(name).suffix, "text/html"))
            self.send_header("Content-Length", str(len(body)))
            # A clock of 5 microseconds, and not of 100, needs isolation.
            self.send_header("Cross-Origin-Opener-Policy", "same-origin")
            self.send_header("Cross-Origin-Embedder-Policy", "require-corp")
            if not job["http"]:
                self.send_header("Content-Security-Policy", "connect-src 'self'")
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            result.append(self.rfile.read(int(self.headers["Content-Length"])))
            done.set()

        def log_message(self, *_: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Pages)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    page = f"http://127.0.0.1:{server.server_address[1]}/"
    everywhere = ["--disable-web-security"] if job["http"] else []
    argv = [job["program"], *CHROMIUM, *everywhere, *job["options"], f"--user-data-dir={scratch / 'profile'}", page]
    with running(argv, subprocess.DEVNULL) as process:
        while not done.wait(0.1):
            if process.poll() is not None:
                raise SystemExit(f"chromium ended with {process.returncode}")
    return json.loads(result[0])


@contextlib.contextmanager
def worker(job: dict[str, Any], files: dict[str, Path], scratch: Path) -> Iterator[int]:
    """Starts workerd. Yields its port."""
    cores = [name for name in files if name.endswith(".wasm")]
    imports = "".join(f'import core{i} from "./{name}";\n' for i, name in enumerate(cores))
    table = ", ".join(f'"{name}": core{i}' for i, name in enumerate(cores))
    entry = scratch / "main.js"
    constants = f"const cores = {{ {table} }};\nconst serving = {json.dumps(job['port'] > 0)};"
    entry.write_text(f"{LOAD}{imports}{constants}{WORKER}", encoding="utf-8")
    (scratch / "shim").mkdir()
    for name, path in files.items():
        (scratch / name).symlink_to(path)
    modules = ", ".join(
        f'(name = "{name}", {"wasm" if name in cores else "esModule"} = embed "{name}")' for name in ("main.js", *files)
    )
    network = '"public", "private"' if job["http"] else ""
    (scratch / "config.capnp").write_text(CONFIG % (network, job["port"], modules), encoding="utf-8")
    reading, writing = os.pipe()
    argv = [job["program"], "serve", *job["options"], f"--control-fd={writing}", str(scratch / "config.capnp")]
    log = sys.stderr if job["port"] else (scratch / "log").open("wb")
    with log, running(argv, log, pass_fds=[writing]) as process:
        os.close(writing)
        with os.fdopen(reading, encoding="utf-8") as events:
            said = events.readline()
        if not said:
            raise SystemExit(f"workerd ended with {process.wait()}")
        yield int(json.loads(said)["port"])


def workerd(job: dict[str, Any], files: dict[str, Path], scratch: Path, told: bytes) -> Any:
    with worker(job, files, scratch) as port:
        try:
            return json.loads(post(port, told))
        except (OSError, ValueError) as error:
            raise SystemExit((scratch / "log").read_text(encoding="utf-8", errors="replace") or str(error)) from None


def post(port: int, told: bytes) -> bytes:
    """Returns the body of the answer to a request. It is HTTP 1.0, so that the end of the answer is that of the
    connection: `http.client` takes longer to be loaded than the guest to run."""
    head = f"POST / HTTP/1.0\r\nHost: 127.0.0.1\r\nContent-Length: {len(told)}\r\n\r\n"
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(head.encode() + told)
        answer = b"".join(iter(lambda: connection.recv(1 << 16), b""))
    first, _, body = answer.partition(b"\r\n\r\n")
    if first.split(b" ")[1:2] != [b"200"]:
        raise ValueError(first.decode("latin-1"))
    return body


def serve(job: dict[str, Any], files: dict[str, Path], scratch: Path) -> int:
    with worker(job, files, scratch) as port:
        print(f"Listening on 127.0.0.1:{port}", file=sys.stderr, flush=True)
        while True:
            signal.pause()


def text(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")


def packed(place: Path) -> dict[str, Any]:
    """Returns a directory as the shim has it. What is neither a file, a directory nor a link is left out."""
    entries: dict[str, Any] = {}
    for entry in place.iterdir():
        if entry.is_symlink():
            entries[entry.name] = {"symlink": str(entry.readlink())}
        elif entry.is_dir():
            entries[entry.name] = packed(entry)
        elif entry.is_file():
            entries[entry.name] = {"source": text(entry.read_bytes())}
    return {"dir": entries}


def write_back(place: Path, before: dict[str, Any], after: dict[str, Any]) -> None:
    """Changes a directory to what it is in the guest. What the guest left as it was is not touched."""
    for name in before:
        if before[name] != after.get(name) and not ("dir" in before[name] and "dir" in after.get(name, {})):
            gone = place / name
            shutil.rmtree(gone) if "dir" in before[name] else gone.unlink()
    for name, entry in after.items():
        if entry == before.get(name):
            continue
        if "dir" in entry:
            (place / name).mkdir(exist_ok=True)
            write_back(place / name, before.get(name, {}).get("dir", {}), entry["dir"])
        elif "symlink" in entry:
            (place / name).symlink_to(entry["symlink"])
        else:
            (place / name).write_bytes(base64.b64decode(entry["source"]))


if __name__ == "__main__":
    sys.exit(main())
