"""Errors: one tree, with a code for each, and all faults in one message."""

from __future__ import annotations

from datetime import timedelta

from domain import errors
from domain.errors import (
    Absent,
    Busy,
    CloudError,
    Fault,
    InvalidInput,
    Refused,
    StepFailed,
    TidemarkError,
    Transient,
)


def kinds(base: type[TidemarkError]) -> set[type[TidemarkError]]:
    below = {kind for kind in base.__subclasses__() if kind.__module__ == errors.__name__}
    return below | {each for kind in below for each in kinds(kind)}


def test_the_tree_at_the_top_of_the_module_is_the_tree_of_the_code():
    drawn = errors.__doc__ or ""
    for kind in kinds(TidemarkError):
        assert f"── {kind.__name__} " in drawn, f"{kind.__name__} is missing from the drawing"
    assert drawn.count("── ") == len(kinds(TidemarkError))


def test_faults_are_all_told_in_one_message():
    wrong = InvalidInput("policies.yaml", [Fault("line 1", "is empty"), Fault("line 2", "is odd")])
    assert str(wrong) == "policies.yaml: line 1: is empty; line 2: is odd"
    assert [fault.field for fault in wrong.faults] == ["line 1", "line 2"]


def test_azures_word_for_the_reason_is_the_code():
    assert Refused("QuotaExceeded", "no room").code == "QuotaExceeded"
    assert StepFailed("begin_disk", "QuotaExceeded", "no room").code == "QuotaExceeded"
    assert Transient("TooManyRequests", "later", timedelta(seconds=5)).retry_after == timedelta(seconds=5)


def test_what_is_absent_is_refused_and_what_is_transient_is_not():
    assert issubclass(Absent, Refused)
    assert not issubclass(Transient, Refused)
    assert issubclass(Transient, CloudError)


def test_who_is_busy_is_told():
    busy = Busy("web is being backed up", "20261122-x", "web~1")
    assert (busy.operation, busy.point, busy.code) == ("20261122-x", "web~1", "Busy")
