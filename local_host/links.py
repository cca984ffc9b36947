"""Addresses of the Durable HTTP API: what the durable client's binding holds, and what a start answers."""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import quote

WEBHOOKS = "/runtime/webhooks/durabletask"
RPC = "/durabletask/"


@dataclass(frozen=True)
class Links:
    """Makes the addresses of one host. `key` is the system key, which Azure puts into every one of them."""

    origin: str
    task_hub: str
    key: str

    def client_binding(self) -> str:
        """The JSON text that a function's durable client is made from (contract §2.6)."""
        base = f"{self.origin}{WEBHOOKS}"
        start = f"{base}/orchestrators/{{functionName}}[/{{instanceId}}]"
        wait = "timeout={timeoutInSeconds}&pollingInterval={intervalInSeconds}"
        return json.dumps(
            {
                "taskHubName": self.task_hub,
                "connectionName": "Storage",
                "creationUrls": {
                    "createNewInstancePostUri": f"{start}?code={self.key}",
                    "createAndWaitOnNewInstancePostUri": f"{start}?{wait}&code={self.key}",
                },
                "managementUrls": {
                    **self.management("INSTANCEID"),
                    "rewindPostUri": self._rewind("INSTANCEID"),
                },
                "baseUrl": base,
                "requiredQueryStringParameters": f"code={self.key}",
                "rpcBaseUrl": f"{self.origin}{RPC}",
                "httpBaseUrl": None,
            }
        )

    def management(self, instance_id: str, origin: str | None = None) -> dict[str, str]:
        """The addresses by which one instance is managed; `origin` is where the asker reached this host."""
        instance = self._instance(instance_id, origin)
        return {
            "id": instance_id,
            "statusQueryGetUri": f"{instance}?{self._query}",
            "sendEventPostUri": f"{instance}/raiseEvent/{{eventName}}?{self._query}",
            "terminatePostUri": f"{instance}/terminate?reason={{text}}&{self._query}",
            "purgeHistoryDeleteUri": f"{instance}?{self._query}",
            "restartPostUri": f"{instance}/restart?{self._query}",
            "suspendPostUri": f"{instance}/suspend?reason={{text}}&{self._query}",
            "resumePostUri": f"{instance}/resume?reason={{text}}&{self._query}",
        }

    def _rewind(self, instance_id: str) -> str:
        return f"{self._instance(instance_id, None)}/rewind?reason={{text}}&{self._query}"

    def _instance(self, instance_id: str, origin: str | None) -> str:
        return f"{origin or self.origin}{WEBHOOKS}/instances/{quote(instance_id, safe='')}"

    @property
    def _query(self) -> str:
        return f"taskHub={quote(self.task_hub)}&connection=Storage&code={self.key}"
