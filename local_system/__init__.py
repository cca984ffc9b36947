"""A whole Tidemark on one machine: for the demo, `make serve`, kill tests and benches.

with closing(LocalSystem()) as system:
    system.start()
    system.api.post("backups", {"vm": vm.id})
    system.lose_region(HOME)

The simulated cloud is served from this process; Azurite runs once for what lies in the recovery region and
once for the home region, so that losing the home region takes its storage account too; the function host runs
as a child process. Whatever ends this process ends them: nothing of a system outlives it.
"""
