"""How far a restore point's data is in each of its locations, disk by disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from pydantic import Field

from domain.copies import Copy, CopyState, replica_state
from domain.page_copies import PageProgress
from domain.restore_points import ReplicaState, RestorePoint
from gateways.connection import cloud
from triggers.documents import document
from triggers.release import path_of

_LOOK_BACK = 20  # restore points; a copy that waits for an older one waits for its neighbour all the same

Percent = Annotated[
    float | None, Field(description="How much of it is there; null where Azure says nothing.")
]


@document
class WrittenPages:
    """What Tidemark itself has written of a disk into a page blob, as far as it has come."""

    blob: Annotated[str, Field(description="Its name in the location's container.")]
    is_whole: Annotated[bool, Field(description="Whether it is written whole, and not what has changed.")]
    written_bytes: Annotated[
        int, Field(description="With what lies between neighbouring changes, where one request is cheaper.")
    ]
    cleared_bytes: Annotated[int, Field(description="Made zeros, without any bytes being sent.")]
    streamed_bytes: Annotated[
        int,
        Field(
            description="Of the written bytes, those that passed through Tidemark; the others the storage "
            "service read from the snapshot itself."
        ),
    ]
    requests: int


@document
class ReplicaDisk:
    """One disk of a restore point on its way to a recovery location."""

    name: str
    state: CopyState
    percent: Percent
    attempt: int
    started: Annotated[
        datetime | None, Field(description="When Azure took the order of this attempt; null before.")
    ]
    progressed: Annotated[
        datetime | None,
        Field(
            description="When more of it was last seen to be there, at first when it was taken up; once it "
            "is available, when that was seen."
        ),
    ]
    snapshot: Annotated[
        str | None, Field(description="The copy's snapshot; null where it is written as pages.")
    ]
    failure: Annotated[
        str | None,
        Field(description="Why the last attempt failed, what it was put back for, or why it is skipped."),
    ]
    waits_for: Annotated[
        str | None,
        Field(
            description="While it waits: the restore point whose copy of this disk goes first, if any does."
        ),
    ]
    not_before: Annotated[
        datetime | None, Field(description="While it waits: when the next attempt begins at the earliest.")
    ]
    is_stalled: Annotated[bool, Field(description="Whether Azure has copied nothing more for hours.")]
    verified: Annotated[
        datetime | None,
        Field(
            description="When it was last held against its source and found equal, as far as was due then; "
            "null where it never was, and where Azure copied the snapshot itself."
        ),
    ]
    not_verified: Annotated[
        str | None, Field(description="Why the last verification did not come to its end; null if it did.")
    ]
    is_damaged: Annotated[bool, Field(description="Whether a verification found other bytes in it.")]
    damaged_at: Annotated[
        int | None, Field(description="The address of the first of them; null where it is not there at all.")
    ]
    pages: Annotated[
        WrittenPages | None,
        Field(
            description="What was written into its page blob; null before that has begun, and where Azure "
            "copies the snapshot itself."
        ),
    ]


@document
class ReplicaDocument:
    """A restore point's data in one location. The disks of the home location are the point's own.

    It is available only when every disk's copy is complete and the replica's manifest is written.
    """

    location: str
    is_home: bool
    state: ReplicaState
    disks: tuple[ReplicaDisk, ...]
    expires: Annotated[
        datetime | None, Field(description="While it is expiring: when it is deleted at the earliest.")
    ]


def replicas_of(point: RestorePoint) -> tuple[ReplicaDocument, ...]:
    """Return the replicas of a point, the one at home first."""
    return tuple(_replica(point, location, state) for location, state in point.replicas.items())


def _replica(point: RestorePoint, location: str, recorded: ReplicaState) -> ReplicaDocument:
    expires = point.expires.get(location)
    if location == point.home:
        return ReplicaDocument(location, True, recorded, (), expires)
    copies = cloud().catalogue.copies.find(point, location)
    ahead = _ahead(point, location, {copy.disk for copy in copies if copy.state is CopyState.WAITING})
    disks = tuple(_copied(copy, ahead.get(copy.disk)) for copy in copies)
    return ReplicaDocument(location, False, _state(point, location, copies), disks, expires)


def _state(point: RestorePoint, location: str, copies: Sequence[Copy]) -> ReplicaState:
    """Derive the state from the copies: the point's own record follows when the last of them is over.

    A state that is recorded is never taken back, and what has arrived whole is still copying until its
    manifest is written.
    """
    derived = replica_state(copies) if copies else ReplicaState.WAITING
    if derived is ReplicaState.AVAILABLE:
        derived = ReplicaState.COPYING
    return point.with_replica(location, derived).replicas[location]


def _ahead(point: RestorePoint, location: str, waiting: set[str]) -> dict[str, str]:
    """Return, by the key of a disk that waits, the older point whose copy of it goes first.

    Azure takes the snapshots of a disk one after the other, so the nearest older copy that was not skipped
    tells: if it is over, everything before it is. Looking back from point to point reads a few rows; the
    queue of a disk grows with the years.
    """
    ahead: dict[str, str] = {}
    if not waiting:
        return ahead
    for older in cloud().catalogue.restore_points.newest(point.vm.key, after=point.id, most=_LOOK_BACK):
        copies = cloud().catalogue.copies.find(older, location) if location in older.replicas else []
        told = [copy for copy in copies if copy.disk in waiting and copy.state is not CopyState.SKIPPED]
        ahead.update({copy.disk: older.id for copy in told if copy.state.is_open})
        waiting = waiting - {copy.disk for copy in told}
        if not waiting:
            break
    return ahead


def _copied(copy: Copy, ahead: str | None) -> ReplicaDisk:
    return ReplicaDisk(
        name=copy.disk_name,
        state=copy.state,
        percent=copy.percent,
        attempt=copy.attempt,
        started=copy.started,
        progressed=copy.progressed,
        snapshot=_target(copy),
        failure=copy.failure,
        waits_for=path_of("restore-points", ahead) if ahead else None,
        not_before=copy.not_before if copy.state is CopyState.WAITING else None,
        is_stalled=copy.is_stalled,
        verified=copy.verified,
        not_verified=copy.unverified,
        is_damaged=copy.is_damaged,
        damaged_at=copy.damaged_at,
        pages=_written(copy.pages) if copy.pages else None,
    )


def _written(pages: PageProgress) -> WrittenPages:
    return WrittenPages(
        blob=pages.blob,
        is_whole=pages.base is None,
        written_bytes=pages.written_bytes,
        cleared_bytes=pages.cleared_bytes,
        streamed_bytes=pages.streamed_bytes,
        requests=pages.requests,
    )


def _target(copy: Copy) -> str | None:
    """The ARM id of the copy's snapshot; its bare name where the policy file knows the location no more."""
    if copy.is_paged:
        return None
    location = cloud().policies.locations.get(copy.location)
    return copy.target_id(location) if location else copy.target_name
