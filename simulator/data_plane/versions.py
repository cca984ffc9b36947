"""Versions of the storage service: which there are, which one a request asks for, what came with which.

Source: "Versioning for Azure Storage" and "Previous Azure Storage service versions" (Azure Storage REST);
azure-semantics.md §4.7. What the service does not know, it refuses with 400 InvalidHeaderValue, also where it
is well-formed. Own choice: versions that are younger than this list are taken up to the end of the next year,
because an SDK may be younger than it.
"""

from __future__ import annotations

from datetime import date, datetime

from simulator.data_plane.errors import StorageError
from simulator.wire import Request

WITH_TOKENS = "2017-11-09"
WITH_CHALLENGE = "2019-12-12"  # anonymous requests are told where to get a token
NEWEST = "2026-10-06"

_LIST = """
2009-09-19 2011-08-18 2012-02-12 2013-08-15 2014-02-14 2015-02-21 2015-04-05 2015-07-08 2015-12-11
2016-05-31 2017-04-17 2017-07-29 2017-11-09 2018-03-28 2018-11-09 2019-02-02 2019-07-07 2019-10-10
2019-12-12 2020-02-10 2020-04-08 2020-06-12 2020-08-04 2020-10-02 2020-12-06 2021-02-12 2021-04-10
2021-06-08 2021-08-06 2021-10-04 2021-12-02 2022-11-02 2023-01-03 2023-05-03 2023-08-03 2023-11-03
2024-02-04 2024-05-04 2024-08-04 2024-11-04 2025-01-05 2025-05-05 2025-07-05 2025-11-05 2026-02-06
2026-04-06 2026-06-06 2026-10-06
"""
_KNOWN = frozenset(_LIST.split())


def asked_version(request: Request) -> str:
    """Return the version that a request asks for: by its header, by `api-version` beside a SAS, or by the
    version of the SAS itself; "" if it names none."""
    query = request.query
    return request.headers.get("x-ms-version") or query.get("api-version") or query.get("sv") or ""


def check_version(version: str, now: datetime) -> None:
    """Refuse a version that there is not; raises StorageError."""
    if version not in _KNOWN and not _is_younger(version, now):
        raise StorageError("InvalidHeaderValue", name="x-ms-version", value=version)


def _is_younger(version: str, now: datetime) -> bool:
    try:
        day = date.fromisoformat(version)
    except ValueError:
        return False
    return version == f"{day}" and version > NEWEST and day.year <= now.year + 1
