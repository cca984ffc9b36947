"""May this request do that: by a bearer token's roles, by a SAS, or by the account's key.

Sources: the section "Authorization" of each operation in the Azure Storage REST documentation; for what is
said of tokens, "Authorize with Microsoft Entra ID" there and azure-semantics.md §4.7. A token is what it is
for Resource Manager (arm/roles.py: neither its audience nor its end is looked at), and needs one of the
operation's data actions on the container. The accounts do not allow anonymous access to anything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from simulator.arm.errors import ArmError
from simulator.arm.estate import Estate
from simulator.arm.roles import identity_of
from simulator.data_plane.errors import StorageError, not_simulated
from simulator.data_plane.versions import WITH_CHALLENGE, WITH_TOKENS
from simulator.page_blobs.accounts import StorageAccount
from simulator.page_blobs.addresses import Address
from simulator.page_blobs.calls import BlobCall, Operation
from simulator.page_blobs.shared_access import checked_sas
from simulator.page_blobs.shared_key import check_shared_key
from simulator.wire import Request

Allows = Callable[[str], bool]


def authorize(call: BlobCall, operation: Operation) -> None:
    """Let a call pass, and note on it whether it may write over what is there; raises StorageError 401 or
    403."""
    scheme = call.request.headers.get("authorization", "").partition(" ")[0].lower()
    if scheme == "sharedkey":
        check_shared_key(call.request, call.account.id.name, call.account.key)
    elif scheme == "bearer":
        allows = _role(call.estate, call.account, call.address, owner_of_token(call))
        _require(call, operation, operation.actions, allows)
    elif scheme == "sharedkeylite":
        raise not_simulated("Shared Key Lite")
    elif scheme:
        raise StorageError("InvalidAuthenticationInfo")
    elif "sig" in call.request.query:
        _authorize_by_sas(call, operation)
    elif call.version >= WITH_CHALLENGE:
        raise StorageError("NoAuthenticationInformation")
    else:
        raise StorageError("PublicAccessNotPermitted")


def is_anonymous(request: Request) -> bool:
    """Tell whether a request says nothing of who asks."""
    return not request.headers.get("authorization") and "sig" not in request.query


def owner_of_token(call: BlobCall) -> str:
    """Return who sends a bearer token; raises StorageError: 401 or 400 InvalidAuthenticationInfo if there is
    none, 403 AuthenticationFailed for a version that knows no tokens."""
    if not call.request.headers.get("authorization", "").lower().startswith("bearer"):
        raise StorageError("AuthenticationFailed")
    if call.version < WITH_TOKENS:
        detail = "Authentication scheme Bearer is not supported in this version."
        raise StorageError("AuthenticationFailed", detail=detail)
    try:
        return identity_of(call.request)
    except ArmError:
        status = 401 if call.version >= WITH_CHALLENGE else 400
        raise StorageError("InvalidAuthenticationInfo", status=status) from None


def _authorize_by_sas(call: BlobCall, operation: Operation) -> None:
    access = checked_sas(call.account, call.address, call.request.query, call.now)
    if operation.only_account_sas and not access.is_of_account:
        raise StorageError("AuthorizationPermissionMismatch")
    if access.delegated_by is not None:
        allows = _role(call.estate, call.account, call.address, access.delegated_by)
        _require(call, operation, operation.actions, allows)
    may_overwrite = call.may_overwrite
    _require(call, operation, operation.permissions, access.permissions.__contains__)
    call.may_overwrite = call.may_overwrite and may_overwrite


def _require(call: BlobCall, operation: Operation, wanted: Iterable[str], allows: Allows) -> None:
    """Ask for the rights one after the other, those that suffice for everything first."""
    given = next((right for right in wanted if allows(right)), None)
    if given is None:
        raise StorageError("AuthorizationPermissionMismatch")
    call.may_overwrite = given not in operation.creates


def _role(estate: Estate, account: StorageAccount, address: Address, identity: str) -> Allows:
    scope = account.id.text
    if address.container:
        scope += f"/blobServices/default/containers/{address.container}"
    return lambda action: estate.authorize(identity, action, scope)
