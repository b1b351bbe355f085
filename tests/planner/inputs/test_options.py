"""Options of the command line go before files, these before settings, these before the machine."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

from planner.index.indexes import Index, Strategy
from planner.inputs.inputs import Inputs
from planner.inputs.options import IndexRequest, PolicyRequest, index_table
from planner.inputs.recorded_options import keep_recorded
from planner.inputs.settings import IndexSetting, Settings
from planner.model.policy import Ordering, Prereleases
from schemas.errors import UsageError

NOW = datetime(2026, 3, 8, tzinfo=UTC)
DEMO = canonicalize_name("demo")


def urls(request: IndexRequest, inputs: Inputs, **environ: str) -> list[str]:
    found = request.resolve(inputs, {"PIP_CONFIG_FILE": "/dev/null", **environ})
    return [one.url if isinstance(one, Index) else one.place for one in found.places]


def test_places_stand_in_the_order_of_their_rank() -> None:
    inputs = Inputs(
        index_url="https://file.example/simple",
        extra_index_urls=("https://extra.example/simple",),
        find_links=("wheels",),
        settings=Settings(indexes={"internal": IndexSetting("https://internal.example/simple")}),
    )
    request = IndexRequest(indexes=("https://named.example/simple",), find_links=("mine",))
    assert urls(request, inputs, PIP_EXTRA_INDEX_URL="https://machine.example/simple") == [
        "mine",
        "wheels",
        "https://named.example/simple",
        "https://extra.example/simple",
        "https://internal.example/simple",
        "https://machine.example/simple",
        "https://file.example/simple",
    ]


def test_the_default_index_of_the_command_line_counts_before_all_others() -> None:
    inputs = Inputs(index_url="https://file.example", settings=Settings(default_index="https://s"))
    assert urls(IndexRequest(default_index="https://cli.example"), inputs) == [
        "https://cli.example"
    ]


def test_without_an_index_there_are_links_only() -> None:
    inputs = Inputs(no_index=True, find_links=("wheels",))
    assert urls(IndexRequest(), inputs) == ["wheels"]


def test_an_index_named_twice_is_asked_once() -> None:
    inputs = Inputs(extra_index_urls=("https://one.example/simple/",))
    request = IndexRequest(default_index="https://one.example/simple")
    assert urls(request, inputs) == ["https://one.example/simple"]


def test_an_index_for_its_sources_alone_takes_nothing_from_the_others() -> None:
    url = "https://one.example/simple"
    explicit = Settings(indexes={"one": IndexSetting(url, explicit=True)})
    found = IndexRequest(default_index=url).resolve(Inputs(settings=explicit), {})
    assert [(one.url, one.explicit) for one in found.places if isinstance(one, Index)] == [
        (url, True),
        (url, False),
    ]
    (place,) = found.places_of(None)
    assert isinstance(place, Index)
    assert not place.explicit


def test_a_second_name_of_an_index_is_known() -> None:
    url = "https://one.example/simple"
    request = IndexRequest(indexes=(f"one={url}", f"two={url}"), pins=("demo=two",))
    (found,) = request.resolve(Inputs(), {}).places_of("two")
    assert isinstance(found, Index)
    assert (found.name, found.url) == ("two", url)


def test_a_pin_that_is_not_a_pair_is_refused() -> None:
    with pytest.raises(UsageError, match="'demo' is not a pair"):
        IndexRequest(pins=("demo",)).resolve(Inputs(), {})


def test_the_policy_of_the_command_line_goes_before_that_of_the_project() -> None:
    settings = Settings(
        prerelease=Prereleases.ALLOW, resolution=Ordering.LOWEST, exclude_newer="7 days"
    )
    inputs = Inputs(settings=settings, no_binary=("demo",))
    policy = PolicyRequest(prerelease="disallow").resolve(inputs, NOW)
    assert policy.prereleases is Prereleases.DISALLOW
    assert policy.ordering is Ordering.LOWEST
    assert policy.uploads.default == datetime(2026, 3, 1, tzinfo=UTC)
    assert DEMO in policy.no_binary


def test_the_moment_of_a_project_is_that_of_the_command_line_before_that_of_the_settings() -> None:
    inputs = Inputs(settings=Settings(exclude_newer_package={"demo": "7 days", "b": "false"}))
    request = PolicyRequest(exclude_newer_package=("Demo = 2026-01-01",))
    policy = request.resolve(inputs, NOW)
    assert policy.uploads.of_projects == {"demo": datetime(2026, 1, 1, tzinfo=UTC), "b": None}
    assert request.to_table(policy, inputs) == {
        "exclude-newer-package": ["demo=7 days", "b=false", "Demo = 2026-01-01"]
    }


def test_an_index_of_the_settings_may_have_a_moment_of_its_own() -> None:
    indexes = {
        "ours": IndexSetting("https://ours.example/simple/", exclude_newer="false"),
        "other": IndexSetting("https://other.example/simple"),
    }
    inputs = Inputs(settings=Settings(exclude_newer="7 days", indexes=indexes))
    request = PolicyRequest()
    policy = request.resolve(inputs, NOW)
    assert policy.uploads.of_indexes == {"https://ours.example/simple": None}
    assert request.to_table(policy, inputs) == {
        "exclude-newer": "7 days", "exclude-newer-index": {"ours": "false"},
    }  # fmt: skip


def test_only_what_differs_from_the_defaults_is_recorded() -> None:
    request = PolicyRequest()
    assert request.to_table(request.resolve(Inputs(), NOW), Inputs()) == {}
    request = PolicyRequest(
        prerelease="allow",
        resolution="lowest",
        exclude_newer="7 days",
        allow_hosts=("b.example", "a.example"),
        require_hashes=True,
        align=False,
    )
    inputs = Inputs(only_binary=("demo",), no_binary=("other",))
    assert request.to_table(request.resolve(inputs, NOW), inputs) == {
        "prerelease": "allow",
        "resolution": "lowest",
        "exclude-newer": "7 days",
        "no-binary": ["other"],
        "only-binary": ["demo"],
        "allow-hosts": ["a.example", "b.example"],
        "require-hashes": True,
        "align": False,
    }


def test_the_places_are_recorded_without_credentials_and_relative_to_the_lock(
    tmp_path: Path,
) -> None:
    request = IndexRequest(
        default_index="https://u:s3cret@one.example/simple",
        indexes=("internal=https://two.example/simple",),
        pins=("Demo=internal",),
        find_links=(str(tmp_path / "wheels"), "https://links.example/page"),
        strategy=Strategy.UNSAFE_BEST_MATCH,
    )
    assert index_table(request.resolve(Inputs(), {}), str(tmp_path)) == {
        "indexes": [
            "wheels",
            "https://links.example/page",
            "internal=https://two.example/simple",
            "https://one.example/simple",
        ],
        "index-strategy": "unsafe-best-match",
        "sources": {"demo": "internal"},
    }


def test_links_of_the_machine_stay_beside_those_that_are_given_again(tmp_path: Path) -> None:
    given = IndexRequest(find_links=(str(tmp_path / "mine"),))
    environ = {"PIP_CONFIG_FILE": "/dev/null", "PIP_FIND_LINKS": str(tmp_path / "machine")}
    first = given.with_configured(Inputs(), environ)
    table = first.to_options(str(tmp_path))
    assert table == {"find-links": ["mine"], "configured-links": ["machine"]}
    recorded = IndexRequest.from_options(table, str(tmp_path))
    again = keep_recorded(given, recorded)
    assert again.to_options(str(tmp_path)) == table
    assert urls(again, Inputs())[:2] == [str(tmp_path / one) for one in ("mine", "machine")]


def test_tokens_of_pages_with_links_are_not_recorded(tmp_path: Path) -> None:
    request = IndexRequest(find_links=("https://u:s3cret@links.example/page?token=s3cret",))
    recorded = request.to_options(str(tmp_path))
    assert recorded["find-links"] == ["https://links.example/page"]


def test_a_host_that_files_may_come_from_is_no_address() -> None:
    policy = PolicyRequest(allow_hosts=("Files.Example",)).resolve(Inputs(), NOW)
    assert policy.hosts == {"files.example"}
    with pytest.raises(UsageError, match=r"--allow-host 'https://a\.example/' is not a host"):
        PolicyRequest(allow_hosts=("https://a.example/",)).resolve(Inputs(), NOW)
