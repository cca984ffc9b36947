"""Checks of what is deployed that need neither Azure nor a network: `python -m infra.checks`.

Each check is a module with a function `check(project)` that returns a `Result`: what it found, and how much
it has looked at, so that a check which looked at nothing is seen. `__main__.py` has the list of them.

What only Azure or its own compiler can tell is not told here: `bicep build` and `az deployment sub what-if`
run in the workflow that deploys.
"""
