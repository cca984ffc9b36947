"""Deleting the blobs that restores have imported disks from: a part of a step, not a step."""

from __future__ import annotations

import logging
from operator import methodcaller

from domain.errors import Refused
from domain.leftovers import ended_imports
from domain.names import import_blob_name
from domain.restore_points import RestorePoint
from domain.tags import OPERATION_METADATA
from gateways.connection import cloud

_log = logging.getLogger("tidemark.retention")


def clean_imports(point: RestorePoint) -> tuple[bool, tuple[str, ...]]:
    """Delete what restores of a point that are over have copied; return whether some is left, and refusals.

    A disk does not depend on the blob that it was imported from. The row of the point names a restore until
    all its blobs are gone, so whoever dies in between is followed by one who finishes.
    """
    refusals: list[str] = []
    ended = ended_imports(point, cloud().now())
    for operation in ended:
        try:
            are_gone = _are_gone(point, operation)
        except Refused as refused:
            refusals.append(str(refused))
        else:
            if are_gone:
                cloud().catalogue.restore_points.alter(point.id, methodcaller("without_imports", operation))
                _log.info("what restore %s of %s imported disks from is deleted", operation, point.id)
    return bool(refusals), tuple(refusals)


def _are_gone(point: RestorePoint, operation: str) -> bool:
    container, owner = point.imports[operation].container, {OPERATION_METADATA: operation}
    names = [import_blob_name(operation, part.disk.key) for part in point.disks]
    delete = cloud().page_blob_deletions.delete_blob
    return all([delete(container, name, owner) for name in names])
