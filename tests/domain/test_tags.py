"""Tags: every snapshot says what it is."""

from __future__ import annotations

from domain.tags import restored_tags, snapshot_tags, tags_left_behind
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


def test_what_is_brought_back_keeps_foreign_tags_and_says_what_made_it():
    tags = {"owner": "shop", "Tidemark-Policy": "daily", "tidemark-operation": "an older restore"}
    assert restored_tags(tags, "point", "operation") == {
        "owner": "shop",
        "tidemark-point": "point",
        "tidemark-operation": "operation",
    }
    assert tags_left_behind(tags) == ["Tidemark-Policy", "tidemark-operation"]


def test_no_more_tags_are_given_than_azure_takes():
    tags = {f"tag{number:02d}": "" for number in range(50)}
    assert len(restored_tags(tags, "point", "operation")) == 50
    assert tags_left_behind(tags) == ["tag48", "tag49"]
