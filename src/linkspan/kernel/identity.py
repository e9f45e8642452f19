"""Makes files in a container as its own root would, whoever that is outside.

A file system that was mounted in a user namespace takes no file of somebody whom that namespace does not map: the
kernel says EOVERFLOW. So the process takes on the ids of the container's root for files alone, see setfsuid(2). The
kernel takes the rights over files away with that, and gives them back on request, since the process may have them.
"""

from _struct import pack, unpack

from linkspan.kernel import mounts

_VERSION_3 = 0x20080522  # linux/capability.h


def act_as(uid: int, gid: int) -> None:
    """Make files as this user and group from now on. OSError where the kernel refuses."""
    # Both answer with the id before, and never that they failed.
    mounts.call("setfsgid", gid)
    mounts.call("setfsuid", uid)
    _take_back_rights()


def _take_back_rights() -> None:
    import ctypes

    head = ctypes.create_string_buffer(pack("Ii", _VERSION_3, 0))
    sets = ctypes.create_string_buffer(24)
    place, data = ctypes.addressof(head), ctypes.addressof(sets)
    mounts.call("capget", place, data)
    # Twice 32 bits of each: effective, permitted, inheritable.
    _, low, low_given, _, high, high_given = unpack("6I", sets.raw)
    sets.raw = pack("6I", low, low, low_given, high, high, high_given)
    mounts.call("capset", place, data)
