"""No address that opens data is left where others may read it: histories, the catalogue, the log."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from azure.core.credentials import AzureNamedKeyCredential
from azure.data.tables import TableServiceClient

from tests.world import World

SIGNS = ("sig=", "SharedAccessSignature", "Bearer ", "AccountKey=")  # of signatures, tokens and keys


def assert_no_secrets(world: World, log: str = "") -> None:
    """Nothing in the histories of a world's host, in its tables or in `log` (caplog.text) gives any right."""
    account = world.catalogue
    credential = AzureNamedKeyCredential(account.name, account.key)
    with TableServiceClient(account.table_endpoint, credential=credential) as tables:
        assert_none_in([*_histories(world), *rows(tables), ("the log", log)])


def assert_none_in(told: Iterable[tuple[str, str]]) -> None:
    """Nothing in texts, each named by where it stands, gives any right."""
    seen = 0
    for where, text in told:
        seen += len(text)
        for sign in SIGNS:
            place = text.find(sign)
            assert place < 0, f"{where} has {sign!r}: {text[max(0, place - 200) : place + 4]}"
    assert seen, "nothing was looked at"


def _histories(world: World) -> Iterator[tuple[str, str]]:
    for status in world.host.statuses():
        name = status["instanceId"]
        yield f"the status of {name}", json.dumps(status, default=str)
        yield f"the history of {name}", json.dumps(world.host.history(name), default=str)


def rows(tables: TableServiceClient) -> Iterator[tuple[str, str]]:
    """Yield all rows of a catalogue, each with the table that it stands in."""
    names = [table.name for table in tables.list_tables()]
    assert "operations" in names
    for name in names:
        for row in tables.get_table_client(name).list_entities():
            yield f"table {name}", json.dumps(row, default=str)
