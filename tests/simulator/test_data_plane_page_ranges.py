"""Page ranges and differences by SAS: azure-semantics.md §4.2, held through the real storage SDK."""

from __future__ import annotations

import re
from random import Random

import pytest
from azure.core.exceptions import (
    HttpResponseError,
)

from simulator.data_plane.access import Access
from tests.simulator.exported_disk import (
    MIB,
    ExportedDisk,
    changes_of,
    exported_disk,
    refusal,
    with_changes,
)


@pytest.fixture(params=["transport", "server"])
def world(request):
    """The disk, reached in memory and over HTTP."""
    with exported_disk(over_http=request.param == "server") as world:
        yield world


def test_a_list_shows_what_was_written_and_the_footer(world):
    world.disk.write(512, b"x")
    world.disk.write(2 * MIB, b"y" * MIB)
    world.disk.clear(2 * MIB + 4096, 512)
    blob = world.blob(world.snapshot("a"))
    ranges = [(each.start, each.end, each.cleared) for each in blob.list_page_ranges()]
    assert ranges == [
        (512, 1023, False),
        (2 * MIB, 2 * MIB + 4095, False),
        (2 * MIB + 4608, 3 * MIB - 1, False),
        (8 * MIB, 8 * MIB + 511, False),
    ]


def test_a_list_is_the_services_xml(world):
    world.disk.write(0, b"x")
    answer = world.get(world.snapshot("a"), {"x-ms-version": "2020-10-02"}, "&comp=pagelist")
    assert answer.headers["x-ms-blob-content-length"] == str(8 * MIB + 512)
    assert answer.headers["content-type"] == "application/xml"
    assert answer.body.decode() == (
        '\ufeff<?xml version="1.0" encoding="utf-8"?>\n<PageList><PageRange><Start>0</Start><End>511</End>'
        "</PageRange><PageRange><Start>8388608</Start><End>8389119</End></PageRange></PageList>"
    )


def test_a_marker_is_the_one_that_was_recorded_from_azure(world):
    for page in (0, 2, 4):
        world.disk.write(page * 512, b"x")
    access = world.snapshot("a")
    first = world.get(access, {"x-ms-version": "2020-10-02"}, "&comp=pagelist&maxresults=2")
    assert "<NextMarker>2!16!MDAwMDA0ITIwNDgh</NextMarker></PageList>" in first.body.decode()
    marker = "&comp=pagelist&maxresults=2&marker=2!16!MDAwMDA0ITIwNDgh"
    last = world.get(access, {"x-ms-version": "2020-10-02"}, marker)
    assert last.body.decode().endswith(
        "<Start>8388608</Start><End>8389119</End></PageRange><NextMarker/></PageList>"
    )


@pytest.mark.parametrize("results_per_page", [1, 3, 7, None])
def test_pages_of_a_list_make_the_whole(world, results_per_page):
    written = sorted(Random(6).sample(range(0, 16_000, 2), 50))
    for page in written:
        world.disk.write(page * 512, b"x" * 512)
    blob = world.blob(world.snapshot("a"))
    ranges = [each.start // 512 for each in blob.list_page_ranges(results_per_page=results_per_page)]
    assert ranges == [*written, 8 * MIB // 512]


def test_a_window_cuts_ranges_and_counts_from_its_own_start(world):
    world.disk.write(MIB, b"x" * MIB)
    blob = world.blob(world.snapshot("a"))
    ranges = blob.list_page_ranges(offset=MIB + 512, length=1024)
    assert [(each.start, each.end) for each in ranges] == [(MIB + 512, MIB + 1535)]
    assert list(blob.list_page_ranges(offset=0, length=MIB)) == []


def test_a_marker_behind_the_window_finds_nothing(world):
    world.disk.write(0, b"x" * MIB)
    headers = {"x-ms-version": "2020-10-02", "x-ms-range": "bytes=0-1023"}
    answer = world.get(world.snapshot("a"), headers, "&comp=pagelist&marker=2!16!MDAwMDA0ITIwNDgh")
    assert answer.body.decode().endswith("<PageList><NextMarker/></PageList>")


def test_a_window_that_begins_inside_a_page_shows_the_whole_page(world):
    world.disk.write(0, b"x" * 2048)
    headers = {"x-ms-version": "2020-10-02", "x-ms-range": "bytes=700-1100"}
    document = world.get(world.snapshot("a"), headers, "&comp=pagelist").body.decode()
    assert re.findall(r"<Start>(\d+)</Start><End>(\d+)", document) == [("512", "1535")]


def test_a_difference_shows_written_and_cleared_ranges_in_one_ascending_list(world):
    world.disk.write(0, b"a" * 4096)
    older = world.snapshot("a")
    world.disk.clear(512, 512)
    world.disk.write(1024, b"b" * 512)
    world.disk.clear(1536, 512)
    world.disk.write(MIB, b"c" * 512)
    newer = world.snapshot("b")
    changes, cleared = world.blob(newer).get_page_range_diff_for_managed_disk(older.url(world.base_url))
    assert changes == [{"start": 1024, "end": 1535}, {"start": MIB, "end": MIB + 511}]
    assert cleared == [{"start": 512, "end": 1023}, {"start": 1536, "end": 2047}]
    headers = {"x-ms-version": "2019-07-07", "x-ms-previous-snapshot-url": older.url()}
    document = world.get(newer, headers, "&comp=pagelist").body.decode()
    assert re.findall(r"<(\w+Range)><Start>(\d+)", document) == [
        ("ClearRange", "512"),
        ("PageRange", "1024"),
        ("ClearRange", "1536"),
        ("PageRange", str(MIB)),
    ]


def test_the_previous_snapshot_and_its_difference_make_the_next_one(world):
    random = Random(7)
    accesses = [world.snapshot("0")]
    for number in range(1, 5):
        for _ in range(30):
            page = random.randrange(16_000)
            if random.random() < 0.7:
                world.disk.write(page * 512, random.randbytes(512 * random.randint(1, 20)))
            else:
                world.disk.clear(page * 512, 512 * random.randint(1, 20))
        accesses.append(world.snapshot(str(number)))
    contents = [world.blob(each).download_blob().readall() for each in accesses]
    for older in range(5):
        for newer in range(older + 1, 5):
            url = accesses[older].url(world.base_url)
            changes = changes_of(world.blob(accesses[newer]), url, maxresults=5)
            assert with_changes(changes, contents[older], contents[newer]) == contents[newer]


def test_a_difference_of_more_than_ten_thousand_ranges_is_truncated_without_being_asked(world):
    older = world.snapshot("a")
    for page in range(0, 16_384, 2):
        world.disk.write(page * 512, b"x" * 512)
    middle = world.snapshot("b")
    world.disk.write(512, b"y" * 512)
    for page in range(3, 16_384, 4):
        world.disk.write(page * 512, b"y" * 512)
    for page in range(0, 16_384, 2):
        world.disk.clear(page * 512, 512)
    newer = world.snapshot("c")
    url = middle.url(world.base_url)
    changes, cleared = world.blob(newer).get_page_range_diff_for_managed_disk(url)
    assert len(changes) + len(cleared) == 10_000  # the SDK's method drops the rest: azure-semantics.md §4.3
    changes, cleared = world.blob(newer).get_page_range_diff_for_managed_disk(url, maxresults=20_000)
    assert len(changes) + len(cleared) == 10_000
    assert len(changes_of(world.blob(newer), url)) == 1 + 4096 + 8192
    assert len(changes_of(world.blob(middle), older.url(world.base_url))) == 8192


def test_versions_without_paging_get_all_ranges_at_once(world):
    older = world.snapshot("a")
    for page in range(0, 16_384, 2):
        world.disk.write(page * 512, b"x" * 512)
    world.disk.resize(16 * MIB)
    for page in range(16_385, 20_001, 2):
        world.disk.write(page * 512, b"x" * 512)
    newer = world.snapshot("b")
    headers = {"x-ms-version": "2019-07-07", "x-ms-previous-snapshot-url": older.url()}
    document = world.get(newer, headers, "&comp=pagelist").body.decode()
    assert document.count("<PageRange>") == 8192 + 1808 + 1
    assert "NextMarker" not in document
    refused = world.get(newer, headers, "&comp=pagelist&marker=2!16!MDAwMDA0ITIwNDgh")
    assert refused.headers["x-ms-error-code"] == "UnsupportedQueryParameter"


def test_a_disk_that_grew_shows_its_moved_footer(world):
    world.disk.write(0, b"x" * 512)
    older = world.snapshot("a")
    world.disk.resize(10 * MIB)
    grown = world.snapshot("b")
    world.disk.write(8 * MIB, b"y" * 512)
    written = world.snapshot("c")
    end = 10 * MIB
    assert changes_of(world.blob(grown), older.url(world.base_url)) == [
        ("clear", 8 * MIB, 8 * MIB + 512),
        ("page", end, end + 512),
    ]
    assert changes_of(world.blob(written), older.url(world.base_url)) == [
        ("page", 8 * MIB, 8 * MIB + 512),
        ("page", end, end + 512),
    ]
    before, after = (world.blob(each).download_blob().readall() for each in (older, grown))
    assert with_changes(changes_of(world.blob(grown), older.url(world.base_url)), before, after) == after


def refused_difference(world: ExportedDisk, newer: Access, previous: Access | str) -> str:
    url = previous if isinstance(previous, str) else previous.url(world.base_url)
    with pytest.raises(HttpResponseError) as refused:
        world.blob(newer).get_page_range_diff_for_managed_disk(url)
    return refusal(refused.value)


def test_a_difference_needs_an_older_snapshot_of_the_same_family_that_can_be_read(world):
    older, newer = world.snapshot("a"), world.snapshot("b")
    other, full = world.snapshot("c", family="other"), world.snapshot("d", family=None)
    latest = world.snapshot("e")
    assert refused_difference(world, older, newer) == "400 PreviousSnapshotCannotBeNewer"
    assert refused_difference(world, older, older) == "400 PreviousSnapshotCannotBeNewer"
    assert refused_difference(world, latest, other) == "409 PreviousSnapshotNotFound"
    assert refused_difference(world, latest, full) == "409 PreviousSnapshotOperationNotSupported"
    assert refused_difference(world, full, older) == "409 PreviousSnapshotOperationNotSupported"
    assert refused_difference(world, newer, "nonsense") == "400 InvalidHeaderValue"
    world.accesses.revoke("a")
    assert refused_difference(world, newer, older) == "409 PreviousSnapshotNotFound"


def test_a_difference_across_a_resize_over_four_tebibytes_is_refused(world):
    older = world.snapshot("a")
    world.disk.resize(4 * 1024**4)
    within = world.snapshot("b")
    world.disk.resize(4 * 1024**4 + 1024**3)
    newer = world.snapshot("c")
    assert len(changes_of(world.blob(within), older.url(world.base_url))) == 2
    assert refused_difference(world, newer, within) == "409 PreviousSnapshotOperationNotSupported"


@pytest.mark.parametrize(
    ("extra", "headers", "code"),
    [
        ("&comp=pagelist&maxresults=0", {}, "OutOfRangeQueryParameterValue"),
        ("&comp=pagelist&maxresults=-1", {}, "OutOfRangeQueryParameterValue"),
        ("&comp=pagelist&maxresults=many", {}, "InvalidQueryParameterValue"),
        ("&comp=pagelist&marker=x", {}, "InvalidQueryParameterValue"),
        ("&comp=pagelist&marker=2!4!AAAA", {}, "InvalidQueryParameterValue"),
        ("&comp=pagelist&prevsnapshot=2026-03-01T12:00:00.0000000Z", {}, "InvalidQueryParameterValue"),
        ("&comp=pagelist", {"x-ms-range": "bytes=9000000-9000511"}, "InvalidRange"),
        ("&snapshot=2026-03-01T12:00:00.0000000Z", {}, "InvalidQueryParameterValue"),
        ("", {"x-ms-version": "latest"}, "InvalidHeaderValue"),
    ],
)
def test_a_malformed_question_is_refused_by_name(world, extra, headers, code):
    answer = world.get(world.snapshot("a"), {"x-ms-version": "2020-10-02", **headers}, extra)
    assert answer.headers["x-ms-error-code"] == code
    assert f"<Code>{code}</Code>" in answer.body.decode()
