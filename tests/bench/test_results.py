"""What the repository tells of its speed is what was measured, whole, and says in what circumstances."""

from __future__ import annotations

import json

from bench.__main__ import FIGURES, RESULTS, figures


def rows():
    return json.loads(RESULTS.read_text())


def test_the_page_of_figures_is_that_of_the_results():
    assert FIGURES.read_text() == figures(rows())


def test_every_row_says_what_was_measured_of_which_commit_under_which_load():
    for row in rows():
        assert set(row) == {"name", "value", "unit", "aim", "better", "commit", "load"}, row["name"]
        assert "changes" not in row["commit"], f"{row['name']}: nobody can tell what was measured"


def test_no_two_rows_have_one_name_for_a_later_run_would_take_one_for_the_other():
    names = [row["name"] for row in rows()]
    assert len(names) == len(set(names))


def test_all_that_has_an_aim_was_measured():
    aimed = {(row["unit"], row["aim"]) for row in rows() if row["aim"] is not None}
    assert {("times", 1.3), ("ratio", 0.5), ("s", 0.5), ("s", 90.0), ("times", 1.15), ("%", 1.0)} <= aimed
