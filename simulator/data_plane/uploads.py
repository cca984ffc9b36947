"""A disk that is being uploaded: the page blob that a client writes, until access to it is ended.

Source: azure-semantics.md §4.5. What is uploaded is a fixed VHD; the disk gets its bytes without the footer.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator

from simulator.data_plane.errors import StorageError
from simulator.data_plane.page_writes import PageWrite
from simulator.data_plane.vhd import FOOTER_BYTES, check_fixed_vhd
from simulator.images import Image
from simulator.images.ranges import PageRange
from simulator.wire import BodyPart


class UploadedVhd:
    """The page blob that stands for a disk while it is uploaded; `writes` counts the changes."""

    def __init__(self, image: Image) -> None:
        self._image = image
        self._lock = threading.Lock()
        self._is_over = False
        self.writes = 0

    @property
    def length(self) -> int:
        """The length of the blob: the disk and its footer."""
        return self._image.size_bytes

    def parts(self, start: int, end: int) -> list[BodyPart]:
        """Return the bytes from `start` up to, and not including, `end`."""
        with self._lock:
            self._check_open()
            return self._image.parts(start, end - start)

    def page_ranges(self, start: int, end: int) -> Iterator[PageRange]:
        """Yield what was written within a window."""
        with self._lock:
            self._check_open()
            return self._image.page_ranges(start, end)

    def apply(self, write: PageWrite) -> None:
        """Write or clear pages."""
        with self._lock:
            self._check_open()
            if write.data is None:
                self._image.clear(write.start, write.end - write.start)
            else:
                self._image.write(write.start, write.data)
            self.writes += 1

    def disk_image(self) -> Image:
        """Return the bytes of the disk; raises ValueError if what was uploaded is not a fixed VHD."""
        with self._lock:
            check_fixed_vhd(self._image.read(self.length - FOOTER_BYTES, FOOTER_BYTES), self.length)
            found = self._image.thaw_copy()
        found.cut(self.length - FOOTER_BYTES)
        return found

    def release(self) -> None:
        """Give the uploaded bytes back; a request that comes from before is refused."""
        with self._lock:
            self._is_over = True
            self._image.release()

    def _check_open(self) -> None:
        if self._is_over:
            raise StorageError("AuthenticationFailed", detail="The access has just been ended")
