"""The recovery region is lost in the middle of a copy, for days, and comes back."""

from __future__ import annotations

from datetime import timedelta

import pytest

from gateways.connection import cloud
from simulator.tempo import Tempo
from tests.world import HOME, MIB, RECOVERY

MINUTE = timedelta(minutes=1)
DAY = timedelta(days=1)
DAYS = 3


def days_without_the_north(world):
    """Change the disk day by day, and let its slot come."""
    world.lose_region(RECOVERY)
    for day in range(DAYS):
        world.write("web", "os", f"day {day}".encode())
        world.jump((world.clock.now() + DAY).replace(hour=2, minute=0, second=0))
        world.pass_time(10 * MINUTE)


@pytest.mark.parametrize(
    ("policy", "states"),
    [
        ("daily", ["available"] * (DAYS + 1)),
        ("newest", ["available", *["skipped"] * (DAYS - 1), "available"]),
    ],
)
def test_home_backs_up_meanwhile_and_then_every_copy_arrives_that_the_policy_wants(
    world, policy, states, caplog
):
    world.cloud.estate.tempo = Tempo(copy_bytes_per_second=MIB // 600)
    vm_id = world.add_vm("web", {"os": b"x" * MIB}, tags={"tidemark-policy": policy})
    world.back_up("web", within=5 * MINUTE)
    days_without_the_north(world)
    points = world.points_of(vm_id)[::-1]
    assert {point.replicas["west"] for point in points} == {"available"}
    assert "available" not in {point.replicas["north"] for point in points}
    [stalled] = [line for line in caplog.messages if '"copy_stalled"' in line]  # told once, not at every look
    assert '"location": "north"' in stalled
    assert "nothing is known of it since" in stalled
    assert world.seen("web")["coverage"] == "partly"  # nothing has ever arrived in the north
    back = world.restore(points[-1].id, "west", within=5 * MINUTE)
    assert back.disk("web-os")[:5] == f"day {DAYS - 1}".encode()

    world.bring_back_region(RECOVERY)
    world.pass_time(50 * MINUTE)

    arrived = world.points_of(vm_id)[::-1]
    assert [point.replicas["north"] for point in arrived[: len(points)]] == states
    [first] = cloud().catalogue.copies.find(arrived[0], "north")
    assert first.attempt == 1  # Azure went on with the half that it had
    assert world.seen("web")["coverage"] == "protected"
    world.assert_books_and_cloud_agree()
    assert cloud().catalogue.permits.table.query(cloud().policies.locations["north"].pool) == []
    world.lose_region(HOME)
    for place in (0, len(points) - 1):
        wanted = b"x" * 5 if place == 0 else f"day {place - 1}".encode()
        assert world.restore(arrived[place].id, "north", within=5 * MINUTE).disk("web-os")[:5] == wanted
