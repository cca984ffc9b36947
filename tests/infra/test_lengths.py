"""A name that can become longer than Azure takes is found before somebody's deployment finds it."""

from __future__ import annotations

import pytest

from infra.checks import lengths
from infra.checks.project import Project


def told(planted):
    return [str(finding) for finding in planted.findings(lengths.check)]


def test_no_name_becomes_too_long(planted):
    assert told(planted) == []


def test_most_names_are_judged():
    assert int(lengths.check(Project()).looked_at.split()[0]) > 40


@pytest.mark.parametrize(
    ("name", "old", "new", "found"),
    [
        (
            "app.bicep",
            "'tidehost$",
            "'tidemarkhost$",
            "name of hostAccount can have 25 characters, and Azure takes 24",
        ),
        (
            "app.bicep",
            "'tidemark-${installation}'",
            "'tidemark-of-functions-${installation}'",
            "functionApp can have 35",
        ),
        (
            "main.bicep",
            "@maxLength(64)",
            "@maxLength(90)",
            "the name of group can have 99 characters, and Azure takes 90",
        ),
        ("function-app.bicep", "'${name}-plan'", "'${name}-the-plan'", "the name of plan can have 41"),
        (
            "location.bicep",
            "'tidemark-manifests-$",
            "'tidemark-the-manifests-of-one-location-in-$",
            "the name of the deployment manifests can have 66 characters, and Azure takes 64",
        ),
    ],
)
def test_a_name_that_can_become_too_long_is_found(planted, name, old, new, found):
    planted.change(f"infra/{name}", old, new)
    assert any(found in line for line in told(planted)), told(planted)
