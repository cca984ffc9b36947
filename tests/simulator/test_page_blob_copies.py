"""Pages from a URL and Copy Blob: from where, how fast, and what a source that cannot be read says."""

from __future__ import annotations

import base64
from random import Random

import pytest
from azure.core.exceptions import HttpResponseError

from simulator.data_plane.checksums import crc64_of
from tests.simulator.storage_accounts import (
    CONTAINER,
    MIB,
    PAGE,
    account_of,
    refusal,
    told,
)

BYTES = Random(1).randbytes(64 * 1024)
MIB_4 = 4 * MIB


class TestFromUrl:
    """Put Page From URL out of page blobs; out of disks it is in test_arm_uploads.py."""

    @pytest.fixture
    def source(self, storage):
        """Another account's blob, by SAS."""
        other = account_of(
            storage.cloud,
            storage.cloud.add_storage_account("archive", "westeurope", "production"),
            **storage.options,
        )
        other.blob("old.vhd").create_page_blob(8 * MIB)
        other.blob("old.vhd").upload_page(BYTES, MIB, len(BYTES))
        return other

    def url(self, source, **options):
        return f"{source.blob('old.vhd').url}?{source.sas('r', **options)}"

    def test_pages_come_from_another_account(self, storage, source):
        url = self.url(source)
        answer = storage.blob().upload_pages_from_url(url, 4096, len(BYTES), MIB)
        assert bytes(answer["content_crc64"]) == base64.b64decode(crc64_of([BYTES]))
        assert storage.handle.blob(CONTAINER, "web.vhd").read(4096, len(BYTES)) == BYTES

    @pytest.mark.parametrize(
        ("why", "ask", "expected"),
        [
            (
                "too long",
                lambda b, u: b.upload_pages_from_url(u, 0, MIB_4 + PAGE, 0),
                "413 RequestBodyTooLarge",
            ),
            (
                "behind its end",
                lambda b, u: b.upload_pages_from_url(u, 0, MIB, 8 * MIB - PAGE),
                "416 CannotVerifyCopySource",
            ),
            (
                "not there",
                lambda b, u: b.upload_pages_from_url(u.replace("old", "no"), 0, PAGE, 0),
                "404 CannotVerifyCopySource",
            ),
            (
                "a signature that is none",
                lambda b, u: b.upload_pages_from_url(u.replace("sp=r", "sp=w"), 0, PAGE, 0),
                "403 CannotVerifyCopySource",
            ),
            (
                "no SAS",
                lambda b, u: b.upload_pages_from_url(u.partition("?")[0], 0, PAGE, 0),
                "401 CannotVerifyCopySource",
            ),
            (
                "not in this cloud",
                lambda b, u: b.upload_pages_from_url("https://example.org/x", 0, PAGE, 0),
                "404 CannotVerifyCopySource",
            ),
        ],
    )
    def test_a_source_that_cannot_be_read_is_told(self, storage, source, why, ask, expected):
        with pytest.raises(HttpResponseError) as raised:
            ask(storage.blob(), self.url(source))
        assert refusal(raised.value) == expected

    def test_an_expired_sas_is_told_and_a_checksum_checked(self, storage, source):
        url = self.url(source)
        sent = {"x-ms-page-write": "update", "x-ms-range": "bytes=0-511", "x-ms-source-range": "bytes=0-511"}
        sent |= {"x-ms-copy-source": url}
        for name, value, code in (
            ("x-ms-source-content-crc64", crc64_of([b"x"]), "Crc64Mismatch"),
            ("x-ms-source-content-md5", base64.b64encode(bytes(16)).decode(), "Md5Mismatch"),
            ("x-ms-source-range", "bytes=0-1023", "InvalidHeaderValue"),
        ):
            assert told(storage.ask("PUT", "&comp=page", sent | {name: value})) == (400, code)
        storage.pass_time(hours=2)
        assert told(storage.ask("PUT", "&comp=page", sent)) == (403, "CannotVerifyCopySource")

    def test_a_source_in_a_lost_region_is_told(self, storage, source):
        storage.cloud.lose_region("westeurope")
        with pytest.raises(HttpResponseError) as raised:
            storage.blob().upload_pages_from_url(self.url(source), 0, PAGE, 0)
        assert refusal(raised.value) == "500 CannotVerifyCopySource"


class TestCopyBlob:
    """Copy Blob: in the background, from a blob or a snapshot."""

    def test_a_snapshot_is_copied_in_its_time(self, storage):
        blob, target = storage.blob(), storage.blob("restored.vhd")
        blob.upload_page(BYTES, 0, len(BYTES))
        moment = blob.create_snapshot()["snapshot"]
        blob.clear_page(0, len(BYTES))
        source = f"{blob.url}?snapshot={moment}"
        assert target.start_copy_from_url(source)["copy_status"] == "pending"
        storage.pass_time(seconds=1)
        copy = target.get_blob_properties().copy
        done, total = map(int, copy.progress.split("/"))
        assert (copy.status, 0 < done < total, total) == ("pending", True, 16 * MIB + PAGE)
        for refused in (lambda: target.upload_page(bytes(PAGE), 0, PAGE), target.delete_blob):
            with pytest.raises(HttpResponseError) as raised:
                refused()
            assert refusal(raised.value) == "409 PendingCopyOperation"
        storage.pass_time(minutes=1)
        copy = target.get_blob_properties().copy
        assert (copy.status, copy.source, copy.progress) == ("success", source, f"{total}/{total}")
        assert target.download_blob(0, len(BYTES)).readall() == BYTES
        target.clear_page(0, PAGE)
        assert storage.blob(snapshot=moment).download_blob(0, PAGE).readall() == BYTES[:PAGE]

    def test_a_snapshot_is_promoted_over_its_blob(self, storage):
        blob = storage.blob()
        blob.upload_page(BYTES, 0, len(BYTES))
        moment = blob.create_snapshot()["snapshot"]
        blob.clear_page(0, MIB)
        blob.start_copy_from_url(f"{blob.url}?snapshot={moment}")
        storage.pass_time(minutes=1)
        assert blob.download_blob(0, len(BYTES)).readall() == BYTES
        assert storage.handle.blob(CONTAINER, "web.vhd").snapshots == [moment]

    def test_another_account_s_blob_needs_a_sas(self, storage):
        other = account_of(
            storage.cloud,
            storage.cloud.add_storage_account("archive", "westeurope", "production"),
            **storage.options,
        )
        other.blob("old.vhd").create_page_blob(MIB)
        with pytest.raises(HttpResponseError) as raised:
            storage.blob("new.vhd").start_copy_from_url(other.blob("old.vhd").url)
        assert refusal(raised.value) == "401 CannotVerifyCopySource"
        url = f"{other.blob('old.vhd').url}?{other.sas('r')}"
        storage.blob("new.vhd").start_copy_from_url(url)
        copy = storage.blob("new.vhd").get_blob_properties().copy
        assert "sig=" not in copy.source
