"""Runs work on the workers of a dask.distributed scheduler: `assay run --executor dask://HOST:PORT`.

In: work. Out: results as they come. A worker (`assay worker`) has its own cases and runtimes (site.py); what it has
otherwise than this machine is not run there. Work of a lost worker is given to another one. A result counts once.
"""

from __future__ import annotations

import asyncio
import logging
import queue
import secrets
import signal
import tempfile
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..model import CaseResult
from ..run.runner import Settings
from .executors import ExecutorError, Work, failed
from .site import Identity, Piece, Refused, Site, Survey, Terms, case_identity, runtime_identity
from .suite import Suite

PLUGIN = "assay"
"""The name of the plugin that holds the site of a worker."""
AHEAD = 2
"""How many pieces for each thread that may run them are sent before the first of them has ended."""
PATIENCE = 60.0
"""Seconds to wait for a worker where there is none (any more)."""
LOOK = 2.0
"""Seconds between two looks at which workers there are."""
LOST = 3
"""A piece whose workers were lost this often is an ERROR: it may be what ends them."""


def load() -> Any:
    """Returns the module distributed."""
    try:
        import distributed
    except ImportError:
        raise ExecutorError(
            "dask.distributed is absent: `pip install 'touchstone-assay[dask]'` (or distributed) installs it"
        ) from None
    return distributed


def _site() -> Site | None:
    """Returns the site of the worker that this runs in."""
    plugin = load().get_worker().plugins.get(PLUGIN)
    return None if plugin is None else plugin.site


def survey_here(
    harness: str, versions: Sequence[str], cases: Mapping[str, Identity], runtimes: Mapping[str, Identity]
) -> Survey:
    """Runs on a worker."""
    site = _site()
    if site is None:
        return Survey("it was not started by `assay worker`")
    return site.survey(harness, versions, cases, runtimes)


def run_here(terms: Terms, piece: Piece) -> tuple[str, CaseResult | Refused]:
    """Runs on a worker. Returns its address too."""
    site = _site()
    done = Refused("it was not started by `assay worker`") if site is None else site.run(terms, piece)
    return str(load().get_worker().address), done


def stop_here(run: str, dask_worker: Any) -> None:
    """Runs on a worker, beside its work."""
    plugin = dask_worker.plugins.get(PLUGIN)
    if plugin is not None:
        plugin.site.stop(run)


def serve(address: str, site: Site, threads: int, name: str | None, said: Callable[[str], None]) -> None:
    """Is a worker until the scheduler ends it, or until an interrupt or SIGTERM. Then it ends what it runs."""
    distributed = load()

    class SitePlugin(distributed.WorkerPlugin):  # type: ignore[misc, name-defined]
        name = PLUGIN

        def __init__(self) -> None:
            self.site = site

    async def work(folder: str) -> None:
        async with distributed.Worker(
            address,
            nthreads=threads,
            name=name,
            memory_limit=0,
            silence_logs=logging.WARNING,
            dashboard=False,
            local_directory=folder,
            plugins=(SitePlugin(),),
            death_timeout=PATIENCE,
        ) as worker:
            said(f"worker {worker.address}: {threads} runs at once")
            loop = asyncio.get_running_loop()
            for number in (signal.SIGTERM, signal.SIGINT):
                loop.add_signal_handler(number, lambda: loop.create_task(worker.close()))
            await worker.finished()

    try:
        with tempfile.TemporaryDirectory(prefix="assay-worker-") as folder:
            asyncio.run(work(folder))
    except (OSError, TimeoutError) as error:
        raise ExecutorError(f"no dask scheduler at {address}: {error} (`dask scheduler` starts one)") from None
    finally:
        site.stop_all()


@dataclass
class _Worker:
    threads: int
    without: dict[str, str] = field(default_factory=dict)
    """The runtimes that it is not used for, each with the reason."""


@dataclass
class _Sent:
    """A piece that was sent, the workers that may run it, and how often its worker was lost."""

    work: Work
    future: Any
    workers: tuple[str, ...]
    lost: int


class DaskExecutor:
    """Runs work on the workers of one scheduler. `said` gets messages for the user."""

    def __init__(self, address: str, said: Callable[[str], None] = lambda _: None, patience: float = PATIENCE) -> None:
        self.address, self.said, self.patience = address, said, patience
        self._run: _Run | None = None
        load()

    def results(self, suite: Suite, work: Sequence[Work], settings: Settings) -> Iterator[CaseResult]:
        distributed = load()
        try:
            client = distributed.Client(self.address, timeout=10, set_as_default=False)
        except (OSError, ValueError) as error:
            raise ExecutorError(
                f"no dask scheduler answers at {self.address}: {error} (`dask scheduler` starts one)"
            ) from None
        self._run = run = _Run(client, suite, work, settings, self)
        try:
            yield from run.results()
        except BaseException:  # interrupted: stop the running processes and start no more
            run.stop()
            raise
        finally:
            self._run = None
            client.close()

    def running(self) -> tuple[tuple[str, str], ...]:
        run = self._run
        return () if run is None else run.running()


class _Run:
    """The work of one call of `results`."""

    def __init__(self, client: Any, suite: Suite, work: Sequence[Work], settings: Settings, owner: DaskExecutor) -> None:
        self.client, self.suite, self.settings, self.owner = client, suite, settings, owner
        self.terms = Terms.of(secrets.token_hex(8), suite, settings)
        self.runtimes = {runtime.name: runtime_identity(runtime) for _, runtime in work}
        self.cases = {case.id: case_identity(case) for case, _ in work}
        self.waiting: dict[str, deque[tuple[Work, int]]] = {name: deque() for name in self.runtimes}
        for case, runtime in work:
            self.waiting[runtime.name].append(((case, runtime), 0))
        self.left = len(work)
        self.sent: dict[tuple[str, str], _Sent] = {}
        self.workers: dict[str, _Worker] = {}
        self.refused: dict[str, str] = {}
        self.ended: queue.SimpleQueue[tuple[tuple[str, str], Any]] = queue.SimpleQueue()
        self.over: list[CaseResult] = []
        """Results of pieces that are not sent again."""
        self.looked = 0.0
        self.idle_since = time.monotonic()

    def results(self) -> Iterator[CaseResult]:
        while self.left:
            self._look()
            self._send()
            while self.over:
                self.left -= 1
                yield self.over.pop()
            if not self.left:
                return
            try:
                key, future = self.ended.get(timeout=max(LOOK, 0.1))
            except queue.Empty:
                continue
            sent = self.sent.get(key)
            if sent is None or sent.future is not future:
                continue  # it was sent again meanwhile
            del self.sent[key]
            result = self._result(sent)
            if result is not None:
                self.left -= 1
                yield result

    def stop(self) -> None:
        futures = [sent.future for sent in self.sent.values()]
        self.sent.clear()
        try:
            self.client.cancel(futures, force=True)
            self.client.run(stop_here, self.terms.run, on_error="ignore")
        except (OSError, TimeoutError, RuntimeError):
            return  # the scheduler is gone, and so is the work

    def running(self) -> tuple[tuple[str, str], ...]:
        """What was sent first, one for each thread: more than that does not run at once."""
        threads = sum(worker.threads for worker in self.workers.values())
        return tuple(self.sent)[:threads]

    def _usable(self, runtime: str) -> dict[str, _Worker]:
        return {address: worker for address, worker in self.workers.items() if runtime not in worker.without}

    def _look(self) -> None:
        """Finds out which workers there are. New ones are compared with this machine, and work of lost ones waits
        again."""
        now = time.monotonic()
        if now - self.looked < LOOK and self.workers:
            return
        first, self.looked = not self.workers, now
        try:
            threads = dict(self.client.nthreads())
        except (OSError, TimeoutError, RuntimeError) as error:
            raise ExecutorError(f"the dask scheduler at {self.owner.address} is gone: {error}") from None
        new = [address for address in threads if address not in self.workers and address not in self.refused]
        for address in [address for address in self.workers if address not in threads]:
            del self.workers[address]
            self.owner.said(f"worker {address} is lost; its runs are repeated elsewhere")
        if new:
            self._survey(new, threads)
        for key, sent in list(self.sent.items()):
            if not any(address in self.workers for address in sent.workers):
                self._wait_again(key, sent, sent.lost + 1)
        self._check(now, threads, first=first)

    def _survey(self, new: Sequence[str], threads: Mapping[str, int]) -> None:
        args = (self.terms.harness, self.terms.versions, self.cases, self.runtimes)
        ask = self.client.submit
        for address, future in [(one, ask(survey_here, *args, workers=[one], pure=False)) for one in new]:
            try:
                survey = future.result(timeout=self.owner.patience)
            except Exception as error:  # another version of the harness may fail in any way
                survey = Survey(f"it cannot be asked: {type(error).__name__}: {error}")
            if survey.refused:
                self.refused[address] = survey.refused
                self.owner.said(f"worker {address} is not used: {survey.refused}")
                continue
            without = dict(survey.without or {})
            self.workers[address] = _Worker(threads[address], without)
            for reason in without.values():
                self.owner.said(f"worker {address}: {reason}, so it does not run that runtime")
        used = sum(worker.threads for worker in self.workers.values())
        self.owner.said(f"dask: {len(self.workers)} workers, {used} runs at once")

    def _check(self, now: float, threads: Mapping[str, int], *, first: bool) -> None:
        """Raises an error where some work can be run nowhere, at once if there are workers, or else after a while."""
        needed = {name for name, waiting in self.waiting.items() if waiting}
        alone = sorted(name for name in needed if not self._usable(name))
        if not alone:
            self.idle_since = now
            return
        if (first and threads) or now - self.idle_since > self.owner.patience:
            reasons = [f"{address}: {words}" for address, words in self.refused.items()]
            reasons += [f"{a}: {w.without[name]}" for a, w in self.workers.items() for name in alone if name in w.without]
            said = "".join(f"\n  {line}" for line in reasons) or " (`assay worker` starts one)"
            raise ExecutorError(f"no worker at {self.owner.address} runs {', '.join(alone)}:{said}")

    def _send(self) -> None:
        """Sends work, so much of each runtime that no worker of it is idle."""
        busy = dict.fromkeys(self.runtimes, 0)
        for _, runtime in self.sent:
            busy[runtime] += 1
        for name, waiting in self.waiting.items():
            usable = self._usable(name)
            room = AHEAD * sum(worker.threads for worker in usable.values()) - busy[name]
            for _ in range(min(room, len(waiting))):
                self._submit(*waiting.popleft(), tuple(usable))

    def _submit(self, work: Work, lost: int, workers: tuple[str, ...]) -> None:
        case, runtime = work
        key = case.id, runtime.name
        piece = Piece(case.id, self.cases[case.id], runtime.name, self.runtimes[runtime.name])
        name = f"assay-{self.terms.run}-{case.id}-{runtime.name}-{secrets.token_hex(4)}"
        future = self.client.submit(run_here, self.terms, piece, key=name, workers=list(workers), pure=False)
        self.sent[key] = _Sent(work, future, workers, lost)
        future.add_done_callback(lambda done: self.ended.put((key, done)))

    def _wait_again(self, key: tuple[str, str], sent: _Sent, lost: int) -> None:
        self.sent.pop(key, None)
        self.client.cancel([sent.future], force=True)
        if lost > LOST:
            self.over.append(self._error(sent.work, f"its workers were lost {lost} times"))
        else:
            self.waiting[key[1]].appendleft((sent.work, lost))

    def _error(self, work: Work, words: str) -> CaseResult:
        return failed(self.suite, work[0], work[1].name, words, self.settings)

    def _result(self, sent: _Sent) -> CaseResult | None:
        """Returns the result of a piece that has ended, or None where it waits again."""
        case, runtime = sent.work
        key = case.id, runtime.name
        error = sent.future.exception() if sent.future.status == "error" else None
        if sent.future.status in ("cancelled", "lost"):
            self._wait_again(key, sent, sent.lost + 1)
            return None
        if error is not None:
            killed = type(error).__name__ == "KilledWorker"
            return self._error(sent.work, f"its workers were lost: {error}" if killed else f"on a worker: {error!r}")
        address, done = sent.future.result()
        if isinstance(done, CaseResult):
            return done
        self.owner.said(f"worker {address} does not run {case.id} on {runtime.name}: {done.reason}")
        if address in self.workers:
            self.workers[address].without[runtime.name] = done.reason
        self._wait_again(key, sent, sent.lost)
        return None
