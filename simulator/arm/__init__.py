"""Azure Resource Manager and the resource providers behind it, as far as they are simulated.

| module | holds |
| --- | --- |
| `front_door`, `routing`, `call`, `following` | the way of a request to its handler; following operations |
| `versions`, `members`, `preconditions`, `fields` | api-versions, names in bodies, etags, reading bodies |
| `errors`, `throttling`, `roles` | refusals, limits, rights |
| `estate`, `resources`, `identifiers`, `listing` | what exists, ids, lists in pages |
| `timeline`, `operations`, `progress` | what happens later, and how far it is |
| `disk_model`, `disks`, `disk_creation`, `disk_changes` | managed disks |
| `disk_settings`, `disk_skus`, `disk_traits`, `disk_performance` | what may be set of disks, by sku |
| `encryption_sets` | customers' keys |
| `snapshot_model`, `snapshots`, `snapshot_taking`, `snapshot_copies`, `snapshot_families` | snapshots |
| `access_grants` | opening disks and snapshots for reading by SAS |
| `machine_model`, `machines`, `machine_storage`, `machine_checks`, `machine_power` | virtual machines |
| `owner` | a machine as its disks and interfaces see it |
| `machine_sizes`, `skus` | sizes of machines, and where they are offered |
| `network_models`, `networks`, `network_interfaces` | what a machine needs around it |
| `groups` | resource groups and subscriptions |
"""
