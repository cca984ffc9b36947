"""The bytes of disks and snapshots, copy-on-write: `image.py` first."""

from simulator.images.image import Image, ImageStore

__all__ = ["Image", "ImageStore"]
