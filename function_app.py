"""The function app: reads the settings and registers every blueprint, nothing else."""

from __future__ import annotations

import gc
import logging
import os

# Plugins of pydantic are looked for in the metadata of every installed package, and there are none.
os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
# What modules define stays: looking for garbage in it, then and later, is a fifth of a cold start.
gc.disable()
try:
    import azure.durable_functions as df
    import azure.functions as func

    import activities.blob_restores
    import activities.copies
    import activities.damage
    import activities.fleet
    import activities.history
    import activities.leftovers
    import activities.page_copies
    import activities.restore_points
    import activities.restore_preflight
    import activities.restores
    import activities.retention
    import activities.starting
    import activities.sweeping
    import activities.verifications
    import orchestrators.backup_fleet
    import orchestrators.backup_vm
    import orchestrators.prune_fleet
    import orchestrators.prune_vm
    import orchestrators.purge_history
    import orchestrators.replicate_disk
    import orchestrators.restore
    import orchestrators.restore_from_blob
    import orchestrators.verify_fleet
    import orchestrators.verify_replica
    import triggers.backups
    import triggers.health
    import triggers.holds
    import triggers.openapi
    import triggers.operations
    import triggers.restore_points
    import triggers.restores
    import triggers.retention
    import triggers.timers
    import triggers.unknown_paths
    import triggers.vms
    from gateways.connection import cloud
finally:
    gc.freeze()
    gc.enable()

# The worker lets INFO through, where azure-core tells each request and each answer: lines that nobody reads,
# and that are paid for, as nothing of the log may be sampled (host.json).
logging.getLogger("azure").setLevel(logging.WARNING)

# A missing setting or a fault in the policy file stops the app here, with its name, not at the first backup.
cloud()

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)  # closed by the app itself: triggers/identity.py
for module in (
    activities.blob_restores,
    activities.copies,
    activities.damage,
    activities.fleet,
    activities.history,
    activities.leftovers,
    activities.page_copies,
    activities.restore_points,
    activities.restore_preflight,
    activities.restores,
    activities.retention,
    activities.starting,
    activities.sweeping,
    activities.verifications,
    orchestrators.backup_fleet,
    orchestrators.backup_vm,
    orchestrators.prune_fleet,
    orchestrators.prune_vm,
    orchestrators.purge_history,
    orchestrators.replicate_disk,
    orchestrators.restore,
    orchestrators.restore_from_blob,
    orchestrators.verify_fleet,
    orchestrators.verify_replica,
    triggers.backups,
    triggers.health,
    triggers.holds,
    triggers.openapi,
    triggers.operations,
    triggers.restore_points,
    triggers.restores,
    triggers.retention,
    triggers.timers,
    triggers.unknown_paths,
    triggers.vms,
):
    app.register_functions(module.blueprint)
