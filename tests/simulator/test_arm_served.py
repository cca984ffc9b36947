"""`python -m simulator`: the world file, the levers, and the commands that it prints."""

from __future__ import annotations

import json
import re
import shlex
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from azure.mgmt.compute import ComputeManagementClient
from azure.storage.blob import BlobClient

from simulator.__main__ import main
from simulator.control_room import ControlRoom
from simulator.server import Server
from simulator.wire import Request
from simulator.world_file import WorldFileError, build_world, read_world
from tests.simulator.conftest import GIB, ImpatientTransport, Token, snapshot_body

ROOT = Path(__file__).parent.parent.parent
WORLD = """
resource_groups: {production: West Europe, recovery: northeurope}
virtual_machines:
  - name: shop
    region: westeurope
    group: production
    tags: {team: shop}
    disks:
      os: {size_gib: 1, image: os.img}
      data: {size_gib: 2, sku: StandardSSD_LRS}
storage_accounts:
  - {name: vault, region: northeurope, group: recovery, containers: [disks]}
"""


@pytest.fixture
def served():
    process = subprocess.Popen(
        [sys.executable, "-m", "simulator", "--speed", "100"],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    yield process
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=20)
    assert (process.returncode, errors) == (0, "")


def welcome_of(process):
    lines = []
    for line in process.stdout:
        lines.append(line.rstrip("\n"))
        if line.startswith("Ctrl-C"):
            return lines
    pytest.fail(f"the simulator ended early: {process.stderr.read()}")


def run_as_curl(command):
    """Send what a printed curl command would send; return the status and the body."""
    words = shlex.split(command)
    method = words[words.index("-X") + 1] if "-X" in words else "GET"
    data = words[words.index("-d") + 1].encode() if "-d" in words else None
    url = next(word for word in words if word.startswith("http://"))
    headers = dict([words[words.index("-H") + 1].split(": ", 1)]) if "-H" in words else {}
    request = urllib.request.Request(url, data, headers, method=method)
    with urllib.request.urlopen(request, timeout=10) as answer:
        return answer.status, answer.read()


def test_every_printed_command_works(served):
    commands = [line for line in welcome_of(served) if line.startswith("  curl")]
    statuses = []
    for command in commands:
        status, body = run_as_curl(command)
        statuses.append(status)
        while "/snapshots/first?" in command and b'"Updating"' in body and "-X" not in command:
            status, body = run_as_curl(command)
    assert statuses == [200, 202, 200, 202, 200, 200, 200]


def test_the_sdks_work_over_http_too(azure):
    """§1.4: enforce_https=False per call; §4.3: on loopback the SAS has three segments."""
    azure.web.disk("data").image.write(0, b"precious")
    with Server(ImpatientTransport(azure.cloud, azure.clock)) as server:
        azure.cloud.base_url = server.url
        with ComputeManagementClient(
            Token("tester"), azure.cloud.subscription, base_url=server.url, polling_interval=0, retry_total=0
        ) as sdk:
            snapshots: Any = sdk.snapshots
            http = {"enforce_https": False}
            body = snapshot_body(azure.web.disk("data").id)
            made = snapshots.begin_create_or_update("production", "s1", body, **http).result()
            read: Any = {"access": "Read", "durationInSeconds": 600}
            sas = str(snapshots.begin_grant_access("production", "s1", read, **http).result().access_sas)
        assert made.provisioning_state == "Succeeded"
        assert sas.startswith(f"{server.url}/md-")
        with BlobClient.from_blob_url(sas, api_version="2020-10-02") as blob:
            assert blob.download_blob(offset=0, length=8).readall() == b"precious"


def test_the_help_says_what_it_is(capsys):
    with pytest.raises(SystemExit, match="0"):
        main(["--help"])
    told = re.sub(r"\s+", " ", capsys.readouterr().out)
    assert "simulated slice of Azure over HTTP" in told
    assert "--seed-file" in told


def test_a_world_comes_from_a_file(azure, tmp_path):
    (tmp_path / "os.img").write_bytes(b"boot" + bytes(1020))
    (tmp_path / "world.yaml").write_text(WORLD)
    build_world(azure.cloud, read_world(tmp_path / "world.yaml"), tmp_path)
    disk = azure.cloud.disk(azure.id("disks", "shop-os"))
    assert (disk.image.size_bytes, disk.image.read(0, 4)) == (GIB, b"boot")
    vault = azure.cloud.estate.storage.find("vault")
    assert (vault.location, list(vault.containers)) == ("northeurope", ["disks"])
    assert azure.sdk.disks.get("production", "shop-data").sku.name == "StandardSSD_LRS"
    assert azure.sdk.virtual_machines.get("production", "shop").tags == {"team": "shop"}


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("storage_accounts: [{name: Vault, region: westus, group: g}]", "'Vault' cannot name"),
        ("virtual_machines: [{name: x, region: r, group: g}]", "virtual_machines.0.disks"),
        ("machines: []", "machines: Extra inputs"),
        ("resource_groups: {a: atlantis}", "'atlantis' is not a region"),
        ("{", "world.yaml"),
    ],
)
def test_a_faulty_world_file_is_refused_with_its_faults(tmp_path, capsys, text, words):
    path = tmp_path / "world.yaml"
    path.write_text(text)
    assert main(["--seed-file", str(path)]) == 2
    assert words in capsys.readouterr().err


def test_a_missing_world_file_is_named(tmp_path):
    with pytest.raises(WorldFileError, match=r"none\.yaml"):
        read_world(tmp_path / "none.yaml")


class TestLevers:
    @pytest.fixture
    def pull(self, azure):
        room = ControlRoom(azure.cloud)

        def pull(method, path, body=b""):
            answer = room.handle(Request.of(method, f"http://127.0.0.1{path}", {}, body))
            return answer.status, json.loads(b"".join(answer.chunks()))

        return pull

    def test_a_region_is_lost_and_restored(self, azure, pull):
        assert pull("POST", "/simulator/lose/westeurope")[0] == 200
        assert list(azure.sdk.disks.list()) == []
        assert pull("POST", "/simulator/restore/westeurope")[0] == 200
        assert len(list(azure.sdk.disks.list())) == 2
        assert pull("POST", "/simulator/lose/atlantis")[0] == 400

    def test_a_disk_is_written_to(self, azure, pull):
        disk = azure.web.disk("data")
        assert pull("POST", f"/simulator/write{disk.id}", b"hello")[0] == 200
        assert disk.image.read(0, 5) == b"hello"

    def test_the_meter_is_read(self, azure, pull):
        azure.copy("c1", azure.take("s1").id)
        status, told = pull("GET", "/simulator/meter")
        assert (status, told["copies"][0]["whole"]) == (200, True)

    def test_other_levers_are_not_there(self, pull):
        assert pull("POST", "/simulator/explode")[0] == 404

    def test_everything_else_is_the_clouds(self, azure, pull):
        assert pull("GET", "/subscriptions?api-version=2025-01-02")[0] == 401
