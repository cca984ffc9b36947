"""Entities in the Durable HTTP API: read, list, signal."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable

from aiohttp import web

from local_host.answers import json_answer, nothing
from local_host.entities import Entities, EntityId
from local_host.management import ArgumentRefusedError


class EntityApi:
    """Answers requests below `entities/`."""

    def __init__(self, entities: Entities) -> None:
        self._entities = entities

    def route(
        self, method: str, parts: list[str]
    ) -> Callable[[web.BaseRequest], Awaitable[web.Response]] | None:
        """Find who answers; `parts` is the path behind `entities/`."""
        if method == "GET" and len(parts) < 2:
            return lambda request: self._list_entities(parts[0] if parts else None)
        if len(parts) != 2:
            return None
        entity = EntityId(parts[0], parts[1])
        if method == "GET":
            return lambda request: self._entity_state(entity)
        if method in ("POST", "DELETE"):
            return lambda request: self._signal(request, entity)
        return None

    async def _entity_state(self, entity: EntityId) -> web.Response:
        state = self._entities.state(entity)
        if state is None:
            return nothing(404)
        return web.Response(text=state, content_type="application/json")

    async def _list_entities(self, name: str | None) -> web.Response:
        return json_answer(
            [
                {
                    "entityId": {"name": entity.name, "key": entity.key},
                    "lastOperationTime": updated_at,
                    "state": json.loads(state),
                }
                for entity, state, updated_at in self._entities.list(name)
            ]
        )

    async def _signal(self, request: web.BaseRequest, entity: EntityId) -> web.Response:
        if not self._entities.knows(entity.name):
            raise ArgumentRefusedError(
                f"The function '{entity.name}' doesn't exist, is disabled, or is not an entity function."
            )
        operation = "delete" if request.method == "DELETE" else request.query.get("op", "")
        text = await request.text()
        if text and request.content_type != "application/json":
            text = json.dumps(text)
        try:
            input_text = json.dumps(json.loads(text)) if text else None
        except ValueError as error:
            return json_answer({"Message": f"Could not parse JSON content: {error}"}, 400)
        self._entities.signal(entity, operation, input_text)
        return nothing(202)
