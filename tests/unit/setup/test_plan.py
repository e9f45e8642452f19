"""Plans, over trees of every distribution, GPU generation and state."""

import os
import re
import subprocess

import pytest

from linkspan.setup import look, model, plan, reasons, shell
from tests.unit import rpm_writer
from tests.unit.check.os_releases import RELEASES
from tests.unit.setup import trees

TABLE = os.path.join(os.path.dirname(__file__), "drivers.txt")
PLANNED = [name for name in RELEASES if name in trees.KERNELS]
IMAGES = [name for name in RELEASES if name not in trees.KERNELS and name != "arch"]
PROPRIETARY = re.compile(
    r"nvidia-kernel-dkms|nvidia-headless-\d+-server\b(?!-open)|latest-dkms|G06|tesla-470|akmod-\S+-\d"
)
OPEN = re.compile(r"open|akmod-nvidia\b(?!-)")


def made(root, *parts):
    return plan.make(look.at(trees.put(root, *parts)))


def driver(found):
    step = found.step("driver")
    return found.reason or "; ".join(step.commands)


def table():
    with open(TABLE, encoding="utf-8") as file:
        return {tuple(line.split(" | ")[:2]): line.rstrip("\n").split(" | ", 2)[2] for line in file}


@pytest.mark.parametrize("distribution", PLANNED)
def test_each_generation_gets_the_driver_of_its_distribution_or_a_sentence(tmp_path, distribution):
    expected = {gpu: told for (name, gpu), told in table().items() if name == distribution}
    found = {gpu: driver(made(tmp_path / gpu, trees.tree(distribution, [gpu]))) for gpu in trees.GPUS}
    assert found == expected


def test_the_table_has_every_distribution_and_generation():
    assert set(table()) == {(name, gpu) for name in PLANNED for gpu in trees.GPUS}


@pytest.mark.parametrize(("name", "gpu"), sorted(table()))
def test_no_gpu_gets_modules_that_do_not_drive_it(name, gpu):
    told = table()[name, gpu]
    if "install" not in told:
        return
    if gpu in ("Kepler", "Maxwell", "Pascal", "Volta"):
        assert PROPRIETARY.search(told)
        assert "open" not in told
    if gpu in ("Grace Hopper", "Blackwell", "Blackwell Ultra"):
        assert OPEN.search(told)
        assert not PROPRIETARY.search(told)


@pytest.mark.parametrize("distribution", PLANNED)
def test_a_plan_has_all_that_a_person_needs(tmp_path, distribution):
    found = made(tmp_path, trees.tree(distribution, ["Turing"], switches=0 if distribution == "fedora-42" else 4))
    keys = [step.key for step in found.steps]
    assert keys == [key for key in model.KEYS if key in keys]
    assert len(keys) == len(set(keys))
    assert bool(found.reason) == (not keys)
    for step in found.steps:
        assert step.title and step.why and step.check and step.found and step.verify
        assert step.done or step.commands or step.restart
        assert not any("None" in line or "{" in line.replace("%{", "") for line in step.commands)


HOSTS = re.compile(r"https?://([^/\s'\"]+)")
KNOWN_HOSTS = {
    "developer.download.nvidia.com",
    "download.nvidia.com",
    "download1.rpmfusion.org",
    "dl.fedoraproject.org",
    "mirror.example",
}


@pytest.mark.parametrize("distribution", PLANNED)
def test_no_address_is_named_but_the_hosts_own_and_documented_ones(tmp_path, distribution):
    for gpu in ("Volta", "Hopper", "Blackwell"):
        found = made(tmp_path / gpu, trees.tree(distribution, [gpu], switches=2))
        assert set(HOSTS.findall("\n".join(line for step in found.steps for line in step.commands))) <= KNOWN_HOSTS


@pytest.mark.parametrize("distribution", IMAGES)
def test_a_system_that_is_replaced_as_a_whole_gets_a_sentence_and_no_plan(tmp_path, distribution):
    found = made(tmp_path, trees.tree(distribution))
    assert found.steps == ()
    assert "driver" in found.reason


def test_the_sentence_names_the_system_where_there_is_none_for_it():
    assert reasons.image("fedora-kinoite", "Fedora Kinoite 42").startswith("Fedora Kinoite 42 is replaced as a whole")
    assert "transactional-update" in reasons.image("opensuse-microos", "openSUSE MicroOS")


@pytest.mark.parametrize(
    ("extra", "words"),
    [
        ({"/.dockerenv": ""}, "this is a container (docker)"),
        ({"/run/.containerenv": ""}, "this is a container (podman)"),
        ({"/run/systemd/container": "lxc\n"}, "this is a container (lxc)"),
        ({"/dev/dxg": ""}, "this is WSL2"),
        ({"/proc/sys/kernel/osrelease": "6.6.87.2-microsoft-standard-WSL2\n"}, "this is WSL2"),
        ({"/proc/sys/kernel/osrelease": "6.6.87-microsoft\n", "/run/systemd/container": "wsl\n"}, "this is WSL2"),
        ({"/etc/nv_tegra_release": "# R36\n"}, "this is a Jetson"),
    ],
)
def test_where_no_driver_is_to_be_installed_a_sentence_says_so(tmp_path, extra, words):
    found = made(tmp_path, trees.tree("ubuntu-24.04"), extra)
    assert found.reason.startswith(words)
    assert found.steps == ()


def test_a_host_without_a_gpu_is_told_so(tmp_path):
    assert made(tmp_path, trees.tree("debian-12", [])).reason.startswith("no NVIDIA GPU is on the PCI bus")


@pytest.mark.parametrize(
    ("gpus", "words"),
    [
        (["Volta", "Blackwell"], "no driver knows all GPUs of this host"),
        (["Pascal", "Grace Hopper"], "no driver knows all GPUs of this host"),
        (["Kepler", "Ampere"], ""),
        (["0x0615"], "a GPU of this host is older than Kepler"),
    ],
)
def test_gpus_of_several_generations_need_one_driver_for_all(tmp_path, gpus, words):
    found = made(tmp_path, trees.tree("debian-12", gpus))
    assert found.reason.startswith(words)
    assert bool(found.steps) == (not words)


def test_with_an_older_gpu_beside_them_newer_ones_get_its_modules_too(tmp_path):
    found = made(tmp_path, trees.tree("ubuntu-24.04", ["Pascal", "Ampere"]))
    assert "nvidia-headless-580-server " in driver(found)


def test_an_archive_that_is_not_configured_is_a_sentence(tmp_path):
    tree = trees.tree("debian-12")
    del tree["/etc/apt/sources.list.d/debian.sources"]
    assert "reads no archive" in made(tmp_path, tree).reason


def state(found, key):
    step = found.step(key)
    return step.state if step else None


def test_steps_that_are_done_are_shown_as_done(tmp_path):
    tree = trees.tree("ubuntu-24.04")
    done = {
        "/lib/modules/6.8.0-64-generic/build/Makefile": "",
        "/usr/lib/modprobe.d/nvidia-graphics-drivers.conf": "# x\nblacklist nouveau\n",
        "/usr/bin/podman": "",
        "/usr/bin/linkspan-runtime": "",
        "/run/nvidia-persistenced/socket": "",
    }
    found = made(tmp_path, tree, done)
    states = {key: state(found, key) for key in model.KEYS}
    done_keys = {key for key, told in states.items() if told == "done"}
    assert done_keys == {"repository", "headers", "nouveau", "persistence", "engine", "linkspan"}


def test_only_missing_packages_are_installed_and_taken_back(tmp_path):
    tree = trees.tree("debian-12")
    found = made(tmp_path, tree, trees.dpkg("nvidia-kernel-dkms", "libcuda1", "libnvidia-ml1", "nvidia-smi"))
    step = found.step("driver")
    rest = "libnvidia-encode1 libnvcuvid1 nvidia-driver-bin nvidia-modprobe"
    assert step.commands == (f"apt-get install -y {rest}",)
    assert step.undo == (f"apt-get remove -y {rest}",)


@pytest.mark.parametrize(
    ("line", "there"),
    [
        ("updates/dkms/nvidia-current.ko: kernel/drivers/video.ko", True),
        ("updates/dkms/nvidia-tesla-470.ko:", True),
        ("kernel/nvidia-580srv-open/nvidia.ko.zst:", True),
        ("extra/nvidia/nvidia.ko.xz: kernel/drivers/acpi/video.ko.xz", True),
        ("kernel/drivers/video/fbdev/nvidia/nvidiafb.ko:", False),
        ("kernel/drivers/i2c/busses/i2c-nvidia-gpu.ko:", False),
        ("kernel/drivers/usb/typec/altmodes/typec_nvidia.ko: kernel/nvidia.x", False),
        ("updates/dkms/nvidia-uvm.ko: updates/dkms/nvidia.ko", False),
    ],
)
def test_the_driver_is_there_when_the_kernel_has_its_module(tmp_path, line, there):
    dep = {"/lib/modules/6.1.0-37-amd64/modules.dep": f"kernel/fs/ext4.ko:\n{line}\n", "/usr/bin/nvidia-smi": ""}
    found = made(tmp_path, trees.tree("debian-12"), dep)
    assert found.step("driver").done == there


@pytest.mark.parametrize(
    ("distribution", "command"),
    [
        ("debian-12", "dkms autoinstall -k 6.1.0-37-amd64"),
        ("ubuntu-24.04", "dkms autoinstall -k 6.8.0-64-generic"),
    ],
)
def test_packages_whose_modules_were_not_built_are_built_once_more(tmp_path, distribution, command):
    tree = trees.tree(distribution)
    wanted = made(tmp_path / "first", tree).step("driver").commands[0].split()[3:]
    assert made(tmp_path / "then", tree, trees.dpkg(*wanted)).step("driver").commands == (command,)


def test_without_a_database_that_can_be_read_no_package_is_taken_back(tmp_path):
    old = {"/var/lib/rpm/Packages": b"\0\0\0\0\0\0\0\0\0\0\0\0\x61\x15\6\0"}  # the start of Berkeley DB, and no more
    found = made(tmp_path, trees.tree("rocky-8"), old)
    assert all(not step.undo for step in found.steps if step.key in ("headers", "driver", "engine", "nodes"))
    assert found.step("driver").commands


def rpm(*names, form=rpm_writer.in_sqlite, path="/var/lib/rpm/rpmdb.sqlite"):
    """The database of rpm with these packages."""
    return {path: form(*(rpm_writer.package(name, "580.95.05") for name in names))}


def test_a_program_for_device_nodes_that_was_there_before_is_not_taken_back(tmp_path):
    there = made(tmp_path, trees.tree("rhel-9"), rpm("nvidia-modprobe"))
    assert there.step("nodes").undo == ()


FORMS = {
    "rhel-9": {},
    "rocky-8": {"form": rpm_writer.in_berkeley, "path": "/var/lib/rpm/Packages"},
    "sles-15": {"form": rpm_writer.in_ndb, "path": "/usr/lib/sysimage/rpm/Packages.db"},
}


@pytest.mark.parametrize("distribution", FORMS)
def test_what_is_installed_is_known_by_every_form_of_rpms_database(tmp_path, distribution):
    tree = trees.tree(distribution)
    (undo,) = made(tmp_path / "fresh", tree, rpm(**FORMS[distribution])).step("driver").undo
    others, _, package = undo.rpartition(" ")
    there = made(tmp_path / "there", tree, rpm(package, **FORMS[distribution]))
    assert there.step("driver").undo == (others,)


def test_on_a_host_with_rpm_too_only_missing_packages_are_taken_back(tmp_path):
    found = made(tmp_path, trees.tree("rhel-9"), rpm("nvidia-driver-cuda", "dkms", "podman"))
    assert found.step("driver").undo == ("dnf remove -y kmod-nvidia-open-dkms",)
    assert not any("epel" in line for line in found.step("repository").commands)


def test_fabric_manager_of_another_version_is_known_by_rpm_too(tmp_path):
    parts = (trees.loaded("580.82.07"), rpm("nvidia-fabricmanager"), running("nv-fabricmanager"))
    step = made(tmp_path, trees.tree("rhel-9", switches=4), *parts).step("fabric-manager")
    assert step.found == "Fabric Manager 580.95.05 runs; the driver is 580.82.07"
    assert not step.done


def test_with_the_driver_in_the_kernel_nothing_of_the_driver_is_left_to_do(tmp_path):
    found = made(tmp_path, trees.tree("debian-12"), trees.loaded())
    assert {state(found, key) for key in ("repository", "headers", "nouveau", "driver", "module")} == {"done"}


def test_a_driver_on_an_unknown_distribution_leaves_the_rest_to_do(tmp_path):
    found = made(tmp_path, trees.tree("arch"), trees.loaded())
    assert not found.reason
    assert "Arch Linux is none of the distributions" in found.notes[0]
    assert state(found, "linkspan") == "to do"
    assert state(found, "engine") == "by hand"


def test_nouveau_in_the_kernel_means_a_restart(tmp_path):
    found = made(tmp_path, trees.tree("debian-12"), {"/proc/modules": trees.NOUVEAU})
    assert state(found, "nouveau") == "to do"
    assert state(found, "module") == "after a restart"
    assert "nouveau holds the GPUs" in found.step("module").restart


@pytest.mark.parametrize(
    ("distribution", "line"),
    [
        ("debian-12", "update-initramfs -u"),
        ("ubuntu-24.04", "update-initramfs -u"),
        ("rocky-8", "dracut --force"),
        ("leap-15", "dracut --force"),
        ("fedora-42", "dracut --force"),
    ],
)
def test_the_initial_ram_disk_is_made_anew_as_the_distribution_does(tmp_path, distribution, line):
    step = made(tmp_path, trees.tree(distribution)).step("nouveau")
    assert step.commands[-1] == step.undo[-1] == line


KEYS = {
    "debian-12": "/var/lib/dkms/mok.pub",
    "rocky-8": "/var/lib/dkms/mok.pub",
    "fedora-42": "/etc/pki/akmods/certs/public_key.der",
    "amazon-2023": "/var/lib/dkms/mok.pub",
}
KEY = b"0\x82\3\1certificate"


@pytest.mark.parametrize("distribution", KEYS)
@pytest.mark.parametrize(
    ("firmware", "there", "expected"),
    [
        ({}, True, None),
        (trees.secure_boot(), False, "to do"),
        (trees.secure_boot(), True, "to do"),
        (trees.secure_boot(asked=KEY), True, "after a restart"),
        (trees.secure_boot(enrolled=KEY), True, "done"),
    ],
)
def test_secure_boot_wants_the_key_that_modules_are_signed_with(tmp_path, distribution, firmware, there, expected):
    key = {KEYS[distribution]: KEY} if there else {}
    found = made(tmp_path, trees.tree(distribution), firmware, key)
    assert state(found, "secure-boot") == expected
    if expected == "to do":
        assert found.step("secure-boot").commands[-1] == f"mokutil --import {KEYS[distribution]}"
        assert found.step("secure-boot").password
    blocked = expected in ("to do", "after a restart")
    assert state(found, "module") == ("after a restart" if blocked else "to do")


def test_a_key_is_made_where_there_is_none(tmp_path):
    found = made(tmp_path, trees.tree("debian-12"), trees.secure_boot())
    assert found.step("secure-boot").commands[:2] == ("apt-get install -y mokutil", "dkms generate_mok")


@pytest.mark.parametrize(("distribution", "signer"), [("ubuntu-24.04", "Canonical"), ("sles-15", "SUSE")])
def test_with_secure_boot_modules_are_taken_that_come_signed(tmp_path, distribution, signer):
    found = made(tmp_path, trees.tree(distribution), trees.secure_boot())
    assert found.step("secure-boot") is None
    assert any(signer in note for note in found.notes)
    assert state(found, "module") == "to do"


def test_ubuntus_signed_modules_are_those_of_the_kernel_that_runs_and_of_its_flavour(tmp_path):
    found = made(tmp_path, trees.tree("ubuntu-24.04"), trees.secure_boot())
    assert "linux-modules-nvidia-580-server-open-6.8.0-64-generic" in driver(found)
    assert "linux-modules-nvidia-580-server-open-generic" in driver(found)
    assert found.step("headers") is None


def test_unsigned_modules_under_secure_boot_are_told(tmp_path):
    found = made(tmp_path, trees.tree("debian-11", ["Turing"]), trees.secure_boot())
    assert "do not sign" in found.notes[0]


def running(name):
    return {
        "/proc/7/cmdline": f"/usr/bin/{name}\0-c\0",
        "/proc/7/stat": f"7 ({name[:15]}) S 1",
        "/proc/stat": "btime 1\n",
    }


@pytest.mark.parametrize(
    ("package", "runs", "expected"),
    [
        ((), False, "to do"),
        (("nvidia-fabricmanager-580=580.95.05-1",), True, "done"),
        (("nvidia-fabricmanager-580=580.95.05-1",), False, "to do"),
        (("nvidia-fabricmanager-580=580.82.07-1",), True, "to do"),
    ],
)
def test_fabric_manager_has_to_run_in_exactly_the_drivers_version(tmp_path, package, runs, expected):
    more = running("nv-fabricmanager") if runs else {}
    found = made(
        tmp_path, trees.tree("ubuntu-24.04", switches=4), trees.loaded("580.95.05"), trees.dpkg(*package), more
    )
    assert state(found, "fabric-manager") == expected
    assert found.step("fabric-manager").commands[0] == (
        'apt-get install -y "nvidia-fabricmanager-580=$(modinfo -F version nvidia)*"'
    )


BRIDGE = {
    "/sys/bus/pci/devices/0000:b0:00.0/vendor": "0x15b3\n",
    "/sys/bus/pci/devices/0000:b0:00.0/vpd": b"\x82\x10\x00Nvidia ConnectX-7\x90\x20\x00V0SMDL=SW_MNG\x78",
}


@pytest.mark.parametrize(
    ("gpus", "extra", "expected"),
    [
        (["Blackwell"] * 8, {}, True),
        (["Blackwell"], BRIDGE, True),
        (["Blackwell"], {}, False),
        (["0x2b85"] * 2, {}, False),  # GeForce RTX 5090
        (["0x2941"] * 4, {}, False),  # GB200: its switches have a host of their own
    ],
)
def test_switches_of_nvlink_5_are_known_without_a_pci_device(tmp_path, gpus, extra, expected):
    step = made(tmp_path, trees.tree("rhel-9", gpus), extra).step("fabric-manager")
    assert bool(step) == expected
    if step:
        assert step.commands[0] == "dnf install -y nvlsm"
        assert "modprobe ib_umad" in step.commands
        assert "rm -f /etc/modules-load.d/linkspan-fabric.conf" in step.undo


def test_switches_on_the_pci_bus_need_no_subnet_manager(tmp_path):
    step = made(tmp_path, trees.tree("rhel-9", switches=4)).step("fabric-manager")
    assert not any("nvlsm" in line for line in step.commands)


def test_without_an_nvswitch_there_is_no_fabric_manager(tmp_path):
    assert made(tmp_path, trees.tree("ubuntu-24.04")).step("fabric-manager") is None


def test_debians_own_driver_is_not_taken_with_an_nvswitch_since_it_has_no_fabric_manager(tmp_path):
    found = made(tmp_path, trees.tree("debian-12", switches=4))
    assert driver(found) == "apt-get install -y nvidia-driver-cuda nvidia-kernel-open-dkms"
    assert any("cuda/repos/debian12/x86_64/cuda-keyring" in line for line in found.step("repository").commands)


def test_volta_with_an_nvswitch_is_kept_on_branch_580(tmp_path):
    found = made(tmp_path, trees.tree("debian-12", ["Volta"], switches=6))
    assert driver(found) == (
        "apt-get install -y nvidia-driver-pinning-580; apt-get install -y nvidia-driver-cuda nvidia-kernel-dkms"
    )


def test_with_a_display_no_persistence_daemon_is_needed(tmp_path):
    unit = {"/etc/systemd/system/display-manager.service": "-> /usr/lib/systemd/system/gdm.service"}
    assert made(tmp_path, trees.tree("fedora-42"), unit).step("persistence") is None


@pytest.mark.parametrize(
    ("distribution", "stream"),
    [("rocky-8", "open-dkms"), ("rhel-9", "open-dkms"), ("centos-stream-9", "open-dkms"), ("oracle-9", "open-dkms")],
)
def test_rhels_module_stream_is_chosen_once(tmp_path, distribution, stream):
    tree = trees.tree(distribution)
    first = made(tmp_path / "first", tree).step("repository")
    assert f"dnf module enable -y nvidia-driver:{stream}" in first.commands
    chosen = {"/etc/dnf/modules.d/nvidia-driver.module": f"[nvidia-driver]\nname=nvidia-driver\nstream={stream}\n"}
    assert not any("module" in line for line in made(tmp_path / "then", tree, chosen).step("repository").commands)


def test_rhel_10_locks_the_branch_of_an_older_gpu(tmp_path):
    commands = made(tmp_path, trees.tree("alma-10", ["Volta"])).step("repository").commands
    assert "dnf versionlock add '*nvidia*580*'" in commands


@pytest.mark.parametrize(
    ("distribution", "epel"),
    [
        ("rhel-9", "https://dl.fedoraproject.org/pub/epel/epel-release-latest-9.noarch.rpm"),
        ("rocky-8", "epel-release"),
        ("oracle-9", "oracle-epel-release-el9"),
    ],
)
def test_epel_comes_as_each_relative_of_rhel_has_it(tmp_path, distribution, epel):
    assert made(tmp_path, trees.tree(distribution)).step("repository").commands[0] == f"dnf install -y {epel}"


def test_suse_has_modules_for_each_flavour_of_its_kernel(tmp_path):
    kernel = {"/proc/sys/kernel/osrelease": "6.4.0-150600.8.40-azure\n"}
    assert "nvidia-open-driver-G07-signed-cuda-kmp-azure" in driver(made(tmp_path, trees.tree("sles-15"), kernel))


def test_a_kernel_with_pages_of_64_kib_has_headers_of_its_own(tmp_path):
    kernel = {"/proc/sys/kernel/osrelease": "5.14.0-427.18.1.el9_4.aarch64+64k\n"}
    commands = made(tmp_path, trees.tree("rhel-9"), kernel).step("headers").commands
    assert "kernel-64k-devel-5.14.0-427.18.1.el9_4.aarch64 " in commands[0]


def test_gpus_that_are_kept_for_virtual_machines_are_left_to_them(tmp_path):
    bound = {"/sys/bus/pci/devices/0000:01:00.0/driver": "-> ../../../bus/pci/drivers/vfio-pci"}
    assert "vfio-pci holds them" in made(tmp_path, trees.tree("debian-12"), bound).reason


def test_on_arm_the_repository_is_that_of_the_machine(tmp_path):
    arm = {"/lib/ld-linux-aarch64.so.1": ""}
    commands = made(tmp_path, trees.tree("rhel-9", ["Grace Hopper"]), arm).step("repository").commands
    assert any("cuda/repos/rhel9/sbsa/cuda-rhel9.repo" in line for line in commands)


def test_oracles_own_kernel_has_headers_of_its_own(tmp_path):
    assert "kernel-uek-devel-5.15.0-309" in made(tmp_path, trees.tree("oracle-9")).step("headers").commands[0]


STATES = {
    "fresh": {},
    "nouveau": {"/proc/modules": trees.NOUVEAU},
    "Secure Boot": trees.secure_boot(),
    "Secure Boot, nouveau": {**trees.secure_boot(), "/proc/modules": trees.NOUVEAU},
    "loaded": trees.loaded("580.95.05"),
    "loaded, Secure Boot": {**trees.loaded("580.95.05"), **trees.secure_boot()},
}


@pytest.mark.parametrize("switches", [0, 4])
@pytest.mark.parametrize("gpu", ["Volta", "Blackwell"])
@pytest.mark.parametrize("distribution", PLANNED)
def test_every_state_of_every_distribution_holds_together(tmp_path, distribution, gpu, switches):
    for name, more in STATES.items():
        found = made(tmp_path / name, trees.tree(distribution, [gpu], switches=switches), more)
        if found.reason:
            assert found.steps == ()
            continue
        keys = [step.key for step in found.steps]
        lines = "\n".join(line for step in found.steps for line in step.commands)
        assert ("fabric-manager" in keys) == bool(switches) or "driver" not in keys
        assert "mokutil" not in lines or "Secure Boot" in name
        assert found.step("module").done == ("loaded" in name)
        if "nouveau" in name:
            assert state(found, "module") == "after a restart"
        if "loaded" in name:
            assert all(step.done for step in found.steps if step.key in ("repository", "headers", "nouveau", "driver"))


def test_the_script_can_be_read_by_a_shell_and_ends_at_a_restart(tmp_path):
    root = trees.put(tmp_path / "host", trees.tree("debian-12"), {"/proc/modules": trees.NOUVEAU})
    script = shell.script(plan.make(look.at(root)))
    assert subprocess.run(["/bin/sh", "-n"], input=script, text=True, check=False).returncode == 0
    assert "set -eu" in script.splitlines()
    assert script.rstrip().endswith(
        "# After the restart: persistence, nodes, engine, linkspan, cdi, configure, doctor."
    )
    assert "\nlinkspan install" not in script
