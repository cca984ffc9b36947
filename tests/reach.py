"""The network between the app and its storage accounts, of which a test can cut off some."""

from __future__ import annotations

import time

import requests
from requests.adapters import HTTPAdapter


class Reach(HTTPAdapter):
    """The network to the storage accounts, of which those in a lost region cannot be reached."""

    def __init__(self) -> None:
        super().__init__()
        self.lost: set[str] = set()
        self.seconds = 0.0  # wall time spent waiting for the emulator

    def send(self, request, *args, **options):
        # account101 begins as account1014 does
        if any(request.url.startswith(f"{endpoint}/") for endpoint in self.lost):
            raise requests.ConnectionError(f"{request.url} is in a lost region", request=request)
        began = time.perf_counter()
        try:
            return super().send(request, *args, **options)
        finally:
            self.seconds += time.perf_counter() - began
