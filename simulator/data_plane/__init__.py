"""The storage side of managed disks: SAS, ranged reads, page ranges, footers. `storage_hosts.py` first."""

from simulator.data_plane.storage_hosts import DataPlane

__all__ = ["DataPlane"]
