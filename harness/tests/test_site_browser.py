"""The site in headless Chromium: its pages, links, keyboard, themes, print, and what axe-core finds."""

from __future__ import annotations

import functools
import http.server
import shutil
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import made
import pytest

from assay.model import Basis, Divergence, Expected, Verdict
from assay.record import Record
from assay.report import site

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
AXE = Path(__file__).parents[2] / "node_modules/axe-core/axe.min.js"
playwright = pytest.importorskip("playwright.sync_api", reason="no playwright (ci/setup.sh installs it)")
pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="no chromium on the search path")
WAIT = 120_000
"""Milliseconds: the machine may be loaded."""
SIZES = {"wide": (1280, 900), "narrow": (400, 800)}
EVIL = "<img src=x onerror='window.hacked=1'>"
CHECK = f"#/wasi:cli/environment/get-arguments/{made.CHECK}"
FUNCTION = "[method]thing.function-1"


def small() -> site.Source:
    """Three runtimes, a case with variants, and texts that want to be HTML."""
    told = Expected((Verdict.FAIL,), f"it is known {EVIL}", "https://github.com/example/peer/issues/1", "", "bug")
    results = []
    for case in ("p2/cli/arguments", "p2/cli/arguments@0.2.1", "p2/cli/other"):
        results += [made.result(name, case, trace=f"call() -> {EVIL}\n" * 3) for name in ("touchstone", "wasmtime")]
        bad = made.result("jco", case, verdict=Verdict.FAIL, value=EVIL, rest=f"alpha\nBETA {EVIL}\n".encode())
        units = tuple(
            replace(unit, detail=f"got {EVIL}", expected=told) if unit.id == made.CHECK else unit for unit in bad.units
        )
        results.append(replace(bad, units=units))
    record = made.record(*results)
    record = replace(
        record, runtimes=tuple(replace(item, reference=item.name == "touchstone") for item in record.runtimes)
    )
    older = replace(
        made.record(made.result("jco"), made.result("wasmtime", verdict=Verdict.FAIL)),
        started="2026-10-01T00:00:00+00:00",
    )
    history = site.Builder()
    history.add_record("old/results.jsonl", older, "older")
    history.add_record("latest/results.jsonl", record)
    return site.Source(
        record,
        repro=".venv/bin/assay repro results.jsonl",
        bases={
            made.CHECK: Basis(
                "wit", (("cli/environment#get-arguments.1", f"Get the `arguments` {EVIL}."),), ("https://example.org/x.wit#L7",)
            )
        },
        divergences={made.CHECK: Divergence(f"A title {EVIL}", "touchstone", "Why.", {"jco": "not so"}, ("https://t",))},
        history=history.made,
    )


def write(folder: Path, source: site.Source) -> Path:
    (folder / "data").mkdir(parents=True)
    for path, content in site.render(source):
        (folder / path).write_bytes(content)
    return folder


def gaps() -> site.Source:
    """Two versions of jco, wasmtime, and a history of five runs, of which some lack a runtime or have another version."""
    results = [made.result("touchstone"), made.result("wasmtime"), made.result("jco@1.35", verdict=Verdict.FAIL)]
    history = site.Builder()
    for number, (wasmtime, jco) in enumerate((("P", "P1.17"), (".", "P1.24"), ("P", "."), (".", "F1.35"), ("P", ".")), 1):
        columns = {"wasmtime": (wasmtime, "wasmtime 9")} if wasmtime != "." else {}
        if jco != ".":
            columns[f"jco@{jco[1:]}"] = jco[0], f"jco {jco[1:]}"
        versions = {name: row[1] for name, row in columns.items()}
        run = site.HistoryRun("a record", f"2026-11-0{number}T00:00:00+00:00", versions, "x" if number == 1 else "", "p2")
        verdicts = {name: Verdict.PASS if row[0] == "P" else Verdict.FAIL for name, row in columns.items()}
        history.add(run, [("p2/cli/arguments", made.CHECK, name, verdict) for name, verdict in verdicts.items()])
    return site.Source(made.record(*results), history=history.made)


def several() -> Record:
    return made.many(4, 12, 10, ("0.2.1", "0.2.2"))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    root = tmp_path_factory.mktemp("sites")
    sources = {"small": small(), "several": site.Source(several()), "gaps": gaps()}
    return {name: write(root / name, source) for name, source in sources.items()}


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with playwright.sync_playwright() as driver:
        opened = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-dev-shm-usage"])
        yield opened
        opened.close()


class Tab:
    """A tab with one site. It notes each request, and each error that the page reports."""

    def __init__(self, browser: Any, base: str, size: str = "wide", scheme: str = "light", **more: Any) -> None:
        width, height = SIZES[size]
        self.base = base
        self.context = browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, **more)
        self.context.set_default_timeout(WAIT)
        self.page = self.context.new_page()
        self.requests: list[str] = []
        self.errors: list[str] = []
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.on("pageerror", lambda error: self.errors.append(str(error)))
        self.page.on("console", lambda said: self.errors.append(said.text) if said.type == "error" else None)

    def open(self, fragment: str) -> Any:
        """Opens a page of the site anew, as a link from elsewhere does."""
        self.page.goto("about:blank")
        self.page.goto(f"{self.base}/index.html{fragment}")
        self.ready()
        return self.page

    def ready(self) -> None:
        self.until("document.documentElement.dataset.ready === location.hash")

    def until(self, expression: str) -> None:
        """Waits until an expression holds. The policy of the page does not let the driver's own way of waiting pass."""
        for _ in range(WAIT // 20):
            if self.page.evaluate(expression):
                return
            self.page.wait_for_timeout(20)
        raise AssertionError(f"never: {expression}")

    def go(self, fragment: str) -> None:
        """Goes on to another page of the site."""
        self.page.evaluate("to => { location.hash = to; }", fragment)
        self.ready()

    def follow(self, name: str) -> None:
        """Clicks a link of the page that is shown."""
        self.page.locator("main").get_by_role("link", name=name, exact=True).first.click()
        self.ready()

    def text(self) -> str:
        return str(self.page.inner_text("main"))


@pytest.fixture
def tab(browser: Any, folders: dict[str, Path]) -> Iterator[Any]:
    opened: list[Tab] = []

    def make(name: str, size: str = "wide", scheme: str = "light", **more: Any) -> Tab:
        opened.append(Tab(browser, folders[name].as_uri(), size, scheme, **more))
        return opened[-1]

    yield make
    for one in opened:
        assert not one.errors
        assert all(url.startswith(one.base) or url == "about:blank" for url in one.requests)
        one.context.close()


PAGES = {
    "small": [
        "#/",
        "#/wasi:cli/environment",
        CHECK,
        f"#/wasi:cli/environment/initial-cwd/{made.CHOICE}",
        "#/case/p2/cli/arguments",
        "#/case/p2/cli/arguments@0.2.1",
        "#/history",
        "#/nowhere",
    ],
    "several": [
        "#/",
        "#/?level=should",
        "#/?by=version&runtime=runtime-1",
        "#/?version=0.2.1&runtimes=runtime-0,runtime-2",
        "#/?q=runtime:runtime-1+verdict:fail",
        "#/?q=runtime:nobody",
        "#/wasi:package-1",
        "#/wasi:package-1/interface-1",
        "#/cases",
        "#/agreement",
        "#/others",
        "#/help",
    ],
}
MAIN = {"small": [CHECK, "#/case/p2/cli/arguments"], "several": ["#/", "#/?q=verdict:fail", "#/wasi:package-1/interface-1"]}
LOOKS = [("wide", "light", PAGES), ("wide", "dark", MAIN), ("narrow", "light", MAIN), ("narrow", "dark", MAIN)]


@pytest.mark.skipif(not AXE.is_file(), reason="no axe-core (ci/setup.sh installs it)")
@pytest.mark.parametrize(("size", "scheme", "pages"), LOOKS, ids=lambda value: value if isinstance(value, str) else "")
def test_axe_finds_nothing_serious(tab: Any, size: str, scheme: str, pages: dict[str, list[str]]) -> None:
    """Nor does a page overflow its width."""
    axe = AXE.read_text(encoding="utf-8")
    for name, fragments in pages.items():
        one = tab(name, size, scheme)
        one.open(fragments[0]).evaluate(axe)
        for fragment in fragments:
            one.go(fragment)
            found = one.page.evaluate("axe.run({resultTypes: ['violations'], preload: false}).then(all => all.violations)")
            told = [(item["id"], item["impact"], [node["html"][:200] for node in item["nodes"][:3]]) for item in found]
            assert [item for item in told if item[1] in ("serious", "critical")] == [], fragment
            assert one.page.evaluate("document.documentElement.scrollWidth <= innerWidth"), fragment


def test_a_link_opens_the_same_page_as_the_way_to_it(tab: Any) -> None:
    one = tab("small")
    page = one.open("#/")
    one.follow("environment")
    one.follow(made.CHECK)
    there = one.text()
    assert page.evaluate("location.hash") == CHECK and page.title().startswith(made.CHECK)
    page.reload()
    one.ready()
    assert one.text() == there
    one.open(CHECK)
    assert one.text() == there
    page.go_back()  # to the blank page before it, and further to the interface
    one.open("#/wasi:cli/environment/get-arguments?q=jco:fail")
    one.follow(made.CHECK)
    assert made.CHECK in page.inner_text("h1")
    page.go_back()
    one.ready()
    assert page.input_value("#query") == "jco:fail"


def test_what_the_page_of_a_check_has(tab: Any) -> None:
    one = tab("small")
    page = one.open(CHECK)
    text = one.text()
    for words in (
        "MUST",
        "Get the <arguments>.",
        f"Get the arguments {EVIL}.",
        "x.wit, line 7",
        "the text decides",
        f"got {EVIL}",
        "known: it is known",
        "github.com/example/peer/issues/1",
        ".venv/bin/assay repro results.jsonl p2/cli/arguments jco",
        "3 lines by touchstone",
        f"call() -> {EVIL}",
        "BETA",
        "fail since run of 2026-11-21 00:00 (jco 1.0), before that pass in older (jco 1.0)",
        "0.2.1",
    ):
        assert words in text, words
    links = page.eval_on_selector_all("main a", "all => all.map(a => a.getAttribute('href'))")
    assert {"https://example.org/x.wit#L7", "https://github.com/example/peer/issues/1", "https://t"} <= set(links)
    assert page.evaluate("[window.hacked, document.images.length]") == [None, 0]
    assert page.inner_text("main .out mark").strip()
    one.follow("p2/cli/other")
    assert "case=p2%2Fcli%2Fother" in page.evaluate("location.hash")
    assert "repro results.jsonl p2/cli/other jco" in one.text()


def test_a_run_without_a_runtime_is_no_change_of_its_history(tab: Any) -> None:
    one = tab("gaps")
    page = one.open(CHECK)
    rows = page.eval_on_selector_all("main table.history tbody tr", "rows => rows.map(row => [...row.cells].map(cell => cell.innerText))")
    words = {name: said for name, _, said in rows}
    assert words == {
        "wasmtime": "pass in all 3 runs",
        "jco@1.35": "fail since run of 2026-11-04 00:00 (jco 1.35), before that pass in run of 2026-11-02 00:00 (jco 1.24)",
    }
    assert page.locator("main table.history tbody tr >> nth=0 >> .strip i").count() == 5
    page = one.open("#/history")
    head = page.eval_on_selector_all("main table thead th", "all => all.map(th => th.innerText)")
    assert head == ["run", "began", "wasmtime", "jco"]  # no column of a version beside that of its runtime
    assert "jco 1.24" in one.text() and "jco 1.17" in one.text()
    rows = page.eval_on_selector_all("main table tbody th", "all => all.map(th => th.innerText.split(/\\n+/))")
    assert rows[0] == ["run of 2026-11-05 00:00", "p2 on wasmtime; a record"] and rows[-1] == ["x", "p2 on wasmtime, jco; a record"]


def test_every_link_of_the_site_leads_somewhere(tab: Any) -> None:
    one = tab("small")
    seen, left = set(), ["#/"]
    while left:
        fragment = left.pop()
        if fragment in seen or len(seen) > 80:
            continue
        seen.add(fragment)
        page = one.page
        if len(seen) == 1:
            one.open(fragment)
        else:
            one.go(fragment)
        title = page.inner_text("h1")
        assert title not in ("Nothing here", "This page cannot be shown"), fragment
        found = page.eval_on_selector_all("a", "all => all.map(a => a.getAttribute('href'))")
        left += [link for link in found if link.startswith("#/") and "q=" not in link]
    assert len(seen) > 20


def test_queries_filter_what_is_shown(tab: Any) -> None:
    one = tab("several")
    page = one.open("#/")
    page.fill("#query", "runtime:runtime-1 verdict:fail level:must")
    page.press("#query", "Enter")
    one.ready()
    first = one.text()
    rows = page.locator("main section, main table").first.locator("tbody tr")
    count = rows.count()
    assert 0 < count < 40 and page.evaluate("location.hash").startswith("#/?q=runtime:runtime-1+verdict:fail")
    column = page.eval_on_selector_all(
        "main table:first-of-type tbody tr", "rows => rows.slice(0, 40).map(row => row.cells[2].innerText)"
    )
    assert all("fail" in cell or "✗" in cell for cell in column[:count])
    page.reload()
    one.ready()
    assert one.text() == first and page.input_value("#query") == "runtime:runtime-1 verdict:fail level:must"
    page.click("main h2:text-is('By interface') ~ .scroll tr:not(.group) th a >> nth=0")
    one.ready()
    assert page.input_value("#query").startswith("runtime:runtime-1")
    page.fill("#query", "runtime:nobody")
    page.press("#query", "Enter")
    one.until("document.getElementById('query-error').textContent")
    assert "no nobody" in page.inner_text("#query-error") and page.get_attribute("#query", "aria-invalid") is not None
    page.fill("#query", "")
    one.until("!location.hash.includes('q=')")
    one.ready()
    assert not page.inner_text("#query-error")


def test_the_columns_are_runtimes_or_versions(tab: Any) -> None:
    one = tab("several")
    head = "all => all.map(th => th.innerText)"
    page = one.open("#/")
    assert page.eval_on_selector_all("main table.matrix >> nth=0 >> thead th", head) == [
        "interface", *(f"runtime-{n}" for n in range(4))
    ]  # fmt: skip
    page.select_option("main select >> nth=0", "version")
    one.until("location.hash.includes('by=version')")
    one.ready()
    assert page.eval_on_selector_all("main table.matrix >> nth=0 >> thead th", head) == ["interface", "0.2.0", "0.2.1", "0.2.2"]
    page = one.open("#/?runtimes=runtime-3,runtime-1")
    assert page.eval_on_selector_all("main table.matrix >> nth=0 >> thead th", head) == ["interface", "runtime-1", "runtime-3"]


def test_keyboard(tab: Any) -> None:
    one = tab("several")
    page = one.open("#/")
    focus = "document.activeElement.id || document.activeElement.tagName"
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip"
    page.keyboard.press("Enter")
    assert page.evaluate(focus) == "main" and page.evaluate("location.hash") == "#/"
    page.keyboard.press("/")
    assert page.evaluate(focus) == "query"
    page.keyboard.type("verdict:crash")
    page.keyboard.press("Enter")
    one.until("location.hash.includes('crash')")
    one.ready()
    assert page.evaluate(focus) == "query"  # the box keeps it
    page.focus("main table a >> nth=0")
    outline = page.evaluate("getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"
    page.keyboard.press("Enter")
    one.until("!location.hash.includes('crash') || location.hash.split('/').length > 2")
    one.ready()
    assert page.evaluate(focus) == "H1"  # a screen reader says where it is


def test_the_theme_is_kept(tab: Any) -> None:
    one = tab("small")
    page = one.open("#/")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.click("#theme")
    page.click("#theme")
    assert page.inner_text("#theme") == "Theme: dark" and page.evaluate(background) != light
    page.reload()
    one.ready()
    assert page.inner_text("#theme") == "Theme: dark" and page.evaluate(background) != light


def test_print(tab: Any) -> None:
    one = tab("small")
    page = one.open(CHECK)
    page.emulate_media(media="print")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("main details:not([open])").count() == 0
    assert not page.is_visible("#tools") and not page.is_visible("main .copy >> nth=0") and page.is_visible("main h1")
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("main details:not([open])").count() > 0


def test_without_script_the_matrix_is_there(tab: Any) -> None:
    one = tab("several", java_script_enabled=False)
    one.page.goto(f"{one.base}/index.html")
    assert one.page.locator("main table tbody tr").count() == 12 + 5
    assert "this page has the counts alone" in one.text()


def test_a_server_serves_it_too(browser: Any, folders: dict[str, Path]) -> None:
    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer(
        ("127.0.0.1", 0), functools.partial(Quiet, directory=str(folders["small"]))
    )
    threading.Thread(target=server.serve_forever, daemon=True).start()
    one = Tab(browser, f"http://127.0.0.1:{server.server_port}")
    try:
        one.open(CHECK)
        assert "results.jsonl p2/cli/arguments jco" in one.text()
        assert [error for error in one.errors if "favicon" not in error] == []
    finally:
        one.context.close()
        server.shutdown()
        server.server_close()


def test_a_folder_that_is_not_whole_says_so(browser: Any, tmp_path: Path) -> None:
    folder = write(tmp_path / "site", small())
    (folder / "data/case-p2-cli-arguments.js").unlink()
    one = Tab(browser, folder.as_uri())
    try:
        one.open(CHECK)
        assert "data/case-p2-cli-arguments.js cannot be loaded" in one.text()
        (folder / "data/summary.js").unlink()
        one.page.reload()
        one.page.wait_for_selector("main .error")
        assert "the folder of the site is not whole" in one.text()
    finally:
        one.context.close()
