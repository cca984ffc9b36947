"""What a region offers of VM sizes, through the real SDK."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import Absent, Refused, Transient
from domain.machine_sizes import SizeOffer
from gateways.compute import Compute
from gateways.machine_sizes import MachineSizes
from settings import Identity
from simulator.transport import transport
from simulator.wire import Response
from tests.gateways.scripted import SUBSCRIPTION, Script, Token, error

SIZE = "Standard_D4s_v5"
NEXT = "https://management.azure.com/subscriptions/s/providers/Microsoft.Compute/skus?page=2"
# As Azure writes it: the region in small letters or as people see it, a restriction with both forms of where.
ENTRY = {
    "resourceType": "virtualMachines",
    "name": SIZE,
    "tier": "Standard",
    "size": "D4s_v5",
    "family": "standardDSv5Family",
    "locations": ["northeurope"],
    "locationInfo": [
        {
            "location": "northeurope",
            "zones": ["3", "1"],
            "zoneDetails": [
                {"name": ["3"], "capabilities": [{"name": "UltraSSDAvailable", "value": "True"}]}
            ],
        }
    ],
    "capabilities": [{"name": "PremiumIO", "value": "True"}],
    "restrictions": [
        {
            "type": "Zone",
            "values": ["northeurope"],
            "restrictionInfo": {"locations": ["northeurope"], "zones": ["1"]},
            "reasonCode": "NotAvailableForSubscription",
        }
    ],
}
DISKS = ENTRY | {"resourceType": "disks", "name": "Premium_LRS"}
OTHER = ENTRY | {"name": "Standard_D4s_v5_Promo"}


def asked(script: Script, size: str = SIZE, region: str = "northeurope") -> SizeOffer | None:
    compute = Compute(Token(), "https://management.azure.com", transport(script), identity=Identity.RESTORE)
    return MachineSizes(compute).find(SUBSCRIPTION, region, size)


def page(*entries: Any, following: str | None = None) -> Response:
    return Response.of_json(200, {"value": list(entries), **({"nextLink": following} if following else {})})


def test_the_size_is_found_among_all_that_there_is_and_without_regard_to_case():
    script = Script(page(DISKS, OTHER, ENTRY))
    assert asked(script, SIZE.upper()) == SizeOffer(
        SIZE,
        zones=("1", "3"),
        restricted=None,
        restricted_zones={"1": "NotAvailableForSubscription"},
        capabilities={"PremiumIO": "True"},
    )
    [request] = script.requests
    assert request.path == f"/subscriptions/{SUBSCRIPTION}/providers/Microsoft.Compute/skus"
    assert request.query["$filter"] == "location eq 'northeurope'"


def test_pages_are_followed_up_to_the_one_that_has_the_size():
    script = Script(page(DISKS, following=NEXT), page(ENTRY, following=f"{NEXT}&and=more"))
    assert asked(script)
    assert len(script.requests) == 2


def test_a_size_that_is_on_no_page_is_not_offered():
    script = Script(page(OTHER, following=NEXT), page(DISKS))
    assert asked(script) is None
    assert len(script.requests) == 2


def test_a_restriction_of_the_region_is_told_and_one_of_another_region_is_not():
    restriction = {"type": "Location", "values": ["North Europe"], "reasonCode": "QuotaId"}
    there = asked(Script(page(ENTRY | {"restrictions": [restriction]})))
    assert (there.restricted, there.restricted_zones) == ("QuotaId", {})
    elsewhere = asked(Script(page(ENTRY | {"restrictions": [restriction | {"values": ["westeurope"]}]})))
    assert elsewhere.restricted is None


def test_zones_of_another_region_are_not_taken_for_its_own():
    assert asked(Script(page(ENTRY)), region="westeurope").zones == ()


def test_the_simulated_cloud_tells_what_it_offers(azure):
    sizes = MachineSizes(azure.compute)
    azure.cloud.offers.restrict(SIZE, "northeurope", "2")
    there = sizes.find(SUBSCRIPTION, "northeurope", SIZE)
    assert (there.zones, there.restricted) == (("1", "2", "3"), None)
    assert there.restricted_zones == {"2": "NotAvailableForSubscription"}
    assert there.capabilities["MaxDataDiskCount"] == "8"
    azure.cloud.offers.restrict(SIZE, "westeurope")
    assert sizes.find(SUBSCRIPTION, "westeurope", SIZE).restricted == "NotAvailableForSubscription"
    azure.cloud.offers.withdraw(SIZE, "northeurope")
    assert sizes.find(SUBSCRIPTION, "northeurope", SIZE) is None


@pytest.mark.parametrize(
    ("answer", "raised"),
    [
        (error(429, "TooManyRequests", "slowly", {"Retry-After": "60"}), Transient),
        (error(503, "ServerBusy", "later"), Transient),
        (error(404, "SubscriptionNotFound", "there is no such subscription"), Absent),
        (error(403, "SomethingElse", "no"), Refused),
    ],
)
def test_failures_are_told_in_words_of_the_domain(answer, raised):
    with pytest.raises(raised, match=f"the VM sizes that northeurope offers subscription {SUBSCRIPTION}"):
        asked(Script(answer))
