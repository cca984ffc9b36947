from __future__ import annotations

from datetime import timedelta


def test_a_tagged_vm_is_backed_up_by_the_timer_and_copied(world):
    world.add_vm("web", {"os": b"v1", "data": b"d1"}, tags={"tidemark-policy": "daily"})
    world.pass_time(timedelta(minutes=30))
    [vm] = __import__("gateways.connection").connection.cloud().catalogue.vms.page()
    assert set(vm.newest_available) == {"west", "north"}, vm
