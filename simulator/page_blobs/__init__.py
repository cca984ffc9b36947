"""Storage accounts with page blobs: `hosts.py` first."""

from simulator.page_blobs.hosts import PageBlobHosts

__all__ = ["PageBlobHosts"]
