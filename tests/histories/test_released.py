"""What instances of a released version have asked for so far is not changed under them."""

from __future__ import annotations

import pytest

from local_host.history import started_event
from tests.histories.released import LIST, ROOT, current_version, faults, released, stored
from tests.histories.test_histories import STORED
from tests.histories.test_histories import stored as history

DEVELOPED = "# Changelog\n\n## Unreleased\n\n### Added\n"
RELEASED = f"{DEVELOPED}\n## [1.0.0] - 2027-01-15\n"
KNOWN = {"1": {"backup_vm": "aa", "restore": "bb"}}


@pytest.mark.parametrize("name", [path.stem for path in STORED])
def test_a_stored_history_is_of_the_version_under_which_instances_begin_now(name):
    started = started_event(history(name))
    assert started is not None
    assert started["Version"] == current_version()


def test_no_history_of_a_released_version_has_changed():
    changelog = (ROOT / "CHANGELOG.md").read_text()
    assert list(faults(changelog, released(LIST.read_text()), current_version(), stored())) == []


@pytest.mark.parametrize(
    ("changelog", "known", "version", "now", "wrong"),
    [
        (DEVELOPED, {}, "1", {"backup_vm": "aa"}, []),
        (RELEASED, KNOWN, "1", {"backup_vm": "aa", "restore": "bb"}, []),
        (RELEASED, KNOWN, "1", {"backup_vm": "aa", "restore": "bb", "new": "cc"}, []),
        (RELEASED, KNOWN, "2", {"backup_vm": "other", "restore": "bb"}, []),
        (RELEASED, {}, "1", {"backup_vm": "aa"}, ["there is a release"]),
        (RELEASED, KNOWN, "1", {"backup_vm": "other", "restore": "bb"}, ["backup_vm was released"]),
        (RELEASED, KNOWN, "1", {"backup_vm": "aa"}, ["restore was released"]),  # it is gone
    ],
)
def test_a_change_under_a_released_version_is_found_and_one_under_a_new_version_is_none(
    changelog, known, version, now, wrong
):
    found = list(faults(changelog, known, version, now))
    assert [fault[: len(begin)] for fault, begin in zip(found, wrong, strict=True)] == wrong


def test_the_list_of_what_was_released_is_read_by_version():
    assert released("1 backup_vm aa\n1 restore bb\n2 restore cc\n") == {**KNOWN, "2": {"restore": "cc"}}
