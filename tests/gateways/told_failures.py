"""What the gateways make of one answer of Azure."""

from __future__ import annotations

from typing import Any

import pytest

from domain.errors import CloudError
from gateways.compute import Compute
from gateways.failures import translated
from settings import Identity
from simulator.transport import transport
from simulator.wire import Response
from tests.gateways.scripted import SUBSCRIPTION, Script, Token


def failure_of(answer: Response | Exception) -> CloudError:
    """Return what the gateway makes of one answer to a write by the real compute client."""
    client = Compute(
        Token(), "https://management.azure.com", transport(Script(answer)), identity=Identity.BACKUP
    ).client(SUBSCRIPTION)
    body: Any = {"location": "westeurope"}
    with pytest.raises(CloudError) as raised, translated("snapshot web"):
        client.snapshots.begin_create_or_update("backups", "web", body, polling=False).result()
    assert str(raised.value).startswith("snapshot web: ")  # every message names the thing
    return raised.value
