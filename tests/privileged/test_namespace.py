"""A process that leaves the machine's mounts, also from a chroot whose root is a plain folder."""

import subprocess
import sys
import tempfile

import pytest

from tests import rootfs

pytestmark = pytest.mark.privileged

# Everything is imported before the root changes: Python is not to be found there.
SCRIPT = """
import os, sys
from linkspan.errors import KernelError
from linkspan.kernel import mounts, namespace

namespace.leave_mounts()
namespace._mount("proc", sys.argv[1] + "/proc", "proc", 0)
if sys.argv[2] == "seen":  # as if the chroot's folder lay on a mount that the machine shares
    namespace._seen_by_init = lambda place, counts=[0, 1]: counts.pop(0)
os.chroot(sys.argv[1])
os.chdir("/usr")
try:
    namespace._make_private("/")
except OSError as error:
    print("before:", error.strerror)
try:
    namespace.leave_mounts()
except KernelError as error:
    sys.exit(str(error))
namespace._make_private("/")
print("after: a mount point, in", os.getcwd())
"""


def run(kind: str) -> str:
    with tempfile.TemporaryDirectory() as folder:
        argv = [sys.executable, "-c", SCRIPT, rootfs.debian_minimal(), kind]
        done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=60, check=False)
    return done.stdout + done.stderr


def test_in_a_plain_chroot_the_root_becomes_a_mount_point():
    assert run("private") == "before: Invalid argument\nafter: a mount point, in /usr\n"


def test_nothing_of_it_is_seen_by_the_machine():
    with open("/proc/1/mountinfo", encoding="utf-8") as file:
        before = file.read()
    run("private")
    with open("/proc/1/mountinfo", encoding="utf-8") as file:
        assert file.read() == before


def test_where_the_machine_would_see_it_nothing_is_done():
    said = run("seen").splitlines()
    assert said[1].startswith("the root folder of this chroot is not a mount point, so no container can start in it;")
