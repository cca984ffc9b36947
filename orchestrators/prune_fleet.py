"""Prunes all VMs, page by page, also those that are gone. One instance at a time.

1. Find the VMs of a page that have something to prune.
2. Prune them, side by side; one that fails hides no other.
3. Begin anew with the next page.
"""

from __future__ import annotations

import azure.durable_functions as df

from activities.retention import (
    PruneFailures,
    PruneLook,
    PruneRequest,
    find_vms_to_prune,
    report_prune_failures,
)
from durable import Context, Failed, Steps, call, gather, orchestration, restart
from orchestrators.prune_vm import prune_vm

blueprint = df.Blueprint()


@orchestration(blueprint)
def prune_fleet(context: Context, look: PruneLook) -> Steps[None]:
    """Prune every VM that has something to prune."""
    page = yield from call(context, find_vms_to_prune, look)
    ends = yield from gather(context, prune_vm, [PruneRequest(vm) for vm in page.vms])
    for vm, end in zip(page.vms, ends, strict=True):
        if isinstance(end, Failed):
            yield from call(context, report_prune_failures, PruneFailures(vm, (end.message,)))
    if page.following:
        restart(context, PruneLook(page.following))
