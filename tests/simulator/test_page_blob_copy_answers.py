"""What copies into page blobs are refused for, and what is told of them: docs/azure-semantics.md §4.7."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.simulator.storage_accounts import PAGE, etag, told

UPDATE = {"x-ms-page-write": "update", "x-ms-range": "bytes=0-511"}
LONG_AGO, LATER = "Thu, 01 Jan 2026 00:00:00 GMT", "Mon, 02 Mar 2026 00:00:00 GMT"


class TestSources:
    """Conditions on what is copied, and what is told of a source that was refused."""

    @pytest.mark.parametrize(
        ("why", "condition", "page", "whole"),
        [
            ("another ETag", ("match", '"0x1"'), 412, "SourceConditionNotMet"),
            ("its own ETag", ("none-match", "{etag}"), 304, "SourceConditionNotMet"),
            ("not changed since", ("modified-since", LATER), 304, "SourceConditionNotMet"),
            ("changed meanwhile", ("unmodified-since", LONG_AGO), 412, "SourceConditionNotMet"),
            ("met", ("match", "{etag}"), 201, None),
        ],
    )
    def test_a_condition_on_the_source_is_held(self, storage, why, condition, page, whole):
        name, value = condition
        sent = {f"x-ms-source-if-{name}": value.format(etag=etag(storage))}
        source = f"{storage.blob().url}?{storage.sas('r')}"
        storage.blob("new.vhd").create_page_blob(PAGE)
        url = f"{storage.blob('new.vhd').url}?{storage.sas()}"
        sent |= {"x-ms-copy-source": source, "x-ms-source-range": "bytes=0-511"}
        answer = storage.ask_at("PUT", f"{url}&comp=page", UPDATE | sent)
        assert told(answer) == (page, None if page == 201 else "CannotVerifyCopySource")
        copied = storage.ask_at("PUT", url, sent)
        assert told(copied) == ((202, None) if whole is None else (412, whole))

    def test_what_the_source_answered_is_in_headers_of_its_own(self, storage):
        source = f"{storage.blob().url}?{storage.sas('d')}"
        sent = {"x-ms-copy-source": source, "x-ms-source-range": "bytes=0-511"}
        answer = storage.ask("PUT", "&comp=page", UPDATE | sent)
        assert answer.headers["x-ms-copy-source-status-code"] == "403"
        assert answer.headers["x-ms-copy-source-error-code"] == "AuthorizationPermissionMismatch"
        assert b"<CopySourceErrorCode>AuthorizationPermissionMismatch</CopySourceErrorCode>" in answer.body

    def test_a_url_of_more_than_2_kib_is_refused(self, storage):
        sent = {"x-ms-copy-source": f"{storage.blob().url}?{'x' * 2048}", "x-ms-source-range": "bytes=0-511"}
        assert told(storage.ask("PUT", "&comp=page", UPDATE | sent)) == (400, "InvalidHeaderValue")
        assert told(storage.ask("PUT", "", sent)) == (400, "InvalidHeaderValue")


class TestCopying:
    """Copy Blob: conditions on the target, aborting, and when a copy is no longer told."""

    @pytest.fixture
    def target(self, storage):
        """A blob that a copy is on its way into."""
        target = storage.blob("new.vhd")
        target.start_copy_from_url(storage.blob().url, metadata={"point": "one"})
        return target

    def ask(self, storage, method, query="", headers=None):
        return storage.ask_at(method, f"{storage.blob('new.vhd').url}?{storage.sas()}{query}", headers)

    def test_a_condition_on_the_target_has_a_code_of_its_own(self, storage):
        sent = {"x-ms-copy-source": storage.blob().url + f"?{storage.sas('r')}", "if-match": '"0x1"'}
        assert told(storage.ask("PUT", "", sent)) == (412, "TargetConditionNotMet")

    def test_a_copy_that_is_aborted_leaves_an_empty_blob_with_its_metadata(self, storage, target):
        storage.pass_time(seconds=1)
        copy = target.get_blob_properties().copy
        target.abort_copy(copy.id)
        found = target.get_blob_properties()
        assert (found.size, found.metadata, found.copy.status) == (0, {"point": "one"}, "aborted")
        assert found.copy.completion_time - storage.clock.now() == timedelta(0)
        storage.pass_time(hours=1)
        assert target.get_blob_properties().copy.progress == copy.progress
        target.delete_blob()

    @pytest.mark.parametrize(
        ("why", "query", "headers", "expected"),
        [
            ("no copy is named", "", {}, (400, "MissingRequiredQueryParameter")),
            ("another copy is", "&copyid=x", {}, (409, "CopyIdMismatch")),
            ("nothing is to be done", "&copyid=x", {"x-ms-copy-action": "stop"}, (400, "InvalidHeaderValue")),
        ],
    )
    def test_an_abort_is_refused_where(self, storage, target, why, query, headers, expected):
        sent = {"x-ms-copy-action": "abort"} | headers
        assert told(self.ask(storage, "PUT", f"&comp=copy{query}", sent)) == expected
        assert target.get_blob_properties().copy.status == "pending"

    def test_a_copy_that_has_ended_cannot_be_aborted_and_is_forgotten_by_the_next_change(
        self, storage, target
    ):
        copy = target.get_blob_properties().copy
        storage.pass_time(hours=1)
        refused = self.ask(storage, "PUT", f"&comp=copy&copyid={copy.id}", {"x-ms-copy-action": "abort"})
        assert told(refused) == (409, "NoPendingCopyOperation")
        target.upload_page(bytes(PAGE), 0, PAGE)
        assert target.get_blob_properties().copy.status == "success"
        target.set_blob_metadata({"point": "two"})
        assert target.get_blob_properties().copy.status is None
