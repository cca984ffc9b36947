"""Cannot be imported."""

raise RuntimeError("policies.yaml, line 3: unknown field 'shedule'")
