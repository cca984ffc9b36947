"""What the copy that a disk is imported from has come to: never taken for whole before it is."""

from __future__ import annotations

import pytest

from domain.blob_sources import BlobSource, ImportBlob

SOURCE = BlobSource(
    "https://vault.example/replicas/", "web.vhd", "a time", 1024, "an account", "restores/o/web.vhd"
)


@pytest.mark.parametrize(
    ("status", "is_ready", "has_failed"),
    [
        ("success", True, False),
        ("pending", False, False),
        ("failed", False, True),
        ("aborted", False, True),
        ("", False, False),  # the service says nothing of a copy: it is waited for
    ],
)
def test_a_copy_is_whole_when_the_service_says_so_and_its_failure_is_told(status, is_ready, has_failed):
    blob = ImportBlob.of(SOURCE, status, "404 NotFound")
    assert (blob.is_ready, blob.has_failed) == (is_ready, has_failed)
    assert "https://vault.example/replicas/restores/o/web.vhd" in blob.found
    assert "(404 NotFound)" in blob.found
