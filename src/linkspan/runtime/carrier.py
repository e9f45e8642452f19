"""Carries ready-made edits into a container that has been created and does not run yet."""

import posix as os

from linkspan.errors import KernelError
from linkspan.formats import oci
from linkspan.kernel import carry, cgroup, params, procgpus, scope, stamps
from linkspan.runtime import created

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from linkspan.kernel.carry import Freight


class Carrier:
    """One container, and what it is given. Who has more to do on the way, or does it otherwise, makes a subclass."""

    def __init__(
        self, edits: "dict[str, Any]", process: int, root_fd: int, owner: "tuple[int, int]", *, binds_nodes: bool
    ) -> None:
        """Set out with edits as ``emit.oci`` has them.

        ``process`` and ``root_fd`` are descriptors (``created``), ``owner`` has the host's ids of the container's root.
        In a user namespace no node that is made can be opened: there the host's are bound, as runtimes do it.
        """
        self.edits = edits
        self.process = process
        self.root_fd = root_fd
        self.owner = owner
        self.binds_nodes = binds_nodes

    def carry(self) -> None:
        """Everything of the host is taken hold of first; the container's mounts are entered last, only to mount."""
        edits = self.edits
        freight = carry.load([*edits.get("mounts", ()), *self._bound_nodes()])
        devices = self.cgroup() if edits.get("rules") and cgroup.are_ours() else None
        if devices is not None:  # first of all: what is allowed after it would be lost by a reload between the two
            scope.leave(devices.path, edits["rules"], edits.get("devices", ()))
        owner = None if self.owner == (os.geteuid(), os.getegid()) else self.owner
        self.loaded(freight)
        if owner is not None:
            _act_as(*owner)
        if "prepare" in edits:
            self.prepare(edits["prepare"])
        if not self.binds_nodes:
            carry.make_nodes(self.root_fd, edits.get("devices", ()), owner)
        self.enter_and_mount(freight, owner)
        if devices is not None:
            devices.allow(edits["rules"])

    def _bound_nodes(self) -> "list[dict[str, Any]]":
        if not self.binds_nodes:
            return []
        places = [entry["path"] for entry in self.edits.get("devices", ())]
        options = ["bind", "nosuid", "noexec"]
        return [{"source": self.node_of(path), "destination": path, "options": options} for path in places]

    def node_of(self, path: str) -> str:
        """Where this host has the node that the container gets at this path."""
        return path

    def cgroup(self) -> "cgroup.Devices":
        """The device cgroup whose rules are to be changed."""
        return cgroup.Devices(self.process)

    def loaded(self, freight: "Sequence[Freight]") -> None:
        """Called once everything of the host is taken hold of."""

    def prepare(self, work: "dict[str, Any]") -> None:
        """Do the work of ``kernel.prepare`` below the root."""
        from linkspan.kernel import prepare  # most containers' roots are prepared by what an earlier start kept

        prepare.prepare(self.root_fd, work, self.owner)

    def enter_and_mount(self, freight: "Sequence[Freight]", owner: "tuple[int, int] | None") -> None:
        """Put the mounts in their places, in the container's mount namespace."""
        with created.Inside(self.process):
            self.mount(freight, owner)

    def mount(self, freight: "Sequence[Freight]", owner: "tuple[int, int] | None") -> None:
        """The same, where that namespace is the one that we are in."""
        carry.unload(self.root_fd, freight, owner)
        if self.edits.get("mask_params") and stamps.exists(oci.PARAMS):
            params.mask_params(self.root_fd)
        if "proc_gpus" in self.edits:
            procgpus.show_only(self.root_fd, self.edits["proc_gpus"])


def _act_as(uid: int, gid: int) -> None:
    from linkspan.kernel import identity  # most containers are root's

    try:
        identity.act_as(uid, gid)
    except OSError as error:
        raise KernelError(f"cannot make files as user {uid}: {error.strerror}", subject=str(uid)) from None
