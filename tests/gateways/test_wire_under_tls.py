"""The wire under TLS: the same bytes, and nothing from whom the certificate does not name."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import gateways.streams
from domain.errors import Transient
from gateways.wire import Network

BODY = bytes(range(256)) * 4096  # many records of TLS


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for localhost that vouches for itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "certificate.pem"
    file.write_bytes(
        made.public_bytes(serialization.Encoding.PEM)
        + key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )
    return file


@contextmanager
def echoing(certificate: Path, connections: int, requests: int = 1) -> Iterator[int]:
    """A server that answers each request on each connection with its body, and then just closes."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    listener = socket.create_server(("127.0.0.1", 0))

    def answer(connection: ssl.SSLSocket) -> None:
        with connection.makefile("rb") as file:
            head = b"".join(iter(file.readline, b"\r\n"))
            length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
            connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n".encode())
            connection.sendall(file.read(length))

    def serve() -> None:
        for _ in range(connections):
            plain, _ = listener.accept()
            try:
                with (
                    context.wrap_socket(plain, server_side=True) as connection,
                    connection.makefile("rb") as file,
                ):
                    for _ in range(requests):
                        head = b"".join(iter(file.readline, b"\r\n"))
                        length = int(head.partition(b"content-length: ")[2].partition(b"\r\n")[0])
                        connection.sendall(f"HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n".encode())
                        connection.sendall(file.read(length))
            except OSError:  # the client did not like it
                plain.close()

    thread = threading.Thread(target=serve)
    thread.start()
    yield listener.getsockname()[1]
    thread.join()
    listener.close()


def trusting(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(gateways.streams, "_tls", lambda: context)


def test_bytes_go_both_ways(certificate, monkeypatch):
    trusting(certificate, monkeypatch)
    with echoing(certificate, 1, requests=3) as port:
        network = Network()
        for _ in range(3):
            buffer = bytearray(len(BODY))
            network.send("PUT", f"https://localhost:{port}/blob", {}, BODY, memoryview(buffer))
            assert buffer == BODY


def test_a_kept_connection_that_was_closed_is_replaced(certificate, monkeypatch):
    trusting(certificate, monkeypatch)
    with echoing(certificate, 2) as port:
        network = Network()
        for _ in range(2):
            assert network.send("PUT", f"https://localhost:{port}/blob", {}, BODY).content == BODY


@pytest.mark.parametrize(
    ("host", "is_trusted"), [("127.0.0.1", True), ("localhost", False)], ids=["another name", "unknown"]
)
def test_who_is_not_who_he_should_be_gets_nothing(certificate, monkeypatch, host, is_trusted):
    if is_trusted:
        trusting(certificate, monkeypatch)
    with echoing(certificate, 1) as port, pytest.raises(Transient, match=r"(?i)certificate") as failure:
        Network().send("PUT", f"https://{host}:{port}/blob?sig=secret", {}, BODY)
    assert failure.value.code == "ConnectionFailed"
    assert "secret" not in str(failure.value)
