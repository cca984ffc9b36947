"""Tables of documents on Azurite: what is new, what is stale, what is large, what others do meanwhile."""

from __future__ import annotations

import json
import threading
from dataclasses import replace

import pytest
from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableServiceClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from domain.errors import Refused, Transient
from gateways.tables import Row, Table
from simulator.transport import transport
from simulator.wire import ConnectionDropped, Response
from tests.conftest import Account, Accounts
from tests.gateways.scripted import Script


def service(account: Account) -> TableServiceClient:
    credential = AzureNamedKeyCredential(account.name, account.key)
    return TableServiceClient(account.table_endpoint, credential=credential, retry_total=0)


@pytest.fixture
def table(accounts: Accounts) -> Table:
    """A table of its own for the test, which nobody has made yet."""
    return Table(service(accounts.fresh()), "things")


def read(table: Table, key: str = "key") -> Row:
    row = table.get("part", key)
    assert row is not None
    return row


def test_before_anything_is_written_there_is_nothing(table):
    assert table.get("part", "key") is None
    assert table.query("part") == []
    assert table.change("part", "key", lambda row: row) is None
    assert not table.replace(Row("part", "key", "{}", etag='W/"1"'))
    assert table.delete(Row("part", "key", "{}", etag='W/"1"'))


def test_a_row_is_inserted_once(table):
    assert table.insert(Row("part", "key", "first"))
    assert not table.insert(Row("part", "key", "second"))
    assert read(table).document == "first"


def test_putting_overwrites_and_a_shorter_document_leaves_nothing_of_a_longer_one(table):
    table.put(Row("part", "key", "long " * 20_000))
    table.put(Row("part", "key", "short"))
    assert read(table).document == "short"


def test_a_row_that_was_read_can_be_replaced(table):
    table.insert(Row("part", "key", "first"))
    assert table.replace(replace(read(table), document="second"))
    assert read(table).document == "second"


def test_a_stale_row_is_not_written(table):
    table.insert(Row("part", "key", "first"))
    stale = read(table)
    table.put(Row("part", "key", "somebody else's"))
    assert not table.replace(replace(stale, document="mine"))
    assert not table.delete(stale)
    assert read(table).document == "somebody else's"


def test_a_deleted_row_is_gone_and_deleting_it_again_succeeds(table):
    table.insert(Row("part", "key", "first"))
    row = read(table)
    assert table.delete(row)
    assert table.delete(row)
    assert table.get("part", "key") is None
    assert not table.replace(row)


def test_columns_of_a_row_come_back_beside_its_document(table):
    table.insert(Row("part", "key", "document", {"state": "waiting", "percent": 12.5, "held": True}))
    row = read(table)
    assert row.document == "document"
    assert dict(row.columns) == {"state": "waiting", "percent": 12.5, "held": True}


@pytest.mark.parametrize(
    "document",
    [
        pytest.param("", id="empty"),
        pytest.param("x" * 16_000, id="exactly one column"),
        pytest.param("x" * 16_001, id="one character more"),
        pytest.param("x" * 33_000, id="more than a column of the service holds"),
        pytest.param("\N{FIRE}" * 33_000, id="characters that take two UTF-16 units"),
        pytest.param("ä" * 16_000 + "\N{FIRE}" * 16_001, id="both"),
        pytest.param(
            json.dumps({"disks": [{"name": f"disk-{n}"} for n in range(20_000)]}), id="hundreds of KB"
        ),
        pytest.param("a\nb\tc\r\n\"quoted\" 'single' <tag> & %25 \\ \u2028", id="characters with a meaning"),
    ],
)
def test_a_document_comes_back_as_it_was_written(table, document):
    table.insert(Row("part", "key", document))
    assert read(table).document == document


def test_a_document_beyond_the_service_limit_is_refused_and_nothing_is_written(table):
    table.insert(Row("part", "other", "{}"))
    # The emulator takes it; Azure counts UTF-16 and takes 1 MiB (azure-semantics.md §9).
    with pytest.raises(Refused, match="row key would hold 1200000 bytes"):
        table.insert(Row("part", "key", "x" * 600_000))
    assert table.get("part", "key") is None


# Keys may hold all but / \ # ? and control characters (azure-semantics.md §9).
keys = st.text(
    st.characters(exclude_characters="/\\#?", exclude_categories=["Cs", "Cc", "Cn", "Co"]),
    min_size=1,
    max_size=40,
)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(keys, keys)
def test_odd_keys_are_found_again(table, partition, key):
    table.put(Row(partition, key, "document"))
    row = table.get(partition, key)
    assert row is not None
    assert (row.partition, row.key, row.document) == (partition, key, "document")
    assert [each.key for each in table.query(partition) if each.key == key] == [key]
    assert table.delete(row)


@pytest.mark.parametrize("odd", ["it's", "a'' or 'b' eq 'b", "100%", "%27", "a+b c&d=e", "web~x", "ünïcode"])
def test_a_key_never_becomes_part_of_a_query(table, odd):
    table.insert(Row(odd, odd, "mine"))
    table.insert(Row("other", "other", "another's"))
    assert [row.document for row in table.query(odd)] == ["mine"]
    assert table.query(odd, after=odd) == []
    assert table.query("other", after=odd) == ([] if odd > "other" else table.query("other"))


def test_a_partition_is_read_in_the_order_of_its_keys_in_pages(table):
    for number in (3, 1, 4, 2, 5):
        table.insert(Row("part", f"key-{number}", str(number)))
    table.insert(Row("another", "key-0", "0"))
    assert [row.document for row in table.query("part")] == list("12345")
    assert [row.document for row in table.query("part", most=2)] == list("12")
    assert [row.document for row in table.query("part", after="key-2", most=2)] == list("34")
    assert [row.document for row in table.query("part", after="key-5")] == []
    assert table.query("part", most=0) == []


def test_a_partition_of_more_than_a_page_of_the_service_is_read_whole(table):
    client = table._client
    table.insert(Row("part", "0000", ""))
    for first in range(1, 1_101, 100):
        client.submit_transaction(
            [("upsert", {"PartitionKey": "part", "RowKey": f"{n:04d}"}) for n in range(first, first + 100)]
        )
    assert [row.key for row in table.query("part")] == [f"{number:04d}" for number in range(1_101)]
    assert len(table.query("part", most=1_050)) == 1_050


def test_no_change_is_lost_when_many_change_one_row_at_once(accounts):
    account = accounts.fresh()
    Table(service(account), "counters").insert(Row("part", "key", "0"))
    failures: list[BaseException] = []

    def count() -> None:
        table = Table(service(account), "counters")
        try:
            for _ in range(5):
                table.change("part", "key", lambda row: replace(row, document=str(int(row.document) + 1)))
        except BaseException as failure:
            failures.append(failure)

    threads = [threading.Thread(target=count) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert read(Table(service(account), "counters")).document == "30"


def test_a_change_that_is_not_wanted_writes_nothing(table):
    table.insert(Row("part", "key", "first"))
    before = read(table)
    left = table.change("part", "key", lambda row: None)
    assert left is not None
    assert left.document == "first"
    assert read(table).etag == before.etag


def test_who_is_always_overtaken_is_asked_to_come_again(table):
    table.insert(Row("part", "key", "0"))

    def overtaken(row: Row) -> Row:
        table.put(Row("part", "key", str(int(row.document) + 1)))  # somebody else, in between
        return row

    with pytest.raises(Transient, match="row key of table things is changed by others all the time"):
        table.change("part", "key", overtaken)


def test_many_may_make_the_table_at_once(accounts):
    account = accounts.fresh()
    start = threading.Barrier(6)
    inserted: list[bool] = []

    def insert(number: int) -> None:
        table = Table(service(account), "things")
        start.wait(30)
        inserted.append(table.insert(Row("part", f"key-{number}", "")))

    threads = [threading.Thread(target=insert, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert inserted == [True] * 6
    assert len(Table(service(account), "things").query("part")) == 6


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(Response(503), id="unavailable"),
        pytest.param(Response.of_json(429, {"odata.error": {"code": "TooManyRequests"}}), id="throttled"),
        pytest.param(ConnectionDropped(), id="dropped"),
    ],
)
def test_a_failed_request_is_sent_once_and_may_be_repeated_later(answer):
    script = Script(answer)
    credential = AzureNamedKeyCredential("catalogue", "a2V5")
    tables = TableServiceClient(
        "https://catalogue.table.core.windows.net",
        credential=credential,
        transport=transport(script),
        retry_total=0,
    )
    with pytest.raises(Transient, match="table things"):
        Table(tables, "things").get("part", "key")
    assert len(script.requests) == 1


@pytest.mark.parametrize("told", ["TableBeingDeleted", "TableAlreadyExists"])
def test_a_table_that_is_still_being_deleted_is_waited_for(told):
    gone = {"odata.error": {"code": "TableNotFound", "message": {"value": "The table does not exist."}}}
    answer = {"odata.error": {"code": told, "message": {"value": "The table cannot be made."}}}
    script = Script(Response.of_json(404, gone), Response.of_json(409, answer), Response.of_json(404, gone))
    tables = TableServiceClient(
        "https://catalogue.table.core.windows.net",
        credential=AzureNamedKeyCredential("catalogue", "a2V5"),
        transport=transport(script),
        retry_total=0,
    )
    with pytest.raises(Transient, match=r"table things.*(TableBeingDeleted|not there yet)"):
        Table(tables, "things").insert(Row("part", "key", "{}"))
