"""Messages of a plan for people on standard error, and its result for programs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from packaging.pylock import Pylock

from executor import Recorder, echo, echo_json
from planner.cli.live_view import PlanView, view_of
from planner.cli.plan_progress import PlanProgress
from planner.planning.reporter import Reporter
from planner.review.cost import Cost
from planner.review.planned_lock import PlannedLock
from schemas.builds import BuildRecord
from schemas.errors import UsageError
from schemas.sizes import format_size
from schemas.text import counted, enumerate_some

__all__ = ["ConsoleReporter", "check_results"]


MAX_SHOWN_PLACES = 3


def check_results(output: str | None, *, as_json: bool) -> None:
    """Raise UsageError if the lock, whose file is ``output``, and JSON would both go to standard
    output.
    """
    if output == "-" and as_json:
        raise UsageError(
            "both the lock and --json would go to standard output",
            hint="name a file with -o, or leave --json out",
        )


class ConsoleReporter(Reporter):
    """Prints what happens during one plan; the command ``plan`` owns it.

    If ``quiet``, it prints warnings only; if ``as_json``, also the result on standard output. Each
    warning begins with ``subject``.
    """

    def __init__(self, subject: str = "", /, *, quiet: bool, as_json: bool = False) -> None:
        self._quiet = quiet or as_json
        self._subject = subject
        self._as_json = as_json
        self._view: PlanView | None = None
        self.recorder = Recorder()

    @contextmanager
    def watch(self, requests: Callable[[], int]) -> Iterator[None]:
        if self._quiet:
            yield
            return
        progress = PlanProgress()
        self.recorder.listener = progress.hear
        try:
            with view_of(progress) as self._view:
                yield
        finally:
            self._view = self.recorder.listener = None

    def done(self, planned: PlannedLock, seconds: float) -> None:
        """Sum up the lock, which took ``seconds``."""
        if self._quiet and not self._as_json:
            return  # the lock need not be read
        lock, costs, output = planned.lock, planned.costs, planned.path
        for note in planned.notes:
            self._say(note)
        self._print_json(planned)
        if not planned.is_changed:
            self._sum_up("kept", lock, costs, f"in {seconds:.1f} s, {output} is up to date")
            return
        if left := sum(one.filename is None for cost in costs for one in cost.packages):
            self._say(f"{counted(left, 'wheel')} still to be built: lockstream builds lists them")
        for change in () if self._quiet else planned.changes:
            tone = "green" if not change.old else "red" if not change.new else "yellow"
            echo(str(change), err=True, tone=tone)
        end = f"in {seconds:.1f} s" + ("" if output == "-" else f", wrote {output}")
        self._sum_up("resolved", lock, costs, end)

    def _print_json(self, planned: PlannedLock) -> None:
        if not self._as_json:
            return
        targets = [
            {
                **cost.target.to_table(),
                "packages": len(cost.packages),
                "size": cost.size,
                "unpacked-size": cost.unpacked_size,
            }
            for cost in planned.costs
        ]
        summary = {
            "lock": planned.path,
            "changed": planned.is_changed,
            "packages": len(planned.lock.packages),
            "notes": [*planned.notes],
        }
        echo_json({**summary, "targets": targets}, indent=None)

    def _sum_up(self, verb: str, lock: Pylock, costs: Sequence[Cost], end: str) -> None:
        lines = [
            f"{counted(len(cost.packages), 'package')} for {cost.target}: "
            f"{format_size(cost.size)} to fetch, {format_size(cost.unpacked_size)} unpacked"
            for cost in costs
        ]
        if len(lines) == 1:
            self._say(f"{verb} {lines[0]}, {end}")
            return
        packages = counted(len(lock.packages), "package")
        self._say(f"{verb} {packages} for {len(lines)} targets, {end}")
        for line in lines:
            self._say(f"  {line}")

    def input_remark(self, text: str) -> None:
        self._warn(text)

    def passed_over(self, name: str, version: str, reason: str) -> None:
        self._say(f"passed over {name} {version}: {reason}")

    def unknown_extra(self, name: str, version: str, extra: str) -> None:
        self._warn(f"{name} {version} has no extra {extra!r}")

    def yanked(self, filename: str, reason: str) -> None:
        self._warn(f"{filename} is yanked{f': {reason}' if reason else ''}")

    def forbidden(self, index: str, names: Sequence[str]) -> None:
        self._warn(
            f"{index} answers 403 for {enumerate_some(names)}, and is taken not to have "
            f"{'it' if len(names) == 1 else 'them'}"
        )

    def broken_links(self, page: str, links: Sequence[str]) -> None:
        self._warn(f"{page} has broken links, which are skipped: {enumerate_some(links)}")

    def unportable(self, filename: str, names: Sequence[str]) -> None:
        self._warn(
            f"{filename} holds names that not every system takes ({', '.join(names)}); execute "
            "refuses it, and on Linux installs it with --lenient"
        )

    def collision(self, first: str, second: str, places: Sequence[str]) -> None:
        self._warn(
            f"{first} and {second} have different files of the same name, one of which would be "
            f"lost: {enumerate_some(places, MAX_SHOWN_PLACES)}"
        )

    def inconsistent(
        self, first: str, second: str, of_first: Sequence[str], of_second: Sequence[str]
    ) -> None:
        differences = "; ".join(
            f"only {name} requires {enumerate_some(texts, MAX_SHOWN_PLACES)}"
            for name, texts in ((first, of_first), (second, of_second))
            if texts
        )
        self._warn(f"wheels of one release require different things: {differences}")

    def building(self, filename: str, what: str) -> None:
        self.recorder.event("building", package=filename, what=what)
        if not (self._view and self._view.shows_builds):
            self._say(f"building {filename} ({what})")

    def prepared(self, filename: str, demand: int | None = None) -> None:
        self.recorder.event("prepared", package=filename, demand=demand)

    def built(self, filename: str, record: BuildRecord) -> None:
        self.recorder.event("built", package=filename, seconds=record.seconds, demand=record.peak)
        peaks = ", ".join(
            f"{format_size(size)} at {counted(jobs, 'job')}"
            for jobs, size in sorted(record.demand.items())
        )
        self._say(f"built {record.wheel}: {peaks}, {record.seconds:.1f} s")

    def project_status(self, name: str, status: str, reason: str) -> None:
        self._warn(f"the project {name} is {status}{f': {reason}' if reason else ''}")

    def newer_api(self, index: str, version: str) -> None:
        self._warn(f"{index} speaks version {version} of its API, newer than what is known here")

    def _say(self, text: str) -> None:
        if not self._quiet:
            self._echo(text)

    def _warn(self, text: str) -> None:
        self.recorder.event("warning", text=text)
        self._echo(f"{self._subject}warning: {text}")

    def _echo(self, text: str) -> None:
        if self._view:
            self._view.say(text)
        else:
            echo(text, err=True)
