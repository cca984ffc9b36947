"""Which versions of instances a host executes, and how host.json says so."""

from __future__ import annotations

import pytest

from local_host.host_files import HostFileError
from local_host.versions import FailureStrategy, MatchStrategy, Versions
from tests.local_host.test_host_files import read


@pytest.mark.parametrize(
    ("match", "current", "version", "fits"),
    [
        (MatchStrategy.NONE, "2", "3", True),
        (MatchStrategy.NONE, "2", None, True),
        (MatchStrategy.STRICT, "2", "2", True),
        (MatchStrategy.STRICT, "2", "2.0", False),
        (MatchStrategy.STRICT, "a", "A", False),
        (MatchStrategy.STRICT, "2", None, False),  # what began before there were versions
        (MatchStrategy.STRICT, None, "2", False),  # what began before versions were given up
        (MatchStrategy.STRICT, None, None, True),
        (MatchStrategy.CURRENT_OR_OLDER, "2", None, True),
        (MatchStrategy.CURRENT_OR_OLDER, None, "1", False),
        (MatchStrategy.CURRENT_OR_OLDER, None, None, True),
        (MatchStrategy.CURRENT_OR_OLDER, "2.0", "10.0", False),
        (MatchStrategy.CURRENT_OR_OLDER, "1.9", "1.10", False),
        (MatchStrategy.CURRENT_OR_OLDER, "1.0", "1.0.0", False),
        (MatchStrategy.CURRENT_OR_OLDER, "1.0.0", "1.0", True),
        (MatchStrategy.CURRENT_OR_OLDER, "2", "10", True),  # no two numbers: text
        (MatchStrategy.CURRENT_OR_OLDER, "B", "a", True),
        (MatchStrategy.CURRENT_OR_OLDER, "b", "C", False),
    ],
)
def test_which_versions_a_host_executes(match, current, version, fits):
    assert Versions(current, match).fits(version) is fits


def test_without_a_word_older_instances_go_on_and_newer_ones_wait(tmp_path):
    known = read(tmp_path, {"defaultVersion": "1.2"}).versions
    assert known == Versions("1.2", MatchStrategy.CURRENT_OR_OLDER, FailureStrategy.REJECT)


@pytest.mark.parametrize(("match", "failure"), [("Strict", "Fail"), ("strict", "FAIL"), (1, "1")])
def test_the_strategies_are_read_as_dot_net_reads_them(tmp_path, match, failure):
    told = {"defaultVersion": 2, "versionMatchStrategy": match, "versionFailureStrategy": failure}
    assert read(tmp_path, told).versions == Versions("2", MatchStrategy.STRICT, FailureStrategy.FAIL)


def test_a_strategy_that_there_is_not_is_refused(tmp_path):
    with pytest.raises(
        HostFileError,
        match=r"versionMatchStrategy is 'Exact'; it must be one of None, Strict, CurrentOrOlder; "
        r"versionFailureStrategy is 'Drop'; it must be one of Reject, Fail",
    ):
        read(tmp_path, {"versionMatchStrategy": "Exact", "versionFailureStrategy": "Drop"})
