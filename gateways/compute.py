"""Clients of Azure's compute service, and ARM ids.

The SDK's own retries sleep in process for as long as `Retry-After` says, which may be twenty minutes, and
its automatic provider registration blocks in a loop: both are off, always. Orchestrators wait, by
timers; for how long, durable/patience.py decides.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from azure.core.pipeline.policies import (
    ContentDecodePolicy,
    CustomHookPolicy,
    HeadersPolicy,
    RequestIdPolicy,
    SansIOHTTPPolicy,
    UserAgentPolicy,
)
from azure.mgmt.compute import ComputeManagementClient
from azure.mgmt.core.policies import ARMChallengeAuthenticationPolicy

from gateways.refusals import refusals
from settings import Identity

_SCOPE = "https://management.azure.com/.default"
_RESOURCE = re.compile(
    r"/subscriptions/(?P<subscription>[^/]+)/resourceGroups/(?P<group>[^/]+)"
    r"(?:/providers/[^/]+/[^/]+/(?P<name>[^/]+))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class ResourceId:
    """An ARM id, taken apart."""

    subscription: str
    group: str
    name: str

    @classmethod
    def parse(cls, arm_id: str) -> ResourceId:
        """Take an id apart; raises ValueError if it is not one."""
        match = _RESOURCE.fullmatch(arm_id)
        if match is None:
            raise ValueError(f"{arm_id!r} is not the ARM id of a resource or a resource group")
        return cls(match["subscription"], match["group"], match["name"] or "")


@dataclass
class Compute:
    """The compute clients of one identity, one per subscription, made when first needed."""

    credential: Any
    endpoint: str
    transport: Any = None
    identity: Identity = field(kw_only=True)
    _clients: dict[str, ComputeManagementClient] = field(default_factory=dict)

    def client(self, subscription: str) -> ComputeManagementClient:
        """Return the client for a subscription."""
        if subscription not in self._clients:
            self._clients[subscription] = ComputeManagementClient(
                self.credential,
                subscription,
                base_url=self.endpoint,
                policies=self._policies(),
                **({"transport": self.transport} if self.transport else {}),
            )
        return self._clients[subscription]

    def _policies(self) -> list[Any]:
        # The whole pipeline: no retries, no registration of resource providers, no redirects.
        return [
            RequestIdPolicy(),
            HeadersPolicy(),
            UserAgentPolicy("tidemark", use_env=False),
            ContentDecodePolicy(),
            self._authentication(),
            CustomHookPolicy(raw_response_hook=refusals(self.identity)),
        ]

    def _authentication(self) -> Any:
        if self.endpoint.startswith("https://"):
            return ARMChallengeAuthenticationPolicy(self.credential, _SCOPE)
        return _PlainBearer(self.credential)


class _PlainBearer(SansIOHTTPPolicy):
    """Sends the token over plain HTTP, which the SDK's own policy refuses: the simulator on loopback only.

    `Settings` accepts such an endpoint as a development setting alone.
    """

    def __init__(self, credential: Any) -> None:
        super().__init__()
        self._credential = credential

    def on_request(self, request: Any) -> None:
        request.http_request.headers["Authorization"] = f"Bearer {self._credential.get_token(_SCOPE).token}"
