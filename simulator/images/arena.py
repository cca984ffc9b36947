"""Where the bytes of all simulated disks lie: slots of equal size in one sparse file.

A slot costs on the machine what is written in it (in blocks of its file system, usually 4 KiB), not its whole
size. A slot that is no longer needed is punched out of the file and used again.
"""

from __future__ import annotations

import ctypes
import errno
import itertools
import os
import tempfile
from collections import deque
from collections.abc import Callable
from pathlib import Path

SLOT_BYTES = 256 * 1024

_KEEP_SIZE_AND_PUNCH_HOLE = 0x01 | 0x02  # FALLOC_FL_KEEP_SIZE | FALLOC_FL_PUNCH_HOLE, linux/falloc.h


class Arena:
    """One sparse file that is handed out in slots.

    The file has no name from the moment it is made, so nothing is left behind however the process ends.
    """

    def __init__(self, directory: Path | None = None) -> None:
        # It lives as long as the arena, so no `with` can close it.
        self._file = tempfile.TemporaryFile(dir=directory, prefix="disks-", buffering=0)  # noqa: SIM115
        self._fresh = itertools.count()
        self._free: deque[int] = deque()

    @property
    def descriptor(self) -> int:
        """The open file; raises OSError once the arena is closed."""
        if self._file.closed:
            raise OSError(errno.EBADF, "The store of the disks is closed; their bytes are gone")
        return self._file.fileno()

    def close(self) -> None:
        """Give all bytes back."""
        self._file.close()

    def used_bytes(self) -> int:
        """Return what the file takes on the machine."""
        return os.fstat(self.descriptor).st_blocks * 512  # counted in 512 bytes on every file system

    def take_slot(self) -> int:
        """Return the file offset of a slot of SLOT_BYTES; what it held before is undefined."""
        try:
            return self._free.popleft()
        except IndexError:
            return next(self._fresh) * SLOT_BYTES

    def give_slot_back(self, slot: int) -> None:
        """Free a slot: its bytes go back to the machine, and it is handed out again."""
        self.punch(slot, SLOT_BYTES)
        self._free.append(slot)

    def write(self, offset: int, data: memoryview) -> None:
        """Write all of `data` at a file offset."""
        while data:
            written = os.pwrite(self.descriptor, data, offset)
            data, offset = data[written:], offset + written

    def punch(self, offset: int, length: int) -> None:
        """Give a stretch of the file back to the machine; where that cannot be done, it stays taken until
        its slot is used again."""
        if self._file.closed or _fallocate is None:
            return
        if _fallocate(self.descriptor, _KEEP_SIZE_AND_PUNCH_HOLE, offset, length) != 0:
            code = ctypes.get_errno()
            if code != errno.EOPNOTSUPP:
                raise OSError(code, f"punching {length} bytes at {offset}: {os.strerror(code)}")


def _find_fallocate() -> Callable[[int, int, int, int], int] | None:
    function = getattr(ctypes.CDLL(None, use_errno=True), "fallocate", None)
    if function is not None:
        function.argtypes = [ctypes.c_int, ctypes.c_int, ctypes.c_int64, ctypes.c_int64]
    return function


_fallocate = _find_fallocate()
