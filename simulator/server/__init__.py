"""HTTP/1.1 on loopback for whatever answers requests: `listener.py` first."""

from simulator.server.listener import Server

__all__ = ["Server"]
