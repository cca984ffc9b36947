"""Operations on containers and on the account: create, properties, metadata, delete; which containers there
are, what kind of account it is, and the user delegation key.

Sources: those articles of the Azure Storage REST documentation; the form of lists from recorded traffic. The
name of a deleted container is taken for 30 seconds ("Delete Container": for at least so long). Known
differences: there are no access policies, leases, public containers or soft delete.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from xml.etree import ElementTree
from xml.sax.saxutils import escape

from simulator.data_plane.conditions import Stamp, check_write
from simulator.data_plane.errors import StorageError
from simulator.page_blobs.accounts import Container, is_container_name
from simulator.page_blobs.authorization import owner_of_token
from simulator.page_blobs.calls import BlobCall
from simulator.page_blobs.listing import asked_limit, elements, told_back
from simulator.page_blobs.shared_access import delegation_text
from simulator.page_blobs.telling import date
from simulator.wire import Headers, Response

LONGEST_KEY = timedelta(days=7)
NAME_TAKEN = timedelta(seconds=30)
TENANT = "00000000-0000-0000-0000-00000000d1ad"


def create_container(call: BlobCall) -> Response:
    """Make a container."""
    name = call.address.container
    if not is_container_name(name):
        raise StorageError("InvalidResourceName")
    if "x-ms-blob-public-access" in call.request.headers:
        raise StorageError("PublicAccessNotPermitted")
    with call.estate.lock:
        if call.now < call.account.names_free_at.get(name, call.now):
            raise StorageError("ContainerBeingDeleted")
        if name in call.account.containers:
            raise StorageError("ContainerAlreadyExists")
        etag = call.account.next_etag(call.now)
        call.account.containers[name] = Container(name, call.now, etag, call.asked_metadata())
    return Response(201, _headers(call))


def get_container(call: BlobCall) -> Response:
    """Answer what is told of a container."""
    headers = get_container_metadata(call).headers
    headers |= {
        "x-ms-lease-status": "unlocked",
        "x-ms-lease-state": "available",
        "x-ms-has-immutability-policy": "false",
        "x-ms-has-legal-hold": "false",
    }
    return Response(200, headers)


def get_container_metadata(call: BlobCall) -> Response:
    """Answer a container's metadata alone."""
    _refuse_lease(call)
    headers = _headers(call)
    headers |= {f"x-ms-meta-{name}": value for name, value in call.container.metadata.items()}
    return Response(200, headers)


def set_container_metadata(call: BlobCall) -> Response:
    """Replace a container's metadata."""
    with call.estate.lock:
        container = _changeable(call)
        container.metadata = call.asked_metadata()
        container.etag, container.modified = call.account.next_etag(call.now), call.now
    return Response(200, _headers(call))


def delete_container(call: BlobCall) -> Response:
    """Delete a container with all that is in it."""
    with call.estate.lock:
        container = _changeable(call)
        del call.account.containers[container.name]
        call.account.names_free_at[container.name] = call.now + NAME_TAKEN
        for blob in container.blobs.values():
            blob.release()
    return Response(202, call.headers)


def list_containers(call: BlobCall) -> Response:
    """Answer one page of the account's containers."""
    query = call.request.query
    has_metadata = "metadata" in query.get("include", "").lower().split(",")
    limit, position = asked_limit(query.get("maxresults")), _position(call)
    with call.estate.lock:
        every = sorted(call.account.containers.items())
        found = [
            each for name, each in every if name.startswith(query.get("prefix", "")) and name >= position
        ]
        shown = "".join(_element(each, has_metadata) for each in found[:limit])
    marker = f"/{call.account.id.name}/{found[limit].name}" if len(found) > limit else ""
    document = (
        '\ufeff<?xml version="1.0" encoding="utf-8"?><EnumerationResults '
        f'ServiceEndpoint="{call.account.endpoint}/">{told_back(query)}<Containers>{shown}</Containers>'
        f"<NextMarker>{marker}</NextMarker></EnumerationResults>"
    )
    return Response(200, Headers(call.headers | {"content-type": "application/xml"}), document.encode())


def _position(call: BlobCall) -> str:
    """Return the name from which the request's marker goes on: `/account/name`."""
    marker, begin = call.request.query.get("marker", ""), f"/{call.account.id.name}/"
    if marker and not marker.startswith(begin):
        raise StorageError("InvalidQueryParameterValue", name="marker", value=marker)
    return marker.removeprefix(begin)


def get_account(call: BlobCall) -> Response:
    """Answer what kind of account it is (Get Account Information)."""
    told = {"x-ms-sku-name": "Standard_LRS", "x-ms-account-kind": "StorageV2"}
    if call.version >= "2019-07-07":
        told["x-ms-is-hns-enabled"] = "false"
    return Response(200, Headers(call.headers | told))


def get_delegation_key(call: BlobCall) -> Response:
    """Answer a key by which a token's owner signs SAS of its own (Get User Delegation Key)."""
    try:
        asked = ElementTree.fromstring(call.request.body)
    except ElementTree.ParseError:
        raise StorageError("InvalidXmlDocument") from None
    owner = owner_of_token(call)
    start, expiry = asked.findtext("Start") or "", asked.findtext("Expiry") or ""
    _check_key_times(start, expiry, call.now)
    fields = {"skoid": owner, "sktid": TENANT, "skt": start, "ske": expiry}
    fields |= {"sks": "b", "skv": call.version}
    value = call.account.delegation_key(delegation_text(fields))
    names = ("SignedOid", "SignedTid", "SignedStart", "SignedExpiry", "SignedService", "SignedVersion")
    elements = dict(zip(names, fields.values(), strict=True)) | {"Value": value}
    inner = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in elements.items())
    document = f'<?xml version="1.0" encoding="utf-8"?><UserDelegationKey>{inner}</UserDelegationKey>'
    return Response(200, Headers(call.headers | {"content-type": "application/xml"}), document.encode())


def _headers(call: BlobCall) -> Headers:
    container = call.container
    return Headers(call.headers | {"etag": container.etag, "last-modified": date(container.modified)})


def _changeable(call: BlobCall) -> Container:
    """Return the container if it may be changed: conditions on its date are all there are."""
    _refuse_lease(call)
    container, headers = call.container, call.request.headers
    dates = {name: headers[name] for name in ("if-modified-since", "if-unmodified-since") if name in headers}
    check_write(Headers(dates), Stamp(container.etag, container.modified))
    return container


def _check_key_times(start: str, expiry: str, now: datetime) -> None:
    """Hold a key to its seven days ("Get User Delegation Key")."""
    if not expiry:
        raise StorageError("MissingRequiredXmlNode")
    try:
        moments = [datetime.fromisoformat(each) for each in (start, expiry) if each]
        is_good = all(each.tzinfo is not None and each <= now + LONGEST_KEY for each in moments)
    except ValueError:
        is_good = False
    if not is_good or moments[-1] <= now or moments[0] > moments[-1]:
        raise StorageError("InvalidXmlNodeValue")


def _refuse_lease(call: BlobCall) -> None:
    if "x-ms-lease-id" in call.request.headers:
        raise StorageError("LeaseNotPresentWithContainerOperation")


def _element(container: Container, has_metadata: bool) -> str:
    properties = {
        "Last-Modified": date(container.modified),
        "Etag": container.etag,
        "LeaseStatus": "unlocked",
        "LeaseState": "available",
        "HasImmutabilityPolicy": "false",
        "HasLegalHold": "false",
    }
    metadata = f"<Metadata>{elements(container.metadata)}</Metadata>" if has_metadata else ""
    told = f"{elements({'Name': container.name})}<Properties>{elements(properties)}</Properties>{metadata}"
    return f"<Container>{told}</Container>"
