"""The kernel's own messages: records as /dev/kmsg gives them."""

import errno
from collections.abc import Callable

import pytest

from linkspan.check import kernel_ring
from linkspan.check.eyes import Eyes, Ledger, live
from linkspan.check.kernel_messages import since_load, xids
from linkspan.check.scene import Scene
from linkspan.facts.host import LiveHost

XID = "NVRM: Xid (PCI:0000:1a:00): 79, pid='<unknown>', name=<unknown>, GPU has fallen off the bus."
RECORDS = [
    b"6,1,0,-;Linux version 6.12.41\n",
    b"4,812,5140900,-;NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.163.01\n SUBSYSTEM=pci\n",
    b"12,813,5140901,-;NVRM: Xid (PCI:0000:1a:00): 79, written by a program\n",
    f"2,900,86400000000,-;{XID}\n".encode(),
    b"no record at all",
]


def reads(records: list[bytes | int]) -> Callable[[], bytes]:
    """What read(2) does: a record each, or the error of this number."""
    left = [*records, errno.EAGAIN]

    def read() -> bytes:
        found = left.pop(0)
        if isinstance(found, int):
            raise OSError(found, "")
        return found

    return read


def test_the_kernels_messages_are_told_with_their_seconds_and_those_of_programs_are_not():
    told = list(kernel_ring.read_all(reads([*RECORDS])))
    assert told[1] == "[    5.140900] NVRM: loading NVIDIA UNIX x86_64 Kernel Module  550.163.01"
    assert told[2:] == [f"[86400.000000] {XID}"]


def test_a_record_that_was_overwritten_costs_itself_alone():
    assert len(list(kernel_ring.read_all(reads([RECORDS[0], errno.EPIPE, RECORDS[3]])))) == 2


def test_what_may_not_be_read_has_no_messages():
    assert list(kernel_ring.read_all(reads([errno.EPERM]))) == []


@pytest.mark.parametrize("kind", ["absent", "file"])
def test_what_is_no_such_device_has_no_messages(tmp_path, kind):
    if kind == "file":
        (tmp_path / "dev").mkdir()
        (tmp_path / "dev/kmsg").write_bytes(RECORDS[3])
    assert list(kernel_ring.messages(LiveHost(str(tmp_path)))) == []


@pytest.mark.parametrize(("ring", "seen"), [(RECORDS, 1), (RECORDS[3:4], 2)])
def test_a_ring_that_reaches_back_to_the_load_of_the_driver_is_believed_alone(tmp_path, monkeypatch, ring, seen):
    """Files may have lines of the start before; where the ring has lost its beginning, both count."""
    (tmp_path / "var/log").mkdir(parents=True)
    (tmp_path / "var/log/kern.log").write_text(f"Dec 9 kernel: {XID}\n")
    monkeypatch.setattr(kernel_ring, "messages", lambda host, path: kernel_ring.read_all(reads([*ring])))
    scene = Scene(live(str(tmp_path), Ledger()))
    assert isinstance(scene.eyes, Eyes)
    assert len(xids(scene)["0000:1a:00.0"]) == seen
    assert list(since_load(scene))[-1][0] == kernel_ring.PATH
