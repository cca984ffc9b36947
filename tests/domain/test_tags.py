"""Tags: every snapshot says what it is."""

from __future__ import annotations

from domain.tags import snapshot_tags
from tests.domain.samples import begun_point


def test_a_snapshot_says_what_it_is():
    point = begun_point()
    assert snapshot_tags(point.id, "web", "data", "daily", "west") == {
        "tidemark-point": point.id,
        "tidemark-vm": "web",
        "tidemark-disk": "data",
        "tidemark-slot": "20261122T0200Z",
        "tidemark-policy": "daily",
        "tidemark-location": "west",
    }


def test_no_value_is_longer_than_azure_takes():
    tags = snapshot_tags(begun_point().id, "w" * 300, "d" * 300, "p" * 300, "l" * 300)
    assert max(map(len, tags.values())) == 256
    assert tags["tidemark-point"] == begun_point().id  # what the catalogue is rebuilt from is never cut
