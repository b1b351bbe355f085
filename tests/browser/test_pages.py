"""Pages of runs in a real browser: Debian's Chromium, driven by playwright (make pages)."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from helpers.index import Index
from helpers.run_logs import beginning, event, sample, wheel_events, whole_log, write_log
from helpers.wheels import build_wheel, lock_of
from lockstream import main
from planner.runs.reading import read_run
from planner.runs.run import Run

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif("SCREENSHOTS" not in os.environ, reason="make pages runs them"),
]


@pytest.fixture(name="browser", scope="module")
def _browser() -> Iterator[Browser]:
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


class Shown:
    """A page that is open, and what the browser said of it."""

    def __init__(self, browser: Browser, path: Path, width: int = 1600) -> None:
        self.page: Page = browser.new_page(viewport={"width": width, "height": 900})
        self.said: list[str] = []
        self.asked: list[str] = []
        self.page.on("console", lambda message: self.said.append(message.text))
        self.page.on("pageerror", lambda error: self.said.append(str(error)))
        self.page.on("request", lambda request: self.asked.append(request.url))
        self.page.goto(path.as_uri())
        if folder := os.environ.get("SCREENSHOTS"):
            self.page.screenshot(path=f"{folder}/{path.stem}-{width}.png", full_page=True)

    def figure(self, name: str) -> str:
        text = str(self.page.locator(f"[data-figure={name}]").first.inner_text())
        return text.split("\n", maxsplit=1)[0]

    def rows(self) -> int:
        return int(self.page.locator("[data-table=packages] tbody tr:not([hidden])").count())


def page_of(log: Path) -> Path:
    page = log.with_suffix(".html")
    assert main(["report", str(log), "--html", str(page)]) == 0
    return page


def check(shown: Shown, run: Run, page: Path) -> None:
    """Assert that nothing was said or asked for, and that figures are those of the log."""
    assert shown.said == []
    assert shown.asked == [page.as_uri()]
    assert shown.figure("packages") == str(len(run.complete()))
    fetched = sum(wheel.fetched for wheel in run.wheels.values())
    assert shown.figure("fetched") == f"{fetched / 2**20:,.1f} MiB"
    unpacked = sum(wheel.bytes for wheel in run.wheels.values())
    assert shown.figure("unpacked") == f"{unpacked / 2**20:,.1f} MiB"
    assert shown.figure("seconds") == f"{run.seconds:.1f} s"
    assert shown.page.locator(".gantt .bar[data-n]").count() == len(run.wheels)
    widths = shown.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1], "the page itself does not scroll sideways"


WHEELS = [build_wheel(f"demo-{n}", files={f"demo{n}/x": b"x" * 60_000 * n}) for n in range(1, 9)]


def execute(folder: Path, index: Index) -> subprocess.Popen[bytes]:
    index.add(*WHEELS)
    (folder / "pylock.toml").write_text(lock_of(WHEELS, base_url=f"{index.origin}/files"))
    words = ["execute", str(folder / "pylock.toml"), "--target", str(folder / "env")]
    return subprocess.Popen(
        [sys.executable, "-m", "lockstream", *words, "--log", str(folder / "run.ndjson")],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


@pytest.mark.parametrize("width", [400, 1600])
def test_a_real_run(browser: Browser, tmp_path: Path, index: Index, width: int) -> None:
    assert execute(tmp_path, index).wait() == 0
    log = tmp_path / "run.ndjson"
    page = page_of(log)
    shown = Shown(browser, page, width)
    check(shown, read_run(str(log)), page)
    assert shown.page.locator(".uplot canvas").count() == 1


def test_a_real_run_that_is_killed(browser: Browser, tmp_path: Path, index: Index) -> None:
    process = execute(tmp_path, index)
    log = tmp_path / "run.ndjson"
    while not log.exists() or '"begins"' not in log.read_text():
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait()
    page = page_of(log)
    run = read_run(str(log))
    shown = Shown(browser, page)
    check(shown, run, page)
    assert shown.page.locator(".pill.killed").count() == 1
    assert shown.page.locator(".gantt .torn").count() == len([*run.at_work()])


def test_filters_and_keys_work(browser: Browser, tmp_path: Path) -> None:
    page = page_of(write_log(tmp_path / "run.ndjson", whole_log(40)))
    shown = Shown(browser, page)
    assert shown.rows() == 40
    shown.page.fill("[data-control=filter]", "package-7")
    assert shown.rows() == 1
    assert shown.page.locator(".gantt .bar.dim").count() == 39
    shown.page.fill("[data-control=filter]", "")
    shown.page.locator(".map button").first.click()
    assert shown.rows() >= 1
    shown.page.keyboard.press("ArrowRight")
    second = shown.page.locator(".map button").nth(1)
    assert second.get_attribute("tabindex") == "0"
    assert shown.page.locator("#tip").inner_text() == second.get_attribute("data-tip")
    shown.page.fill("[data-control=filter]", "")
    shown.page.evaluate(
        "(() => { const c = document.querySelector('[data-control=least]'); c.value = 90;"
        " c.dispatchEvent(new Event('input')); })()"
    )
    assert 0 < shown.rows() < 40
    shown.page.locator("[data-table=packages] thead button").nth(0).click()
    shown.page.focus(".time")
    shown.page.keyboard.press("ArrowRight")
    assert "package-0 1.0" in shown.page.locator("#tip").inner_text()
    shown.page.hover(".gantt .bar[data-n='3'] .frame")
    assert "package-3 1.0" in shown.page.locator("#tip").inner_text()
    before = shown.page.locator(".gantt svg").bounding_box()
    shown.page.evaluate(
        "(() => { const c = document.querySelector('[data-control=scale]'); c.value = 50;"
        " c.dispatchEvent(new Event('input')); })()"
    )
    after = shown.page.locator(".gantt svg").bounding_box()
    assert before
    assert after
    assert after["width"] > 3 * before["width"]
    assert shown.said == []


def test_a_failed_build_is_the_last_row(browser: Browser, tmp_path: Path) -> None:
    effort: dict[str, Any] = {"fetched": 0, "waiting": 0, "unpacking": 0, "writing": 0}
    log = [
        *beginning(),
        *wheel_events("one", 0.1, 0.5),
        event("begins", 0.7, package="native", version="2.0", file="native.tar.gz", size=9),
        event("building", 0.8, package="native", planned=40 << 20, limit=60 << 20, jobs=1),
        sample(1.0, 50 << 20),
        event("failed", 3.0, package="native", error="gcc failed", kind="BuildFailed", **effort),
        event("end", 3.1, ok=False, status=8, error="gcc failed", kind="BuildFailed", hint="read"),
    ]
    path = write_log(tmp_path / "run.ndjson", log)
    page = page_of(path)
    shown = Shown(browser, page)
    check(shown, read_run(str(path)), page)
    assert "gcc failed" in shown.page.locator("h1").inner_text()
    last = shown.page.locator("[data-table=packages] tr").last
    assert last.get_attribute("class") == "failed"
    assert "gcc failed" in last.inner_text()
    assert "not ended" in shown.page.locator("[data-table=builds]").inner_text()


@pytest.mark.parametrize("width", [400, 1600])
def test_a_thousand_packages_take_less_than_a_second(
    browser: Browser, tmp_path: Path, width: int
) -> None:
    path = write_log(tmp_path / "run.ndjson", whole_log(1000))
    page = page_of(path)
    session = browser.new_page(viewport={"width": width, "height": 900})
    tools = session.context.new_cdp_session(session)
    tools.send("Performance.enable", {"timeDomain": "threadTicks"})
    session.goto(page.as_uri())
    metrics = tools.send("Performance.getMetrics")["metrics"]
    # Of the processor, so that other work of this machine does not count.
    (busy,) = (one["value"] for one in metrics if one["name"] == "TaskDuration")
    assert busy < 1.0
    shown = Shown(browser, page, width)
    check(shown, read_run(str(path)), page)
    assert shown.rows() == 1000


def test_a_print_is_not_blank(browser: Browser, tmp_path: Path) -> None:
    """Chromium shrinks what is too wide for a sheet, and then left it white: 2 KB."""
    log = [
        {**one, "package": f"{one['package']}-{'x' * 100}"} if "package" in one else one
        for one in whole_log(99)
    ]
    shown = Shown(browser, page_of(write_log(tmp_path / "run.ndjson", log)))
    assert len(shown.page.pdf()) > 50_000


def test_runs_beside_each_other(browser: Browser, tmp_path: Path) -> None:
    logs = [write_log(tmp_path / f"{n}.ndjson", whole_log(n)) for n in (5, 9)]
    page = tmp_path / "both.html"
    assert main(["report", *map(str, logs), "--html", str(page)]) == 0
    shown = Shown(browser, page)
    assert shown.said == []
    assert shown.page.locator(".uplot canvas").count() == 2
    assert "(+80%)" in shown.page.locator("#comparison").inner_text()


@pytest.mark.parametrize("width", [400, 1600])
def test_nothing_of_a_hostile_log_runs(browser: Browser, tmp_path: Path, width: int) -> None:
    evil = "<img src=x onerror=hit()>'\"</script><script>hit()</script>"
    effort: dict[str, Any] = {"fetched": 9, "waiting": 1, "unpacking": 1, "writing": 1}
    log = [
        *beginning(environment=evil, lock=evil),
        *wheel_events(f"one-{evil}", 0.1, 30),
        event("begins", 31.0, package=evil, version=evil, file=evil, size=9),
        event("building", 31.1, package=evil, what=evil, planned=1, limit=1, jobs=1),
        event("failed", 40.0, package=evil, error=evil, kind=evil, **effort),
        event("request", 41.0, method="GET", url=evil, status=200, bytes=1, seconds=3.0),
        event("warning", 41.0, text=evil),
        event("commit", 42.0, step="moves"),
        event("end", 43.0, ok=False, status=8, error=f"{evil}\n{evil}", kind=evil, hint=evil),
    ]
    log[1]["found"][0]["source"] = log[2]["source"] = f"/sys/{evil}"
    page = page_of(write_log(tmp_path / "run.ndjson", log))
    shown = Shown(browser, page, width)
    shown.page.add_init_script("window.hit = () => { window.was_hit = true; }")
    shown.page.reload()
    for bar in shown.page.locator(".gantt .bar").all():
        bar.hover(force=True)
        bar.click(force=True)
    shown.page.locator("[data-table=requests] thead button").first.click()
    assert shown.page.evaluate("window.was_hit") is None
    assert shown.said == []
    assert {*shown.asked} == {page.as_uri()}
    assert shown.page.locator("img").count() == 0
    widths = shown.page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
    assert widths[0] <= widths[1]
