"""The part of Azure that Tidemark uses, simulated below the real Azure SDKs.

    from simulator.cloud import Cloud                  # the core: one request in, one response out
    from simulator.transport import transport          # under the real SDKs, in a test
    from simulator.server import Server                # over HTTP on loopback; python -m simulator --help

It exists so that Tidemark can be run, tested and shown where no Azure is. It is held to what is known of
Azure: recorded traffic, documentation, the SDKs' own expectations (docs/azure-semantics.md, with sources).
Where something is not known it is never kinder than Azure may be, and says so in the module that decides it.

What is simulated, and where
    arm.machines         virtual machines: get, list, instance view, create from specialized disks, swap the
                         OS disk, attach and detach, tags, start, stop, deallocate, restart, delete
    arm.disks            managed disks: grow, change, delete, states
    arm.disk_origins     what disks are made from: nothing, snapshots, page blobs (Import), uploads
    arm.disk_traits      what may be set of a disk by its sku: performance, tier, bursting, sectors, shares
    arm.encryption_sets  disk encryption sets to look at, and to name in disks and snapshots
    arm.skus             the sizes of machines, where they are offered and where not
    arm.snapshots        snapshots, incremental and full: families, limits, completion in the background
    arm.snapshot_copies  cross-region copies (CopyStart): progress, order, limits, broken sources
    arm.access_grants    access by SAS: grant, revoke, expiry, five per family; uploads
    data_plane           the bytes behind a SAS: HEAD, ranged GET, page ranges and differences, VHD footer;
                         pages of a disk that is uploaded
    page_blobs           storage accounts with page blobs: pages sent along or from a URL, page ranges and
                         differences, snapshots, Copy Blob, lists; tokens, SAS, shared key; a blob's limits
    arm.networks         virtual networks, subnets, interfaces: what a machine refers to
    arm.groups           resource groups, subscriptions
    arm.front_door       Resource Manager: operations, paging, throttling, errors, rights
    regions              lost regions
    faults               planted faults: status, after executing, dropped, delayed, failed operations
    arm.timeline         virtual time: nothing happens by itself, all follows from the clock

What is not simulated. What a client can ask for by name is refused as `SimulatorNotSimulated`, or as a type
or action that does not exist; the rest is not there.
  - Run Command, extensions, images, machines from images, new data disks in a machine's PUT, availability
    and scale sets, capacity, quotas and usages, preemption of one machine operation by another, hibernation,
    another size or key of a disk through its machine, restarts that a changed size or OS disk brings.
  - Disks from disks, snapshots of snapshots, VHDX, guest state of trusted launch and confidential machines
    (also beside an import or upload), instant access, shared disks on several machines, changing a disk to or
    from Ultra or Premium SSD v2, limits on disks made at once from one source or in all, how often a day tier
    and performance may change, snapshots of another size than their source, performance plus, read-only
    performance, sets for confidential disks, making and changing encryption sets.
  - Of storage accounts all but page blobs: block blobs, leases, versions, soft delete, immutability, tiers,
    access policies, firewalls, aborting copies, limits of whole accounts; accounts in Resource Manager.
  - Azure's own restore points, immutability policies, locks, policies, private links, data-plane tokens.
  - Everything of Microsoft.Network beyond networks, subnets and interfaces.

Where it is known to differ from Azure, or decides what Azure leaves open
    arm.errors             refusals whose code nobody has published have codes of our own: `OWN_CODES`
    arm.operations         operations are never forgotten; no Retry-After is sent with them
    arm.throttling         the limits of disks and snapshots are those seen in traffic of 2023
    arm.listing            lists leave out lost regions; lists of machines shout resource groups
    arm.snapshot_taking    the bytes are those of the moment at which the operation ends
    arm.snapshot_families  copies of one disk share a family in the target region
    arm.snapshot_copies    what "in order" and "one at a time" mean exactly; what a deleted copy means
    arm.access_grants      a second grant lengthens the first; an open snapshot is not deleted; what becomes
                           of an upload that has expired or is no VHD
    arm.disk_origins       the right and the refusals of imports; which properties an upload needs
    arm.machine_checks     a disk of another region has a code of our own
    arm.machine_power      a busy machine answers 409 Conflict
    arm.groups             a group is deleted at once, or refused
    arm.disk_performance   numbers are told; nobody feels them
    arm.disk_traits        the codes of most refusals are not published
    arm.disk_creation      Ultra and Premium SSD v2 are zonal wherever there are zones
    arm.encryption_sets    a set that exists works; what fits is known, how a misfit is refused is not
    arm.members            names are known to one depth and in one spelling, in every api-version alike
    arm.versions           from the first api-version of a kind on, every date is taken
    arm.preconditions      etags in every api-version
    arm.machine_sizes      some of Azure's sizes; all offered everywhere until a test takes one away
    arm.roles              tokens are names; without roles all is allowed; roles bind at once
    page_blobs.pace        a second's worth can come at once; on a clock that stands still no more comes
    page_blobs.copies      every copy takes time, and the bytes are those of its beginning
    page_blobs.sources     which status a source that cannot be read has
    page_blobs.shared_key, shared_access   the date of a signature; protocols and addresses
    arm.following          reading an operation needs the right to read operations
    tempo                  durations and speeds are typical or invented
    regions                there are some of Azure's; how a lost one behaves
    data_plane, images, server   see there
"""
