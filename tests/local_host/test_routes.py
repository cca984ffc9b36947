"""Route templates as ASP.NET reads them."""

import pytest

from local_host.routes import Route, RouteError

MATCHES = [
    ("points", "points", {}),
    ("points", "POINTS/", {}),
    ("points/{id}", "points/a%2Fb~1", {"id": "a/b~1"}),
    ("points/{id}/hold", "points/x/HOLD", {"id": "x"}),
    ("points/{id?}", "points", {}),
    ("points/{id?}", "points/7", {"id": "7"}),
    ("points/{id:int?}", "points/7", {"id": "7"}),
    ("files/{*path}", "files/a/b/c", {"path": "a/b/c"}),
    ("files/{*path}", "files", {}),
    ("{kind=all}", "", {"kind": "all"}),
    ("{name}.{extension}", "disk.vhd", {"name": "disk", "extension": "vhd"}),
    ("{id:guid}", "6f9619ff-8b86-d011-b42d-00cf4fc964ff", {"id": "6f9619ff-8b86-d011-b42d-00cf4fc964ff"}),
    ("{n:range(1,5)}", "5", {"n": "5"}),
    ("{n:min(3):max(5)}", "4", {"n": "4"}),
    ("{word:alpha:length(3)}", "abc", {"word": "abc"}),
    ("{word:regex(^a/?b$)}", "ab", {"word": "ab"}),
    ("{when:datetime}", "2026-03-01", {"when": "2026-03-01"}),
    ("{flag:bool}", "TRUE", {"flag": "TRUE"}),
]
MISMATCHES = [
    ("points", "point"),
    ("points/{id}", "points"),
    ("points/{id}", "points/a/b"),
    ("points/{id:int}", "points/x"),
    ("points/{id:int}", "points/3000000000"),
    ("{id:guid}", "not-one"),
    ("{n:range(1,5)}", "6"),
    ("{word:alpha}", "a1"),
    ("{word:length(3)}", "abcd"),
    ("{word:regex(^ab$)}", "abc"),
]


@pytest.mark.parametrize(("template", "path", "values"), MATCHES)
def test_a_path_that_fits_gives_its_values(template, path, values):
    assert Route.parse(template).match(path) == values


@pytest.mark.parametrize(("template", "path"), MISMATCHES)
def test_a_path_that_does_not_fit_gives_nothing(template, path):
    assert Route.parse(template).match(path) is None


def test_an_unknown_constraint_is_refused():
    with pytest.raises(RouteError, match="'colour' is not known"):
        Route.parse("{id:colour}")
