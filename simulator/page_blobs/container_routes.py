"""Operations on containers and on the account: create, properties, delete, and the user delegation key.

Sources: those articles of the Azure Storage REST documentation. Known differences and own choices: a deleted
container is gone at once (in Azure its name is taken for at least 30 seconds), and there are no access
policies, leases, public containers or soft delete.
"""

from __future__ import annotations

from xml.etree import ElementTree
from xml.sax.saxutils import escape

from simulator.data_plane.errors import StorageError
from simulator.page_blobs.accounts import Container, is_container_name
from simulator.page_blobs.authorization import owner_of_token
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.shared_access import delegation_text
from simulator.page_blobs.telling import date
from simulator.wire import Headers, Response

TENANT = "00000000-0000-0000-0000-00000000d1ad"


def create_container(call: BlobCall) -> Response:
    """Make a container."""
    name = call.address.container
    if not is_container_name(name):
        raise StorageError("InvalidResourceName")
    with call.estate.lock:
        if name in call.account.containers:
            raise StorageError("ContainerAlreadyExists")
        etag = call.account.next_etag(call.now)
        call.account.containers[name] = Container(name, call.now, etag, call.asked_metadata())
    return Response(201, _headers(call))


def get_container(call: BlobCall) -> Response:
    """Answer what is told of a container."""
    headers = _headers(call)
    headers |= {f"x-ms-meta-{name}": value for name, value in call.container.metadata.items()}
    headers |= {
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-has-immutability-policy": "false",
        "x-ms-has-legal-hold": "false",
    }
    return Response(200, headers)


def delete_container(call: BlobCall) -> Response:
    """Delete a container with all that is in it."""
    with call.estate.lock:
        container = call.container
        del call.account.containers[container.name]
        for blob in container.blobs.values():
            blob.release()
    return Response(202, call.headers)


def get_delegation_key(call: BlobCall) -> Response:
    """Answer a key by which a token's owner signs SAS of its own (Get User Delegation Key)."""
    try:
        asked = ElementTree.fromstring(call.request.body)
    except ElementTree.ParseError:
        raise StorageError("InvalidHeaderValue", name="Content-Type", value="not XML") from None
    start, expiry = asked.findtext("Start") or "", asked.findtext("Expiry")
    if not expiry:
        raise StorageError("InvalidHeaderValue", name="Expiry", value="")
    fields = {"skoid": owner_of_token(call.request), "sktid": TENANT, "skt": start, "ske": expiry}
    fields |= {"sks": "b", "skv": call.version}
    value = call.account.delegation_key(delegation_text(fields))
    names = ("SignedOid", "SignedTid", "SignedStart", "SignedExpiry", "SignedService", "SignedVersion")
    elements = dict(zip(names, fields.values(), strict=True)) | {"Value": value}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
    document = f'<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>{inner}</UserDelegationKey>'
    return Response(200, Headers(call.headers | {"content-type": "application/xml"}), document.encode())


def _headers(call: BlobCall) -> Headers:
    container = call.container
    return Headers(call.headers | {"etag": container.etag, "last-modified": date(container.created)})
