"""What kills a host at chosen requests kills at those, and fails where one of them never comes."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from simulator.wire import ConnectionDropped, Request, Response
from tests import request_killer
from tests.request_killer import Position, killing

WRITE = Request.of("PUT", "http://127.0.0.1/write")
READ = Request.of("GET", "http://127.0.0.1/read")


def is_write(request):
    return request.method == "PUT"


@pytest.fixture
def system():
    """What a killer needs of a local system; `done` has everything that happened, in order."""
    done = []

    def handle(request):
        done.append(request.method)
        return Response(200)

    host = SimpleNamespace(kill=lambda: done.append("killed"), start=lambda: done.append("started"))
    return SimpleNamespace(azure=SimpleNamespace(handle=handle), host=host, done=done)


@pytest.mark.parametrize(
    ("is_done", "expected"),
    [
        (False, ["PUT", "GET", "killed", "started", "PUT"]),  # it never came to be
        (True, ["PUT", "GET", "PUT", "killed", "started", "PUT"]),  # and nobody was told
    ],
)
def test_the_host_dies_before_or_after_the_request_is_carried_out(system, is_done, expected):
    with killing(system, [Position("at the second write", is_write, 2, is_done)]) as killer:
        for request in (WRITE, READ):
            assert system.azure.handle(request).status == 200
        with pytest.raises(ConnectionDropped):
            system.azure.handle(WRITE)
        killer.join()
        assert system.azure.handle(WRITE).status == 200
    assert system.done == expected


def test_a_position_that_is_never_reached_fails_by_its_name(system, monkeypatch):
    monkeypatch.setattr(request_killer, "PATIENCE_SECONDS", 0.1)
    positions = [Position("at a write", is_write), Position("at another write", is_write)]
    with (
        pytest.raises(AssertionError, match="at another write"),
        killing(system, positions),
        pytest.raises(ConnectionDropped),
    ):
        system.azure.handle(WRITE)
    assert system.done == ["killed", "started"]


def test_whoever_fails_before_all_are_reached_waits_for_no_kill(system):
    with (
        pytest.raises(ZeroDivisionError),
        killing(system, [Position("at a write", is_write)]),
    ):
        raise ZeroDivisionError
    assert system.done == []
