"""POST backups takes a restore point, once, or says everything that keeps it from doing so."""

from __future__ import annotations


def test_a_backup_is_accepted_written_down_and_started(api):
    vm = api.add_vm("web")
    answer = api.ask("POST", "backups", {"vm": vm})
    assert answer.status == 202, answer.body
    operation = answer.body
    assert answer.headers["Location"] == f"/api/v1/operations/{operation['id']}"
