"""Read the log of a run, event by event, to the run that it tells of."""

from __future__ import annotations

import os

from planner.runs.log import Event, InvalidLog, read_events
from planner.runs.run import Build, Outcome, Run, WheelRun

__all__ = ["read_run"]


def read_run(path: str) -> Run:
    """Return the run of the log at ``path``. Raises UnreadableInput and InvalidLog."""
    events = read_events(path)
    last = events[-1]
    end = last if last["event"] == "end" else {}
    outcome: Outcome = "killed" if not end else "done" if end.get("ok") else "failed"
    run = Run(os.path.basename(path), events[0], float(last["at"]), outcome, end)
    reading = _Reading(run)
    for number, event in enumerate(events, 1):
        try:
            reading.take(event)
        except KeyError:
            problem = f"event {number} ({event['event']}) is of a package that has not begun"
            raise InvalidLog(path, problem) from None
    run.lanes = len(reading.lanes)
    run.has_own_group = _leave_out_other_groups(run.samples, run.outside) or run.is_other
    return run


def _leave_out_other_groups(samples: list[Event], outside: int) -> bool:
    """Let samples that were taken outside of the group that the run made for itself say only what
    our processes held: what others hold there is not held against the limit of the run. The
    ``outside`` bytes that are charged elsewhere are added to the others. Return whether there was
    such a group.
    """
    places = [one["group"].get("place", 0) for one in samples if one.get("group")]
    own = max(places, default=0)
    for one in samples:
        group = one.get("group")
        if group and group.get("place", 0) != own:
            held = one["processes"]["anonymous"] + one["processes"]["shared"]
            one["group"] = {**dict.fromkeys(group, 0), "usage": held, "anonymous": held}
        elif group and own:
            one["group"] = {**group, "usage": group["usage"] + outside, "outside": outside}
    return own > 0


class _Reading:
    """Builds a run from its events, which come in the order of their time."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self.lanes: dict[int, int] = {}
        """The number of each lane, by its process."""

    def take(self, event: Event) -> None:
        """Add one event; unknown ones are ignored."""
        if handler := getattr(self, f"_on_{event['event']}", None):
            handler(event)

    def _on_limits(self, event: Event) -> None:
        self._run.limits = list(event["found"])

    def _on_budget(self, event: Event) -> None:
        self._run.budget = event

    def _on_selected(self, event: Event) -> None:
        self._run.selected = event

    def _on_package(self, event: Event) -> None:
        self._run.planned[event["package"]] = event

    def _on_removes(self, event: Event) -> None:
        self._run.removed.append((event["package"], event["version"]))

    def _on_begins(self, event: Event) -> None:
        lane = self.lanes.setdefault(event["process"], len(self.lanes))
        at = float(event["at"])
        self._run.wheels[event["package"]] = WheelRun(
            event["package"], event["version"], event["file"], event["size"], lane, at, at
        )

    def _wheel(self, event: Event, state: str) -> WheelRun:
        wheel = self._run.wheels[event["package"]]
        wheel.state = state
        return wheel

    def _on_waits(self, event: Event) -> None:
        # A wheel is read when it is built.
        self._end_building(self._wheel(event, "waits"), float(event["at"]))

    def _end_building(self, wheel: WheelRun, at: float) -> None:
        is_built = any(one.package == wheel.package for one in self._run.builds)
        if is_built and not wheel.building:
            wheel.building, wheel.end = at - wheel.begin, at

    def _on_bytes(self, event: Event) -> None:
        self._wheel(event, "reads").advance(event)

    def _on_unpacked(self, event: Event) -> None:
        self._wheel(event, "unpacked").advance(event)

    def _on_written(self, event: Event) -> None:
        self._wheel(event, "written").advance(event)

    def _on_staged(self, event: Event) -> None:
        self._wheel(event, "reused" if event["reused"] else "staged").advance(event)
        self._run.startup += (f"{event['package']}: {name}" for name in event["startup"])

    def _on_failed(self, event: Event) -> None:
        wheel = self._wheel(event, "failed")
        self._end_building(wheel, float(event["at"]))
        wheel.advance(event)
        wheel.error = str(event["error"])

    def _on_building(self, event: Event) -> None:
        self._run.builds.append(
            Build(
                event["package"],
                float(event["at"]),
                planned=event.get("planned"),
                limit=event.get("limit"),
                jobs=event.get("jobs"),
                what=str(event.get("what", "")),
            )
        )

    def _on_prepared(self, event: Event) -> None:
        self._build_ends(event)

    def _on_built(self, event: Event) -> None:
        self._build_ends(event)

    def _build_ends(self, event: Event) -> None:
        builds = [one for one in self._run.builds if one.package == event["package"]]
        # A plan sums up steps that have ended.
        if builds and builds[-1].end is None:
            build = builds[-1]
            build.end, build.demand = float(event["at"]), event["demand"]
            build.tier = str(event.get("tier", ""))

    def _on_confined(self, event: Event) -> None:
        self._run.outside = int(event["before"])

    def _on_commit(self, event: Event) -> None:
        self._run.commit.append((event["step"], float(event["at"])))

    def _on_sample(self, event: Event) -> None:
        self._run.samples.append(event)

    def _on_warning(self, event: Event) -> None:
        self._run.warnings.append(str(event["text"]))

    def _on_request(self, event: Event) -> None:
        self._run.requests.append(event)

    def _on_search(self, event: Event) -> None:
        self._run.searches.append(event)
