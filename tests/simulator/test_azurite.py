"""Azurite as a child process: it comes up, keeps what it should and leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.core.exceptions import HttpResponseError
from azure.data.tables import TableServiceClient
from azure.storage.blob import BlobServiceClient

from simulator.azurite import Azurite, AzuriteFailed, random_keys
from tests.conftest import Accounts

ROOT = Path(__file__).parents[2]


def _tables(azurite: Azurite, account: str) -> TableServiceClient:
    credential = AzureNamedKeyCredential(account, azurite.keys[account])
    return TableServiceClient(azurite.table_endpoint(account), credential=credential, retry_total=0)


def _is_alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def _answers(endpoint: str) -> bool:
    address = urlsplit(endpoint)
    try:
        socket.create_connection((str(address.hostname), address.port or 0), timeout=1).close()
    except OSError:
        return False
    return True


def test_every_account_has_tables_and_blobs_of_its_own(azurite: Azurite, accounts: Accounts) -> None:
    one, other = accounts.fresh(), accounts.fresh()
    _tables(azurite, one.name).create_table("things").upsert_entity({"PartitionKey": "a", "RowKey": "b"})
    blobs = BlobServiceClient(one.blob_endpoint, credential=one.key, api_version="2021-12-02")
    blobs.create_container("things").upload_blob("thing", b"bytes")

    assert blobs.get_blob_client("things", "thing").download_blob().readall() == b"bytes"
    assert [
        row["RowKey"] for row in _tables(azurite, one.name).get_table_client("things").list_entities()
    ] == ["b"]
    neighbour = BlobServiceClient(other.blob_endpoint, credential=other.key, api_version="2021-12-02")
    assert list(neighbour.list_containers()) == []
    assert list(_tables(azurite, other.name).list_tables()) == []


def test_a_key_of_another_account_is_refused(azurite: Azurite, accounts: Accounts) -> None:
    one, other = accounts.fresh(), accounts.fresh()
    service = TableServiceClient(
        one.table_endpoint, credential=AzureNamedKeyCredential(one.name, other.key), retry_total=0
    )
    with pytest.raises(HttpResponseError, match=r"AuthorizationFailure|AuthenticationFailed"):
        service.create_table("things")


def test_no_account_is_handed_out_twice(accounts: Accounts) -> None:
    names = [accounts.fresh().name for _ in range(10)]
    assert len(set(names)) == len(names)


def test_a_test_run_without_accounts_left_says_so(azurite: Azurite) -> None:
    supply = Accounts(azurite)
    supply._left.clear()
    with pytest.raises(pytest.fail.Exception, match="used up; raise MOST_ACCOUNTS"):
        supply.fresh()


def test_what_lies_in_a_directory_is_there_after_a_restart(tmp_path: Path) -> None:
    azurite = Azurite(random_keys(["kept"]))
    try:
        azurite.start(tmp_path)
        _tables(azurite, "kept").create_table("things").upsert_entity({"PartitionKey": "a", "RowKey": "b"})
        azurite.stop()
        azurite.start(tmp_path)
        assert _tables(azurite, "kept").get_table_client("things").get_entity("a", "b")["RowKey"] == "b"
    finally:
        azurite.stop()


def test_stopping_leaves_no_process_and_may_be_done_twice() -> None:
    with Azurite(random_keys(["brief"])) as azurite:
        process = azurite.pid
        assert process is not None
        azurite.stop()
        assert not _is_alive(process)
        with pytest.raises(AzuriteFailed, match="is not running"):
            azurite.table_endpoint("brief")


def test_it_ends_with_its_parent_also_when_that_is_killed() -> None:
    code = (
        "from simulator.azurite import Azurite, random_keys\n"
        "import sys, time\n"
        "azurite = Azurite(random_keys(['orphan'])).start()\n"
        "print(azurite.table_endpoint('orphan'), flush=True)\n"
        "time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, cwd=ROOT) as parent:
        assert parent.stdout is not None
        endpoint = parent.stdout.readline().decode().strip()
        assert _answers(endpoint)
        parent.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 15
    while _answers(endpoint):
        assert time.monotonic() < deadline, f"{endpoint} still answers"
        time.sleep(0.02)


def test_one_that_does_not_come_up_tells_why_with_the_end_of_its_log(tmp_path: Path) -> None:
    broken = tmp_path / "azurite.js"
    broken.write_text("console.error('no room on this machine'); process.exit(7);")
    with pytest.raises(AzuriteFailed, match=r"status 7; the end of its log:\nno room on this machine"):
        Azurite(random_keys(["any"]), program=broken).start(tmp_path)


def test_one_that_is_not_installed_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(AzuriteFailed, match="run: make setup"):
        Azurite(random_keys(["any"]), program=tmp_path / "absent.js").start(tmp_path)


def test_an_account_that_it_was_not_started_with_is_named(azurite: Azurite) -> None:
    with pytest.raises(KeyError, match="without an account 'stranger'"):
        azurite.blob_endpoint("stranger")
