"""Which connection a request goes over, and how long it waits for an answer."""

from __future__ import annotations

import socket
import ssl

import pytest

import gateways.streams
import gateways.wire
from domain.errors import CloudError, Transient
from gateways.blob_access import Opened, Signed
from gateways.disk_data import read_into
from gateways.streams import Stream
from gateways.wire import Network
from simulator.streams import streams
from simulator.wire import Response
from tests.gateways.scripted import Script

URL = "http://cloud.example/blob"


class Opening:
    """Opens connections to a script, and counts them."""

    def __init__(self, *answers: Response) -> None:
        self.opened = 0
        self._connect = streams(Script(*answers))

    def __call__(self, scheme: str, host: str, port: int) -> Stream:
        self.opened += 1
        return self._connect(scheme, host, port)


def answers(count):
    return [Response(200, body=b"answer") for _ in range(count)]


def test_a_request_that_must_not_be_sent_twice_goes_over_a_new_connection():
    opening = Opening(*answers(4))
    network = Network(opening)
    network.send("GET", URL, {})
    network.send("GET", URL, {})
    assert opening.opened == 1
    network.send("PUT", URL, {}, is_repeatable=False)  # one that rested may be closed by now
    assert opening.opened == 2
    network.send("GET", URL, {})
    assert opening.opened == 2


def test_a_connection_that_has_rested_for_long_is_not_used_again(monkeypatch):
    opening = Opening(*answers(3))
    network = Network(opening)
    network.send("GET", URL, {})
    monkeypatch.setattr(gateways.wire, "IDLE_SECONDS", -1.0)
    network.send("GET", URL, {})
    assert opening.opened == 2


def test_an_answer_that_is_not_of_the_range_is_refused_although_its_length_is_right():
    source = Opened("source", URL, Signed("sig=c2lnbmF0dXJl"))
    buffer = bytearray(6)
    with pytest.raises(CloudError, match="source, bytes 512 to 518"):
        read_into(Network(Opening(*answers(1))), source, 512, memoryview(buffer))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_service_that_says_nothing_is_not_waited_for_for_ever(monkeypatch, scheme):
    monkeypatch.setattr(gateways.streams, "ANSWER_SECONDS", 0.05)
    unchecked = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    monkeypatch.setattr(unchecked, "wrap_socket", lambda opened, server_hostname: opened)
    monkeypatch.setattr(gateways.streams, "_tls", lambda: unchecked)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"{scheme}://127.0.0.1:{silent.getsockname()[1]}/blob"
        with pytest.raises(Transient) as lost:
            Network().send("GET", url, {})
    assert lost.value.code == "ConnectionFailed"
