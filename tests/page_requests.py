"""What copies and restores by pages ask of the simulated Azure of a local system, told apart."""

from __future__ import annotations

from activities.batches import WINDOW_BYTES
from local_system.simulated_azure import VAULT_CONTAINER
from simulator.wire import Request


def is_of_replica(request: Request) -> bool:
    """Whether something is asked of the vault's container."""
    return request.path.startswith(f"/tidemarkvault/{VAULT_CONTAINER}/")


def is_written_page(request: Request) -> bool:
    """Put Page, or Put Page From URL."""
    is_clear = request.headers.get("x-ms-page-write") == "clear"
    return is_of_replica(request) and request.query.get("comp") == "page" and not is_clear


def is_cleared_page(request: Request) -> bool:
    """Put Page that clears."""
    return is_of_replica(request) and request.headers.get("x-ms-page-write") == "clear"


def is_list(request: Request) -> bool:
    """Get Page Ranges, with or without a difference, of a snapshot or of a replica."""
    return request.query.get("comp") == "pagelist"


def is_list_of_second_window(request: Request) -> bool:
    """A range list that begins where the first window of a large disk ends."""
    return is_list(request) and request.headers.get("x-ms-range", "").startswith(f"bytes={WINDOW_BYTES}-")


def is_seal(request: Request) -> bool:
    """Snapshot Blob."""
    return is_of_replica(request) and request.query.get("comp") == "snapshot"


def is_closing(request: Request) -> bool:
    """The end of access to a snapshot, or to a disk that was uploaded."""
    return request.path.lower().endswith("/endgetaccess")


def is_import(request: Request) -> bool:
    """Copy Blob, for an import."""
    return is_of_replica(request) and "/restores/" in request.path and request.method == "PUT"


def is_upload(request: Request) -> bool:
    """Put Page, or Put Page From URL, into a disk."""
    return request.path.startswith("/md-impexp-") and request.query.get("comp") == "page"


def is_of_a_batch(request: Request) -> bool:
    """Whether a request is one that copies and restores by pages live by."""
    is_opening = request.path.lower().endswith("/begingetaccess")
    return is_opening or any(each(request) for each in (is_of_replica, is_list, is_upload, is_closing))
