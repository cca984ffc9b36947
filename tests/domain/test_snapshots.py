"""Snapshots: taken is not usable, and neither is success of a call success of a copy."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from domain.snapshots import Snapshot


@pytest.mark.parametrize(
    ("state", "percent", "error", "is_taken", "is_usable", "has_failed"),
    [
        ("Updating", None, None, False, False, False),  # the answer to the call that began it
        ("Creating", None, None, False, False, False),
        ("Succeeded", None, None, True, True, False),  # a standard or premium disk's is whole at once
        ("Succeeded", 0.0, None, True, False, False),  # a copy whose call has succeeded
        ("Succeeded", 99.99, None, True, False, False),
        ("Succeeded", 100.0, None, True, True, False),
        ("Updating", 100.0, None, False, False, False),
        ("Succeeded", 40.0, "CopySourceNotFound: gone", True, False, True),
        ("Succeeded", 100.0, "CopySourceNotFound: gone", True, False, True),
        ("Failed", None, None, False, False, True),  # left behind at a limit
        ("Canceled", None, None, False, False, True),
    ],
)
def test_what_azure_says_of_a_snapshot_means(state, percent, error, is_taken, is_usable, has_failed):
    named = Snapshot("id", "name", state, "source", percent=percent, copy_error=error)
    snapshot = replace(named, unique_id="unique", created=datetime(2026, 11, 22, 16, tzinfo=UTC))
    assert (snapshot.is_taken, snapshot.is_usable) == (is_taken, is_usable)
    assert (snapshot.failure is not None) == has_failed


def test_a_snapshot_without_moment_or_identity_is_not_taken_yet():
    moment = datetime(2026, 11, 22, 16, tzinfo=UTC)
    assert not Snapshot("id", "name", "Succeeded", "source", unique_id="unique").is_taken
    assert not Snapshot("id", "name", "Succeeded", "source", created=moment).is_taken


def test_a_failure_says_why():
    assert Snapshot("id", "one", "Failed", "source").failure == "Azure reports the snapshot 'one' as Failed"
    told = Snapshot("id", "one", "Succeeded", "source", copy_error="CopySourceNotFound: gone")
    assert told.failure == "CopySourceNotFound: gone"
