"""When asking again makes sense: the time that Azure names, and an identity that gets no token now."""

from __future__ import annotations

from datetime import timedelta

import pytest
from azure.core.exceptions import ClientAuthenticationError
from azure.identity import CredentialUnavailableError

from domain.errors import Refused, Transient
from gateways.failures import translated
from simulator.wire import Headers, Response
from tests.gateways.scripted import error
from tests.gateways.told_failures import failure_of


@pytest.mark.parametrize(
    ("headers", "wait"),
    [
        pytest.param({"Retry-After": "1200"}, 1200, id="seconds"),
        pytest.param({"Retry-After": "0"}, 0, id="at once"),
        pytest.param(
            {"Retry-After": "Sun, 22 Nov 2026 16:20:00 GMT", "Date": "Sun, 22 Nov 2026 16:00:00 GMT"},
            1200,
            id="a date, measured against the answer's own",
        ),
        pytest.param(
            {"Retry-After": "Sun, 22 Nov 2026 15:00:00 GMT", "Date": "Sun, 22 Nov 2026 16:00:00 GMT"},
            0,
            id="a date that has passed",
        ),
        pytest.param(
            {"Retry-After": "Sun, 22 Nov 2026 16:20:00 GMT"},
            None,
            id="a date, and nothing to measure it against",
        ),
        pytest.param(
            {"Retry-After": "Sun, 22 Nov 2026 16:20:00", "Date": "Sun, 22 Nov 2026 16:00:00 GMT"},
            None,
            id="a date without a time zone",
        ),
        pytest.param({"retry-after-ms": "1500"}, 1.5, id="milliseconds"),
        pytest.param({"x-ms-retry-after-ms": "250"}, 0.25, id="milliseconds, as other services name them"),
        pytest.param({"Retry-After": "4", "x-ms-retry-after-ms": "250"}, 4, id="the standard's word first"),
        pytest.param({"Retry-After": "soon"}, None, id="neither a number nor a date"),
        pytest.param({"Retry-After": "nan"}, None, id="not a number"),
        pytest.param({"Retry-After": "1e300"}, None, id="beyond all time"),
        pytest.param({"retry-after-ms": "soon"}, None, id="not a number of milliseconds"),
    ],
)
def test_the_time_that_azure_names_is_read_in_all_its_forms(
    headers: dict[str, str], wait: float | None
) -> None:
    failure = failure_of(Response(429, Headers(headers)))
    assert isinstance(failure, Transient)
    assert failure.retry_after == (None if wait is None else timedelta(seconds=wait))


@pytest.mark.parametrize(
    "outage",
    [
        ClientAuthenticationError("the chain of credentials gave no token"),
        CredentialUnavailableError("the managed identity endpoint cannot be reached"),
    ],
)
def test_an_identity_whose_endpoint_is_out_of_order_may_get_its_token_later(outage: Exception) -> None:
    told = r"VM web: the app's identity got no token \(the "
    with pytest.raises(Transient, match=told) as raised, translated("VM web"):
        raise outage
    assert raised.value.code == "IdentityUnavailable"


def test_an_identity_that_azure_does_not_let_in_is_refused() -> None:
    failure = failure_of(error(401, "InvalidAuthenticationTokenTenant", "The token is of the wrong tenant."))
    assert isinstance(failure, Refused)
    assert failure.code == "InvalidAuthenticationTokenTenant"
