"""What is said of a restore: where it could not be begun, and what came of it."""

from __future__ import annotations

from dataclasses import replace

from domain.errors import Fault
from domain.networks import RestoredInterface
from domain.not_carried import NotCarried
from domain.restore_outcomes import Preflight, RestoreOutcome, elsewhere, refusal
from domain.restore_points import ReplicaState
from domain.restored_machines import RestoredMachine
from domain.restores import RestoredDisk
from tests.domain.samples import available_point


def test_every_fault_is_in_the_failure_and_in_a_list():
    faults = (Fault("subnet", "there is none"), Fault("name", "it is taken"))
    outcome = refusal(Preflight(faults=faults), "north")
    assert outcome.failure == "nothing was made: subnet: there is none; name: it is taken"
    assert outcome.told()["faults"] == [
        {"field": "subnet", "message": "there is none"},
        {"field": "name", "message": "it is taken"},
    ]
    assert not outcome.may_work_elsewhere


def test_a_location_that_does_not_answer_leads_elsewhere():
    outcome = refusal(Preflight(unreachable="no answer"), "west")
    assert outcome.failure == "location 'west' cannot be reached now (no answer); nothing was made"
    assert outcome.may_work_elsewhere


def test_elsewhere_is_where_the_point_is_available():
    replicas = {
        "west": ReplicaState.AVAILABLE,
        "north": ReplicaState.COPYING,
        "south": ReplicaState.AVAILABLE,
    }
    point = replace(available_point(), replicas=replicas)
    assert "also available in south" in elsewhere(point, "west")
    assert "also available in west, south" in elsewhere(point, "north")
    assert "available nowhere else" in elsewhere(replace(point, replicas={}), "west")
    assert "available nowhere else" in elsewhere(None, "west")


def test_what_came_of_a_restore_is_told():
    machine = RestoredMachine("/vms/web", "Succeeded", "Standard_D2s_v5", ("3",))
    outcome = RestoreOutcome(
        disks=(RestoredDisk("/disks/web-os-1", "web-os-1", "Succeeded", "s", source_disk="web-os"),),
        machine=machine,
        interface=RestoredInterface("/nics/web", "Succeeded", address="10.0.0.4"),
        not_carried=(NotCarried("identity", "assign it again"),),
    )
    assert outcome.told() == {
        "disks": [{"sourceDisk": "web-os", "lun": None, "name": "web-os-1", "id": "/disks/web-os-1"}],
        "notCarried": [{"what": "identity", "why": "assign it again"}],
        "interface": {"id": "/nics/web", "address": "10.0.0.4"},
        "vm": {"name": "web", "id": "/vms/web", "size": "Standard_D2s_v5", "zones": ["3"]},
    }
