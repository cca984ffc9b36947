"""Who is let in, what is found, and how lists are paged (azure-semantics §1.1, §8, §9)."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor

import pytest
from azure.core.exceptions import ResourceNotFoundError

from simulator.cloud import Cloud
from simulator.tempo import Tempo
from simulator.wire import Request
from tests.simulator.conftest import GIB, HOME, RECOVERY, snapshot_body

DISK = "resourceGroups/production/providers/Microsoft.Compute/disks/web-data"
SNAPSHOT = "resourceGroups/production/providers/Microsoft.Compute/snapshots/s1"


def refusal(answer):
    return answer.status, json.loads(answer.body)["error"]["code"]


def test_a_request_without_a_bearer_token_is_not_let_in(azure):
    answer = azure.ask("GET", DISK, token=None)
    assert refusal(answer) == (401, "AuthenticationFailed")
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert refusal(azure.ask("GET", DISK, headers={"authorization": "Basic x"}, token=None))[0] == 401


@pytest.mark.parametrize(
    "version", ["2023-04-02", "2025-01-02", "2026-03-02", "2026-04-01", "2021-07-01-preview"]
)
def test_every_api_version_is_served(azure, version):
    """§1.1: route on the path, accept several api-versions."""
    assert azure.ask("GET", DISK, version=version).status == 200


def test_a_request_without_an_api_version_is_refused(azure):
    assert refusal(azure.ask("GET", DISK, version=None)) == (400, "MissingApiVersionParameter")
    assert refusal(azure.ask("GET", DISK, version="latest")) == (400, "InvalidApiVersionParameter")


@pytest.mark.parametrize(
    ("method", "path", "expected"),
    [
        ("GET", "/subscriptions/nobody/resourcegroups", (404, "SubscriptionNotFound")),
        ("GET", "resourceGroups/none", (404, "ResourceGroupNotFound")),
        ("GET", DISK.replace("production", "none"), (404, "ResourceGroupNotFound")),
        ("PUT", DISK.replace("production", "none"), (404, "ResourceGroupNotFound")),
        ("GET", f"{DISK}x", (404, "ResourceNotFound")),
        ("GET", "providers/Microsoft.Compute/galleries", (404, "InvalidResourceType")),
        ("POST", f"{DISK}/explode", (404, "InvalidResourceType")),
        ("GET", "providers/Microsoft.Nonsense/things", (404, "InvalidResourceNamespace")),
        ("GET", "/somewhere/else", (404, "NotFound")),
        ("POST", DISK, (405, "MethodNotAllowed")),
    ],
)
def test_what_is_not_there_is_refused_with_azures_code(azure, method, path, expected):
    assert refusal(azure.ask(method, path, {})) == expected


def test_a_body_that_is_no_json_is_refused(azure):
    url = f"https://management.azure.com/subscriptions/{azure.cloud.subscription}/{SNAPSHOT}?api-version=2025-01-02"
    answer = azure.cloud.handle(Request.of("PUT", url, {"authorization": "Bearer x"}, b"{nonsense"))
    assert refusal(answer) == (400, "InvalidRequestContent")


def test_ids_are_compared_without_regard_to_case(azure):
    """§9: ARM ids are case-insensitive."""
    assert azure.ask("GET", f"/SUBSCRIPTIONS/{azure.cloud.subscription}/{DISK}".upper()).status == 200
    body = snapshot_body(azure.web.disk("data").id.upper())
    made = azure.sdk.snapshots.begin_create_or_update("PRODUCTION", "S1", body).result()
    assert azure.sdk.snapshots.get("production", "s1").id == made.id


def test_every_answer_carries_ids_to_ask_support_about(azure):
    """§8: x-ms-request-id, x-ms-correlation-request-id."""
    first, second = azure.ask("GET", DISK), azure.ask("GET", f"{DISK}x")
    assert first.headers["x-ms-request-id"] != second.headers["x-ms-request-id"]
    mine = azure.ask("GET", DISK, headers={"x-ms-correlation-request-id": "mine"})
    assert mine.headers["x-ms-correlation-request-id"] == "mine"


class TestLists:
    @pytest.fixture
    def tempo(self) -> Tempo:
        return Tempo(page_size=3)

    def test_lists_are_paged_by_next_link(self, azure):
        """§1.4: the SDK follows nextLink."""
        for number in range(7):
            azure.cloud.add_disk(f"d{number}", HOME, "production", GIB)
        azure.cloud.add_disk("elsewhere", RECOVERY, "recovery", GIB)
        page = json.loads(azure.ask("GET", "providers/Microsoft.Compute/disks").body)
        assert len(page["value"]) == 3
        assert page["nextLink"].startswith("https://management.azure.com/subscriptions/")
        names = [disk.name for disk in azure.sdk.disks.list_by_resource_group("production")]
        assert names == [*(f"d{number}" for number in range(7)), "web-data", "web-os"]
        assert len(list(azure.sdk.disks.list())) == 10

    def test_a_page_that_is_just_full_is_the_last(self, azure):
        azure.cloud.add_disk("third", HOME, "production", GIB)
        page = json.loads(azure.ask("GET", "providers/Microsoft.Compute/disks").body)
        assert (len(page["value"]), "nextLink" in page) == (3, False)

    def test_what_is_deleted_between_pages_does_not_shift_the_others(self, azure):
        for number in range(6):
            azure.cloud.add_disk(f"d{number}", HOME, "production", GIB)
        pages = azure.sdk.disks.list_by_resource_group("production").by_page()
        first = [disk.name for disk in next(pages)]
        azure.ask("DELETE", azure.id("disks", "d1"))
        azure.pass_time(seconds=1)
        assert [*first, *(disk.name for page in pages for disk in page)][3:] == [
            "d3", "d4", "d5", "web-data", "web-os",
        ]  # fmt: skip

    def test_a_group_whose_name_begins_like_another_is_another(self, azure):
        azure.cloud.add_disk("alien", HOME, "production2", GIB)
        assert "alien" not in {disk.name for disk in azure.sdk.disks.list_by_resource_group("production")}

    def test_lists_of_machines_shout_their_groups(self, azure):
        """§9: the case of ids varies between responses."""
        listed = next(iter(azure.sdk.virtual_machines.list_all()))
        assert listed.id == azure.web.id.replace("/production/", "/PRODUCTION/")
        assert azure.sdk.virtual_machines.get("production", "web").id == azure.web.id

    def test_subscriptions_regions_and_groups_are_listed(self, azure):
        regions = json.loads(azure.ask("GET", "locations").body)["value"]
        assert {"westeurope", "northeurope"} <= {region["name"] for region in regions}
        found = json.loads(azure.ask("GET", "/subscriptions").body)["value"]
        assert [each["subscriptionId"] for each in found] == [azure.cloud.subscription]
        groups = json.loads(azure.ask("GET", "resourcegroups").body)["value"]
        assert {group["name"]: group["location"] for group in groups} == {
            "production": HOME,
            "recovery": RECOVERY,
        }


class TestGroups:
    def test_a_group_is_made_found_and_deleted_with_what_is_in_it(self, azure):
        assert azure.ask("PUT", "resourceGroups/new", {"location": "North Europe"}).status == 201
        assert (
            azure.ask("PUT", "resourceGroups/NEW", {"location": RECOVERY, "tags": {"a": "b"}}).status == 200
        )
        group = json.loads(azure.ask("GET", "resourceGroups/new").body)
        assert (group["name"], group["location"], group["tags"]) == ("new", RECOVERY, {"a": "b"})
        azure.cloud.add_disk("d", RECOVERY, "new", GIB)
        assert azure.ask("HEAD", "resourceGroups/new").status == 204
        assert azure.ask("DELETE", "resourceGroups/new").status == 200
        assert azure.ask("HEAD", "resourceGroups/new").status == 404
        assert "d" not in {disk.name for disk in azure.sdk.disks.list()}

    def test_a_group_never_moves(self, azure):
        moved = azure.ask("PUT", "resourceGroups/production", {"location": RECOVERY})
        assert refusal(moved) == (409, "InvalidResourceGroupLocation")

    def test_a_group_with_an_open_snapshot_is_not_deleted(self, azure):
        """§4.1: an active SAS stalls group deletion; here it is refused (own choice)."""
        azure.take("s1")
        read = {"access": "Read", "durationInSeconds": 600}
        azure.sdk.snapshots.begin_grant_access("production", "s1", read).result()
        assert refusal(azure.ask("DELETE", "resourceGroups/production")) == (409, "Conflict")

    @pytest.mark.parametrize("name", ["ends.", "has space", "x" * 91])
    def test_a_name_that_azure_does_not_take_is_refused(self, azure, name):
        answer = azure.ask("PUT", f"resourceGroups/{name.replace(' ', '%20')}", {"location": HOME})
        assert refusal(answer) == (400, "InvalidParameter")


@pytest.mark.parametrize("asked", ["statusOnly=true", "$expand=instanceView", "$filter=x"])
def test_a_list_is_not_cut_or_filled_as_asked_and_says_so(azure, asked):
    path = f"providers/Microsoft.Compute/virtualMachines?{asked}"
    assert refusal(azure.ask("GET", path)) == (400, "SimulatorNotSimulated")


def test_the_same_seed_gives_the_same_ids(azure, clock):
    def built(seed):
        cloud = Cloud(clock, seed=seed)
        disk = cloud.add_disk("d", HOME, "production", GIB)
        cloud.close()
        return cloud.subscription, disk.unique_id

    assert built(1) == built(1)
    assert built(1) != built(2)
    with pytest.raises(ResourceNotFoundError):
        azure.sdk.disks.get("production", "d")


def test_many_threads_get_an_answer_each(azure):
    def take(number):
        disk = azure.cloud.add_disk(f"d{number}", HOME, "production", GIB)
        path = f"resourceGroups/production/providers/Microsoft.Compute/snapshots/s{number}"
        return azure.ask("PUT", path, snapshot_body(disk.id)).status

    with ThreadPoolExecutor(8) as threads:
        assert set(threads.map(take, range(60))) == {202}
    azure.pass_time(seconds=1)
    made = list(azure.sdk.snapshots.list())
    assert len({snapshot.unique_id for snapshot in made}) == 60
    assert len({snapshot.incremental_snapshot_family_id for snapshot in made}) == 60
