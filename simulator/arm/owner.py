"""A virtual machine as its disks and interfaces see it."""

from __future__ import annotations

from simulator.arm.resources import Resource


class Owner(Resource):
    """What has a disk or a network interface; `VirtualMachine` is the one there is."""

    @property
    def is_allocated(self) -> bool:
        """Whether a host holds the machine: stopped is allocated, deallocated is not."""
        raise NotImplementedError

    def boots_from(self, resource: Resource) -> bool:
        """Tell whether a disk is the OS disk."""
        raise NotImplementedError
