"""Azure Resource Manager and the resource providers behind it, as far as they are simulated.

| module | holds |
| --- | --- |
| `front_door`, `routing`, `call`, `following` | the way of a request to its handler; following operations |
| `errors`, `fields`, `throttling`, `roles` | refusals, reading bodies, limits, rights |
| `estate`, `resources`, `identifiers`, `listing` | what exists, ids, lists in pages |
| `timeline`, `operations`, `progress` | what happens later, and how far it is |
| `disk_model`, `disks`, `disk_changes`, `disk_settings`, `disk_performance` | managed disks |
| `snapshot_model`, `snapshots`, `snapshot_taking`, `snapshot_copies`, `snapshot_families` | snapshots |
| `access_grants` | opening disks and snapshots for reading by SAS |
| `machine_model`, `machines`, `machine_storage`, `machine_checks`, `machine_power` | virtual machines |
| `network_models`, `networks`, `network_interfaces` | what a machine needs around it |
| `groups` | resource groups and subscriptions |
"""
