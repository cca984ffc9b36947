"""The simulated cloud over HTTP/1.1 on loopback, for the demo and for other real clients.

    with Server(cloud) as server:
        print(server.url)           # http://127.0.0.1:<port>

One thread per connection. Only this machine can reach it: there is no TLS and nobody is authenticated here.
"""

from __future__ import annotations

import contextlib
import logging
import selectors
import socket
import threading
from time import monotonic

from simulator.server.requests import BadRequest, RequestReader
from simulator.server.responses import refuse, send
from simulator.wire import Answers, ConnectionDropped, Request, Response

GRACE_SECONDS = 5.0  # how long an answer may still be on its way when the server stops

_log = logging.getLogger(__name__)


class Server:
    """Serves `cloud` on 127.0.0.1, on a free port unless one is given."""

    def __init__(self, cloud: Answers, port: int = 0) -> None:
        self._cloud = cloud
        self._listener = socket.create_server(("127.0.0.1", port), backlog=256)
        self.port: int = self._listener.getsockname()[1]
        self._wake, self._wakened = socket.socketpair()
        self._connections: dict[threading.Thread, socket.socket] = {}
        self._lock = threading.Lock()
        self._starting = threading.Lock()  # a signal may stop what another thread is just starting
        self._is_stopping = False
        self._acceptor = threading.Thread(target=self._accept, name="simulator-server", daemon=True)

    @property
    def url(self) -> str:
        """Where it is reached, without a slash at the end."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Server:
        """Begin to answer; returns the server itself. One that was stopped before stays so."""
        with self._starting:
            if not self._is_stopping:
                self._acceptor.start()
        return self

    def stop(self) -> None:
        """Finish the answers under way, then close every connection; no thread and no socket is left.
        Doing it twice is doing it once."""
        with self._starting:
            self._is_stopping = True
        self._wake.close()
        if self._acceptor.ident is not None:
            self._acceptor.join()
        self._listener.close()
        self._wakened.close()
        self._end_connections(socket.SHUT_RD, GRACE_SECONDS)
        self._end_connections(socket.SHUT_RDWR, GRACE_SECONDS)

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _accept(self) -> None:
        with selectors.DefaultSelector() as selector:
            selector.register(self._listener, selectors.EVENT_READ)
            selector.register(self._wakened, selectors.EVENT_READ)
            while not self._is_stopping:
                ready = {key.fileobj for key, _ in selector.select()}
                if self._listener in ready and not self._is_stopping:
                    self._begin_connection()

    def _begin_connection(self) -> None:
        try:
            connection, _ = self._listener.accept()
        except OSError:  # the client went away again
            return
        connection.setblocking(True)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        thread = threading.Thread(
            target=self._serve, args=(connection,), name="simulator-connection", daemon=True
        )
        with self._lock:
            self._connections[thread] = connection
        thread.start()

    def _end_connections(self, how: int, seconds: float) -> None:
        with self._lock:
            connections = list(self._connections.items())
            for _, connection in connections:
                _shut(connection, how)
        deadline = monotonic() + seconds
        for thread, _ in connections:
            thread.join(max(0.0, deadline - monotonic()))

    def _serve(self, connection: socket.socket) -> None:
        try:
            _converse(connection, self._cloud)
        except OSError:  # the client is gone, or the server is stopping
            pass
        finally:
            with self._lock:
                del self._connections[threading.current_thread()]
                connection.close()


def _converse(connection: socket.socket, cloud: Answers) -> None:
    """Answer requests one after the other until either side ends the connection."""
    reader = RequestReader(connection)
    keep_open = True
    while keep_open:
        try:
            received = reader.next()
        except BadRequest as bad:
            refuse(connection, bad.status, str(bad))
            return
        if received is None:
            return
        request, keep_open = received
        try:
            send(connection, request.method, _answer(cloud, request), keep_open)
        except ConnectionDropped as dropped:
            if dropped.sent:
                send(connection, request.method, dropped.sent, True, dropped.cut_after_bytes)
            return


def _answer(cloud: Answers, request: Request) -> Response:
    try:
        return cloud.handle(request)
    except ConnectionDropped:
        raise
    except Exception as error:
        _log.exception("%s %s failed inside the simulator", request.method, request.path)
        message = f"The simulator itself failed: {error!r}. This is not an answer of Azure's; see its log."
        return Response.of_json(500, {"error": {"code": "SimulatorFailed", "message": message}})


def _shut(connection: socket.socket, how: int) -> None:
    with contextlib.suppress(OSError):  # the other side was faster
        connection.shutdown(how)
