"""``nvidia-container-cli configure``, called for created containers as NVIDIA's hook calls it, and by folder alone."""

import os
import subprocess

import pytest

from tests import mounts, rootfs
from tests.containers import HOST_ID_OF_ROOT, Bundle, Outcome, Runtime, new_bundle, run
from tests.debian import UnavailableError
from tests.folders import open_folder
from tests.privileged import inside
from tests.rootfs import Kind, fresh_root
from tests.toolkit import Toolkit

pytestmark = pytest.mark.privileged

# What a hook does with the state that it is given: it looks for the process.
_HOOK = """pid=$(sed -E 's/.*"pid": ?([0-9]+).*/\\1/') && exec "$@" --pid="$pid" "$ROOTFS" """


_ENVIRONMENT = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin"}


def program(toolkit: Toolkit) -> str:
    """The installed program, by the name that it is called by."""
    return f"{toolkit.place.programs}/nvidia-container-cli"


def hooked(toolkit: Toolkit, bundle: Bundle, *options: str) -> Bundle:
    """The bundle with the program as its prestart hook."""
    call = [program(toolkit), f"--root={toolkit.driver_root}", "configure", "--ldconfig=@/sbin/ldconfig", *options]
    env = [f"PATH={os.defpath}", f"ROOTFS={bundle.config['root']['path']}"]
    entry = {"path": "/bin/sh", "args": ["sh", "-c", _HOOK, "sh", *call], "env": env}
    bundle.config["hooks"] = {"prestart": [entry]}
    return bundle


def start(
    toolkit: Toolkit, runtime: Runtime, command: tuple[str, ...], *options: str, kind: Kind = "debian"
) -> Outcome:
    with fresh_root(kind) as root, new_bundle(root, *command) as bundle:
        return run(runtime, hooked(toolkit, bundle, *options))


def test_a_created_container_sees_the_gpus_asked_for_and_opens_no_other(toolkit_550: Toolkit, runtime: Runtime) -> None:
    listed = start(toolkit_550, runtime, inside.LIST_GPUS, "--device=0,2", "--compute", "--utility")
    assert inside.uuids(listed.output) == inside.gpu_uuids([0, 2]), listed
    opened = start(toolkit_550, runtime, inside.open_nodes(), "--device=0,2", "--compute", "--utility")
    assert inside.answers(opened.output) == inside.only_minors((0, 2)), opened


@pytest.mark.parametrize("kind", rootfs.KINDS)
def test_the_driver_libraries_are_found_by_name(toolkit_550: Toolkit, runc: Runtime, kind: Kind) -> None:
    command = inside.open_libraries(*inside.LIBRARIES, musl=kind == "musl")
    inside.assert_found(start(toolkit_550, runc, command, "-d0", "-cu", kind=kind), *inside.LIBRARIES)


def test_a_capability_alone_brings_its_own_libraries_and_no_others(toolkit_550: Toolkit, runc: Runtime) -> None:
    found = inside.answers(start(toolkit_550, runc, inside.open_libraries(*inside.LIBRARIES), "-d0", "-u").output)
    assert found["libnvidia-ml.so.1"].startswith("/")
    assert not found["libcuda.so.1"].startswith("/")


def test_the_driver_tells_of_its_own_gpus_alone(toolkit_550: Toolkit, runtime: Runtime) -> None:
    proc, command = mounts.driver_proc_of(toolkit_550.driver_root), inside.LIST_GPU_FOLDERS
    with proc, fresh_root() as root, new_bundle(root, *command) as bundle:
        outcome = run(runtime, hooked(toolkit_550, bundle.host_proc(), "-d0,2", "-cu"))
    assert outcome.output.split()[:-2] == [inside.FOLDERS[0], inside.FOLDERS[2]], outcome


def test_without_devices_the_driver_comes_alone(toolkit_550: Toolkit, runc: Runtime) -> None:
    outcome = start(toolkit_550, runc, inside.open_nodes(), "--utility")
    assert inside.answers(outcome.output) == inside.only_minors(()), outcome


def test_nodes_and_rules_are_left_out_on_request(toolkit_550: Toolkit, runc: Runtime) -> None:
    without_nodes = start(toolkit_550, runc, ("/bin/sh", "-c", "ls /dev"), "-d0", "-u", "--no-devbind")
    assert without_nodes.exit == 0, without_nodes
    assert "nvidia" not in without_nodes.output
    without_rules = start(toolkit_550, runc, inside.open_nodes(), "-d0", "-u", "--no-cgroups")
    assert inside.answers(without_rules.output) == inside.only_minors(()), without_rules


def test_a_container_in_a_user_namespace_gets_its_gpus(toolkit_550: Toolkit, runtime: Runtime) -> None:
    with mounts.devices_of(toolkit_550.driver_root), fresh_root() as root:
        rootfs.give_folders_to(root, HOST_ID_OF_ROOT)
        with new_bundle(root, *inside.LIST_GPUS) as bundle:
            outcome = run(runtime, hooked(toolkit_550, bundle.user_namespace(), "-d1,3", "-cu"))
            assert outcome.created == 0, outcome
            made = os.lstat(f"{root}/usr/lib/x86_64-linux-gnu/libcuda.so.1")
    assert inside.uuids(outcome.output) == inside.gpu_uuids([1, 3]), outcome
    assert (made.st_uid, made.st_gid) == (HOST_ID_OF_ROOT, HOST_ID_OF_ROOT)


def test_what_cannot_be_granted_keeps_the_container_from_starting(toolkit_550: Toolkit, runc: Runtime) -> None:
    outcome = start(toolkit_550, runc, ("/bin/true",), "-d0", "--require=cuda>=99.0")
    assert outcome.created != 0
    assert "nvidia-container-cli: requirement error: unsatisfied condition: cuda>=99.0 (" in outcome.errors, outcome


def by_folder(toolkit: Toolkit, namespaces: str, root: str, *command: str) -> subprocess.CompletedProcess[str]:
    """Give a folder GPUs 0 and 2 in a mount namespace that ends with the command, which runs below that folder."""
    call = f"{program(toolkit)} --user --root={toolkit.driver_root} configure --no-cgroups --device=0,2 -cu {root}"
    mounted = f"mount --bind {root} {root}; mount --rbind /proc {root}/proc; cd {root}; "
    line = f'set -e; {mounted}{call}; exec chroot . "$@"'
    argv = ["unshare", *namespaces.split(), "--propagation=private", "sh", "-c", line, "sh", *command]
    return subprocess.run(
        argv,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env=_ENVIRONMENT,
    )


@pytest.mark.parametrize("namespaces", ["-m", "-mUr"], ids=["as-root", "in-a-user-namespace"])
def test_a_folder_is_given_its_gpus_in_the_mounts_of_the_caller(toolkit_550: Toolkit, namespaces: str) -> None:
    if subprocess.run(["unshare", *namespaces.split(), "true"], capture_output=True, timeout=9, check=False).returncode:
        raise UnavailableError(f"unshare {namespaces} is not allowed here (in a chroot no user namespace ever is)")
    with fresh_root() as root:
        before = open_mounts()
        done = by_folder(toolkit_550, namespaces, root, *inside.LIST_GPUS)
        assert inside.uuids(done.stdout) == inside.gpu_uuids([0, 2]), done
        nodes = [entry for entry in os.scandir(f"{root}/dev") if not entry.is_file(follow_symlinks=False)]
        assert not nodes
        assert open_mounts() == before


def test_a_folder_in_mounts_that_others_share_is_refused(toolkit_550: Toolkit) -> None:
    with fresh_root() as root:
        os.mkdir(f"{root}/inner")
        share = f"mount --bind {root} {root}; mount --make-shared {root}; "
        call = f"{program(toolkit_550)} --root={toolkit_550.driver_root} configure --no-cgroups -d0 -u {root}/inner"
        argv = ["unshare", "-m", "sh", "-c", f"{share}{call}"]
        done = subprocess.run(
            argv,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
            env=_ENVIRONMENT,
        )
    assert done.returncode == 1
    assert done.stderr.startswith("nvidia-container-cli: mount error: the container's root lies in a mount that"), done


def open_mounts() -> int:
    """How many mounts this namespace has."""
    with open("/proc/self/mountinfo", encoding="utf-8") as file:
        return len(file.readlines())


def test_no_link_of_the_image_leads_a_mount_out_of_its_root(toolkit_550: Toolkit, runc: Runtime) -> None:
    with open_folder("outside") as outside, fresh_root() as root, new_bundle(root, "/bin/true") as bundle:
        os.symlink(f"../../../../../../..{outside}", f"{root}/etc/OpenCL")
        outcome = run(runc, hooked(toolkit_550, bundle, "-d0", "-cu"))
        assert outcome.exit == 0, outcome
        assert os.listdir(f"{root}{outside}") == ["vendors"]
        assert os.listdir(outside) == []
