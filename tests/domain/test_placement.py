"""Where disks and VMs stand when they are brought back."""

from __future__ import annotations

from dataclasses import replace

import pytest

from domain.placement import needs_a_zone, size_there, sku_there, zones_there
from tests.domain.samples import NORTH, WEST, disk

ZONED = replace(NORTH, zones={"1": "3", "2": "1"})


@pytest.mark.parametrize(
    ("zones", "location", "there"),
    [
        (("2",), WEST, ("2",)),  # its own region
        (("2",), NORTH, ()),  # zone 2 there is another place
        (("2",), ZONED, ("1",)),
        (("3",), ZONED, ()),  # not mapped
        ((), ZONED, ()),
    ],
)
def test_zones_follow_the_map_of_the_location(zones, location, there):
    assert zones_there(zones, "WestEurope", location) == there


@pytest.mark.parametrize(
    ("sku", "location", "there"),
    [
        ("Premium_ZRS", WEST, "Premium_ZRS"),
        ("Premium_ZRS", ZONED, "Premium_ZRS"),
        ("Premium_ZRS", NORTH, "Premium_LRS"),  # nothing says that there are zones
        ("StandardSSD_ZRS", NORTH, "StandardSSD_LRS"),
        ("UltraSSD_LRS", NORTH, "UltraSSD_LRS"),
    ],
)
def test_a_disk_is_zone_redundant_only_where_there_are_zones(sku, location, there):
    assert sku_there(disk(sku=sku), location) == there


def test_a_size_is_mapped_away_from_home_only_whatever_its_case():
    mapped = {"standard_d4s_v5": "Standard_E4s_v5"}
    assert size_there("Standard_D4s_v5", "westeurope", replace(NORTH, sizes=mapped)) == "Standard_E4s_v5"
    assert size_there("Standard_D2s_v5", "westeurope", replace(NORTH, sizes=mapped)) == "Standard_D2s_v5"
    assert size_there("Standard_D4s_v5", "westeurope", replace(WEST, sizes=mapped)) == "Standard_D4s_v5"


@pytest.mark.parametrize(
    ("sku", "zones", "location", "needs"),
    [
        ("UltraSSD_LRS", ("1",), NORTH, True),
        ("PremiumV2_LRS", ("3",), ZONED, True),  # this one is not mapped
        ("PremiumV2_LRS", ("1",), ZONED, False),
        ("PremiumV2_LRS", ("1",), WEST, False),
        ("PremiumV2_LRS", (), NORTH, False),  # from a region without zones to one of which none are known
        ("PremiumV2_LRS", (), ZONED, True),  # it needs one there, and nothing says which
        ("Premium_LRS", ("1",), NORTH, False),  # does without
    ],
)
def test_disks_that_exist_in_zones_only_need_one(sku, zones, location, needs):
    assert needs_a_zone(disk(sku=sku, zones=zones), location) is needs
