"""The program of NVIDIA's name in specs that NVIDIA's toolkit wrote: commands, flags and exit codes."""

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from linkspan.formats import ldcache
from tests.elf import AARCH64, I386, library
from tests.unit.kernel import roots
from tests.unit.kernel.roots import Link

CODE = f"import sys; sys.path.insert(0, {os.path.abspath('src')!r}); from linkspan.runtime.cdi_hook import main; "
X86_64 = 0x0303
LIBS = "/usr/lib/x86_64-linux-gnu"
INCLUDE = "include /etc/ld.so.conf.d/*.conf\n"
DEBIAN = {
    "/etc/debian_version": "12.8\n",
    "/etc/ld.so.conf": INCLUDE,
    "/etc/ld.so.conf.d/libc.conf": "/usr/local/lib\n",
    "/etc/ld.so.cache": ldcache.render([("libz.so.1", f"{LIBS}/libz.so.1", X86_64, 0, 0)]),
    f"{LIBS}/libz.so.1": library("libz.so.1"),
    f"{LIBS}/libcuda.so.550": library("libcuda.so.1"),
    f"{LIBS}/libcuda.so.1": Link("libcuda.so.550"),
}
COMMANDS = {
    "create-symlinks": [],
    "update-ldcache": [],
    "enable-cuda-compat": ["--host-driver-version=550.1"],
    "update-application-profile": [],
    "chmod": ["--mode", "755", "--path", "/x"],
}
"""Those that always look at the container, with arguments that let them."""

only_x86_64 = pytest.mark.skipif(os.uname().machine != "x86_64", reason="the libraries of these tests are for x86_64")


class Hook:
    """A bundle with an empty root, and the hook run for it as a low-level runtime would."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.root = folder / "rootfs"
        self.root.mkdir()
        (folder / "config.json").write_text('{"root": {"path": "rootfs"}}')
        self.state = json.dumps({"ociVersion": "1.0.2", "id": "c1", "pid": 1, "bundle": str(folder)})

    def __call__(self, *arguments: str, state: str | None = None, **env: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-IS", "-c", f"{CODE}main('1.2.3', sys.argv[1:])", *arguments],
            input=self.state if state is None else state,
            env=env,
            capture_output=True,
            text=True,
            timeout=30,
            check=False,
        )

    def works(self, *arguments: str, state: str | None = None) -> None:
        done = self(*arguments, state=state)
        assert (done.returncode, done.stdout, done.stderr) == (0, "", "")

    def fails(self, reason: str, *arguments: str, state: str | None = None) -> None:
        done = self(*arguments, state=state)
        assert (done.returncode, done.stdout) == (1, "")
        assert done.stderr.startswith("linkspan-cdi-hook: ")
        assert done.stderr.count("\n") == 1
        assert reason in done.stderr

    def text(self, path: str) -> str:
        return os.readlink(self.root / path.lstrip("/"))

    def found(self) -> dict[str, str]:
        entries = ldcache.parse((self.root / "etc/ld.so.cache").read_bytes())
        return {name: path for name, path, *_ in reversed(entries)}


@pytest.fixture
def hook(tmp_path: Path) -> Hook:
    return Hook(tmp_path)


# -- the program


@pytest.mark.parametrize("arguments", [(), ("newer-hook",), ("newer-hook", "--strange", "-x=1"), ("--debug", "newer")])
def test_without_a_command_that_is_known_nothing_is_done_with_a_warning(hook: Hook, arguments: tuple[str, ...]) -> None:
    done = hook(*arguments, state="")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("linkspan-cdi-hook: warning: ")
    assert hook("--quiet", *arguments, state="").stderr == ""
    assert hook(*arguments, state="", NVIDIA_CTK_QUIET="true").stderr == ""


@pytest.mark.parametrize("command", [*COMMANDS, "disable-device-node-modification", "noop"])
def test_a_flag_that_is_not_known_is_refused_with_the_usage(hook: Hook, command: str) -> None:
    hook.fails(f"the flag --strange is not known; usage: nvidia-cdi-hook {command} [--", command, "--strange=1")


def test_a_flag_before_the_command_that_is_not_known_is_refused(hook: Hook) -> None:
    hook.fails("usage: nvidia-cdi-hook COMMAND", "--strange", "noop")


@pytest.mark.parametrize("flag", ["--version", "-v", "-version"])
def test_the_version_is_said(hook: Hook, flag: str) -> None:
    assert hook(flag).stdout == "NVIDIA CDI Hook version v1.2.3 (linkspan)\n"


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("help",), ("chmod", "--help")])
def test_help_names_every_command(hook: Hook, arguments: tuple[str, ...]) -> None:
    done = hook(*arguments)
    assert (done.returncode, done.stderr) == (0, "")
    assert all(f"\n  {command} " in done.stdout for command in COMMANDS)


def test_noop_does_nothing_and_needs_no_state(hook: Hook) -> None:
    hook.works("noop", state="")


# -- the container


@pytest.mark.parametrize("command", COMMANDS)
@pytest.mark.parametrize("state", ["", "[]", "{", '{"id": "c1"}', '{"bundle": "/nowhere"}', '{"bundle": 1}'])
def test_a_bad_state_is_refused(hook: Hook, command: str, state: str) -> None:
    hook.fails("", command, *COMMANDS[command], state=state)


@pytest.mark.parametrize("command", COMMANDS)
def test_the_root_of_the_host_is_refused(hook: Hook, command: str) -> None:
    state = json.dumps({"bundle": str(hook.folder), "root": "/"})
    hook.fails("is the root of this host", command, *COMMANDS[command], state=state)


@pytest.mark.parametrize("root", ["other", "{folder}/other"])
def test_a_root_in_the_state_goes_before_the_one_in_the_bundle(hook: Hook, root: str) -> None:
    (hook.folder / "other").mkdir()
    state = json.dumps({"bundle": str(hook.folder), "root": root.format(folder=hook.folder)})
    hook.works("create-symlinks", "--link", "a::/b", state=state)
    assert os.readlink(hook.folder / "other/b") == "a"


def test_the_state_may_be_in_a_file(hook: Hook) -> None:
    file = hook.folder / "state.json"
    file.write_text(hook.state)
    hook.works("create-symlinks", f"--container-spec={file}", "--link", "a::/one", state="")
    hook.works("create-symlinks", "--container-spec", "-", "--link", "a::/two")
    hook.works("create-symlinks", "--container-spec=", "--link", "a::/three")
    assert sorted(os.listdir(hook.root)) == ["one", "three", "two"]
    hook.fails("No such file", "create-symlinks", f"--container-spec={file}x")


# -- create-symlinks


@pytest.mark.parametrize("flag", [["--link", "x::/l"], ["-link", "x::/l"], ["--link=x::/l"], ["-link=x::/l"]])
def test_links_are_made_with_their_folders(hook: Hook, flag: list[str]) -> None:
    hook.works("create-symlinks", *flag, "--link", "../libcuda.so.1::/usr/lib/deep/libcuda.so")
    assert hook.text("/l") == "x"
    assert hook.text("/usr/lib/deep/libcuda.so") == "../libcuda.so.1"
    assert stat.S_IMODE((hook.root / "usr/lib/deep").stat().st_mode) == 0o755


def test_a_later_link_replaces_an_earlier_one_and_a_file(hook: Hook) -> None:
    roots.make(hook.root, {"/usr/lib/libfile.so": "text"})
    links = ("libcuda.so.1::/usr/lib/libcuda.so", "other::/usr/lib/libcuda.so", "x::/usr/lib/libfile.so")
    hook.works("create-symlinks", *(f"--link={link}" for link in links))
    assert hook.text("/usr/lib/libcuda.so") == "other"
    assert hook.text("/usr/lib/libfile.so") == "x"


def test_a_link_that_is_repeated_is_made_once(hook: Hook) -> None:
    hook.works("create-symlinks", *(f"--link={target}::/l" for target in ("a", "b", "a")))
    assert hook.text("/l") == "b"


def test_a_link_that_is_right_already_is_not_made_again(hook: Hook) -> None:
    hook.works("create-symlinks", "--link", "a::/l")
    before = roots.snapshot(hook.root)
    hook.works("create-symlinks", "--link", "a::/l")
    assert roots.snapshot(hook.root) == before


@pytest.mark.parametrize("link", ["a:/b", "a", "a::/b::c", "", "::/b", "a::", "a::/", "a::/.."])
def test_a_link_that_cannot_be_read_is_refused_and_those_before_it_stay(hook: Hook, link: str) -> None:
    hook.fails("", "create-symlinks", "--link", "a::/first", "--link", link, "--link", "a::/last")
    assert os.listdir(hook.root) == ["first"]


def test_a_folder_is_not_replaced_by_a_link(hook: Hook) -> None:
    roots.make(hook.root, {"/folder": None})
    hook.fails("Is a directory", "create-symlinks", "--link", "a::/folder")


def test_dots_stop_at_the_root(hook: Hook) -> None:
    hook.works("create-symlinks", "--link", "t::/../../../esc", "--link", "t::/a/../../b")
    assert sorted(os.listdir(hook.root)) == ["b", "esc"]


@pytest.mark.parametrize("target", ["{outside}", "../outside", "../../../../../../{outside}", "nowhere"])
@pytest.mark.parametrize("place", ["/evil/l", "/evil/deep/l", "/deep/evil/l"])
def test_a_folder_that_is_a_link_out_of_the_root_is_refused(hook: Hook, target: str, place: str) -> None:
    outside = hook.folder / "outside"
    outside.mkdir()
    for path in ("/evil", "/deep/evil"):
        roots.make(hook.root, {path: Link(target.format(outside=outside))})
    before = roots.snapshot(hook.folder)
    hook.fails("is a link to nowhere", "create-symlinks", "--link", f"t::{place}")
    assert roots.snapshot(hook.folder) == before


def test_a_folder_that_is_a_link_within_the_root_is_followed(hook: Hook) -> None:
    roots.make(hook.root, {"/usr/lib": None, "/lib": Link("usr/lib"), "/abs": Link("/usr/lib")})
    hook.works("create-symlinks", "--link", "a::/lib/one", "--link", "a::/abs/new/two")
    assert hook.text("/usr/lib/one") == hook.text("/usr/lib/new/two") == "a"


# -- update-ldcache


@only_x86_64
@pytest.mark.parametrize("flag", [["--folder", LIBS], ["-folder", LIBS], [f"--folder={LIBS}"], [f"-folder={LIBS}"]])
def test_every_library_in_a_folder_is_found(hook: Hook, flag: list[str]) -> None:
    roots.make(hook.root, DEBIAN)
    hook.works("update-ldcache", "--ldconfig-path", "/nowhere/ldconfig", *flag)
    assert hook.found() == {"libz.so.1": f"{LIBS}/libz.so.1", "libcuda.so.1": f"{LIBS}/libcuda.so.1"}


@only_x86_64
def test_folders_that_the_loader_does_not_know_are_listed_once(hook: Hook) -> None:
    more = {"/opt/x/libx.so.1": library("libx.so.1"), "/opt/y/liby.so.1": library("liby.so.1")}
    roots.make(hook.root, {**DEBIAN, **more, "/etc/ld.so.conf.d/x.conf": "/opt/x\n"})
    hook.works("update-ldcache", *(f"--folder={folder}" for folder in (LIBS, "/opt/x", "/opt/y", "/opt/y/", "/gone")))
    drop_ins = hook.root / "etc/ld.so.conf.d"
    assert (drop_ins / "00-linkspan.conf").read_text() == "/opt/y\n/gone\n"
    assert {"libx.so.1": "/opt/x/libx.so.1", "liby.so.1": "/opt/y/liby.so.1"}.items() <= hook.found().items()
    assert sorted(os.listdir(drop_ins)) == ["00-linkspan.conf", "libc.conf", "x.conf"]


@only_x86_64
def test_where_the_loader_knows_other_folders_both_are_listed(hook: Hook) -> None:
    roots.make(hook.root, {f"{LIBS}/libx.so.1": library("libx.so.1"), "/opt/x": None})
    hook.works("update-ldcache", "--folder", LIBS, "--folder", "/opt/x")
    assert (hook.root / "etc/ld.so.conf.d/00-linkspan.conf").read_text() == f"{LIBS}\n/opt/x\n"
    assert hook.found() == {"libx.so.1": f"{LIBS}/libx.so.1"}


@only_x86_64
def test_a_second_run_changes_nothing_and_one_for_other_folders_adds_them(hook: Hook) -> None:
    roots.make(hook.root, {**DEBIAN, "/a/liba.so.1": library("liba.so.1"), "/b/libb.so.1": library("libb.so.1")})
    hook.works("update-ldcache", "--folder", f"{LIBS},/a")
    before = roots.snapshot(hook.root)
    hook.works("update-ldcache", "--folder", LIBS, "--folder", "/a")
    assert roots.snapshot(hook.root) == before
    hook.works("update-ldcache", "--folder", "/b")
    assert (hook.root / "etc/ld.so.conf.d/00-linkspan.conf").read_text() == "/a\n/b\n"
    assert set(hook.found()) == {"libz.so.1", "libcuda.so.1", "liba.so.1", "libb.so.1"}


@only_x86_64
def test_what_the_image_finds_elsewhere_it_finds_there_as_before(hook: Hook) -> None:
    theirs = ldcache.render([("libz.so.1", "/usr/local/lib/libz.so.1", X86_64, 0, 0)])
    roots.make(hook.root, {**DEBIAN, "/etc/ld.so.cache": theirs, "/usr/local/lib/libz.so.1": library("libz.so.1")})
    hook.works("update-ldcache", "--folder", LIBS)
    assert hook.found() == {"libz.so.1": "/usr/local/lib/libz.so.1", "libcuda.so.1": f"{LIBS}/libcuda.so.1"}


@only_x86_64
def test_a_folder_with_two_names_is_not_listed_twice(hook: Hook) -> None:
    theirs = ldcache.render([("libz.so.1", "/lib/x86_64-linux-gnu/libz.so.1", X86_64, 0, 0)])
    roots.make(hook.root, {**DEBIAN, "/etc/ld.so.cache": theirs, "/lib": Link("usr/lib")})
    hook.works("update-ldcache", "--folder", LIBS)
    assert hook.found() == {"libz.so.1": "/lib/x86_64-linux-gnu/libz.so.1", "libcuda.so.1": f"{LIBS}/libcuda.so.1"}


@only_x86_64
def test_a_root_without_configuration_and_cache_gets_them(hook: Hook) -> None:
    roots.make(hook.root, {"/opt/x/libx.so.1": library("libx.so.1")})
    hook.works("update-ldcache", "--folder", "/opt/x")
    assert (hook.root / "etc/ld.so.conf").read_text() == INCLUDE
    assert hook.found() == {"libx.so.1": "/opt/x/libx.so.1"}


@only_x86_64
def test_a_link_that_the_soname_asks_for_is_made(hook: Hook) -> None:
    tree = {"libgbm.so.1.1.2": library("libgbm.so.1"), "libodd.so.2": library("../../odd.so"), "libtext.so": "text"}
    roots.make(hook.root, {**DEBIAN, **{f"{LIBS}/{name}": data for name, data in tree.items()}})
    hook.works("update-ldcache", "--folder", LIBS)
    assert hook.text(f"{LIBS}/libgbm.so.1") == "libgbm.so.1.1.2"
    assert hook.found()["libgbm.so.1"] == f"{LIBS}/libgbm.so.1"
    assert sorted(os.listdir(hook.root / "usr/lib")) == ["x86_64-linux-gnu"]


@only_x86_64
def test_what_is_no_library_of_this_machine_is_passed_over(hook: Hook) -> None:
    others = {
        "libarm.so.1": library("libarm.so.1", machine=AARCH64),
        "libold.so.1": library("libold.so.1", machine=I386, bits=32),
        "libtext.so.1": "/* GNU ld script */",
        "libgone.so.1": Link("/nowhere"),
        "libfolder.so.1": None,
        "notes.so.1": library("notes.so.1"),
    }
    roots.make(hook.root, {**DEBIAN, **{f"{LIBS}/{name}": content for name, content in others.items()}})
    os.mkfifo(hook.root / f"{LIBS.lstrip('/')}/libfifo.so.1")
    hook.works("update-ldcache", "--folder", LIBS)
    assert set(hook.found()) == {"libz.so.1", "libcuda.so.1", "libold.so.1"}


@only_x86_64
def test_musl_gets_the_folders_before_its_own_and_a_second_time_nothing(hook: Hook) -> None:
    tree = {
        f"{LIBS}/libgbm.so.1.1.2": library("libgbm.so.1"),
        "/lib/ld-musl-x86_64.so.1": "",
        "/etc/alpine-release": "",
    }
    roots.make(hook.root, tree)
    for _ in range(2):
        hook.works("update-ldcache", "--folder", LIBS, "--folder", "/opt/x")
        path = (hook.root / "etc/ld-musl-x86_64.path").read_text()
        assert path.split() == [LIBS, "/opt/x", "/lib", "/usr/local/lib", "/usr/lib"]
    assert hook.text(f"{LIBS}/libgbm.so.1") == "libgbm.so.1.1.2"
    assert not (hook.root / "etc/ld.so.cache").exists()


@only_x86_64
@pytest.mark.parametrize("link", ["/etc", "/etc/ld.so.cache", "/etc/ld.so.conf.d", LIBS])
def test_links_out_of_the_root_lead_nothing_astray(hook: Hook, link: str) -> None:
    outside = roots.make(hook.folder / "outside", {"libsecret.so.1.2": library("libsecret.so.1"), "ld.so.cache": "x"})
    roots.make(hook.root, {link: Link(str(outside))})
    before = roots.snapshot(outside)
    hook("update-ldcache", "--folder", LIBS, "--folder", f"/../../{outside}")
    assert roots.snapshot(outside) == before
    cache = hook.root / "etc/ld.so.cache"
    assert not cache.is_file() or cache.is_symlink() or b"libsecret" not in cache.read_bytes()


# -- enable-cuda-compat

COMPAT = "/usr/local/cuda-12.6/compat"
WITH_COMPAT = {
    **DEBIAN,
    f"{COMPAT}/libcuda.so.560.1": library("libcuda.so.1"),
    f"{COMPAT}/libcuda.so.1": Link("libcuda.so.560.1"),
    "/usr/local/cuda": Link("cuda-12.6"),
}
COMPAT_CONF = "etc/ld.so.conf.d/00-compat-linkspan.conf"


@only_x86_64
@pytest.mark.parametrize("spelling", ["--host-driver-version=550.1", "-host-driver-version=550.1"])
def test_newer_compatibility_libraries_go_before_the_drivers(hook: Hook, spelling: str) -> None:
    roots.make(hook.root, WITH_COMPAT)
    hook.works("enable-cuda-compat", spelling)
    assert (hook.root / COMPAT_CONF).read_text() == f"{COMPAT}\n"
    assert hook.found()["libcuda.so.1"] == f"{COMPAT}/libcuda.so.1"
    hook.works("update-ldcache", "--folder", LIBS)
    assert (hook.root / COMPAT_CONF).read_text() == f"{COMPAT}\n"
    assert hook.found()["libcuda.so.1"] == f"{COMPAT}/libcuda.so.1"


@only_x86_64
def test_after_a_driver_update_they_are_not_used_any_more(hook: Hook) -> None:
    roots.make(hook.root, WITH_COMPAT)
    for version, expected in (("550.1", COMPAT), ("570.1", LIBS)):
        hook.works("enable-cuda-compat", "--host-driver-version", version)
        hook.works("update-ldcache", "--folder", LIBS)
        assert hook.found()["libcuda.so.1"] == f"{expected}/libcuda.so.1"
    assert not (hook.root / COMPAT_CONF).exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--host-driver-version=570.1"],
        ["--host-driver-version=550.1", "--host-cuda-version=12.4"],
        ["--host-driver-version=550.1", "--cuda-compat-container-root=/opt/compat"],
        ["--host-driver-version=nonsense"],
    ],
)
def test_otherwise_they_are_left_alone(hook: Hook, arguments: list[str]) -> None:
    roots.make(hook.root, WITH_COMPAT)
    before = roots.snapshot(hook.root)
    hook.works("enable-cuda-compat", *arguments)
    assert roots.snapshot(hook.root) == before


def test_without_a_version_not_even_the_state_is_looked_at(hook: Hook) -> None:
    hook.works("enable-cuda-compat", state="")


# -- update-application-profile and disable-device-node-modification


def test_the_profile_names_the_gpus_whose_nodes_are_there(hook: Hook) -> None:
    roots.make(hook.root, {"/dev/nvidia5": "a file", "/dev/nvidiactl": "x"})
    try:
        for minor in (0, 3):
            os.mknod(hook.root / f"dev/nvidia{minor}", stat.S_IFCHR | 0o666, os.makedev(195, minor))
    except PermissionError:
        pytest.skip("this user may not make device nodes")
    hook.works("update-application-profile")
    profile = hook.root / "etc/nvidia/nvidia-application-profiles-rc.d/10-container.conf"
    assert profile.read_text().startswith(
        '{"profiles":[{"name":"_container_","settings":["EGLVisibleDGPUDevices",0x9]}]'
    )
    assert stat.S_IMODE(profile.stat().st_mode) == 0o444
    assert stat.S_IMODE(profile.parent.stat().st_mode) == 0o555


def test_without_gpus_there_is_no_profile(hook: Hook) -> None:
    hook.works("update-application-profile")
    assert os.listdir(hook.root) == []


@pytest.mark.skipif(os.path.exists("/proc/driver/nvidia/params"), reason="this host has the driver's parameters")
def test_without_parameters_of_a_driver_not_even_the_state_is_looked_at(hook: Hook) -> None:
    hook.works("disable-device-node-modification", state="")


# -- chmod


@pytest.mark.parametrize("flags", [["--mode", "700", "--path", "/x"], ["-mode=0700", "-path=/x"]])
def test_modes_are_changed_and_what_is_absent_is_passed_over(hook: Hook, flags: list[str]) -> None:
    roots.make(hook.root, {"/x": None, "/y": "text"})
    hook.works("chmod", *flags, "--path", "/gone,/y")
    assert [stat.S_IMODE((hook.root / name).stat().st_mode) for name in ("x", "y")] == [0o700, 0o700]


def test_without_a_path_nothing_is_done(hook: Hook) -> None:
    hook.works("chmod", "--mode=755", state="")
    hook.works("chmod", "--mode=755", "--path=", state="")


@pytest.mark.parametrize("mode", [[], ["--mode="], ["--mode=abc"], ["--mode=888"], ["--mode=-1"], ["--mode=777777"]])
def test_a_mode_is_needed_and_octal(hook: Hook, mode: list[str]) -> None:
    roots.make(hook.root, {"/x": None})
    hook.fails("is not an octal one", "chmod", *mode, "--path", "/x")


def test_only_permissions_are_given(hook: Hook) -> None:
    roots.make(hook.root, {"/x": "text"})
    hook.works("chmod", "--mode=6755", "--path=/x")
    assert stat.S_IMODE((hook.root / "x").stat().st_mode) == 0o755


@pytest.mark.parametrize("path", ["/link", "/../../outside", "/folder/secret"])
def test_modes_outside_the_root_are_never_changed(hook: Hook, path: str) -> None:
    outside = roots.make(hook.folder / "outside", {"secret": "x"})
    roots.make(hook.root, {"/link": Link(str(outside / "secret")), "/folder": Link("../../outside")})
    before = roots.snapshot(hook.folder)
    hook.works("chmod", "--mode=777", "--path", path)
    assert roots.snapshot(hook.folder) == before


def test_all_modes_are_tried_before_an_error_is_reported(hook: Hook) -> None:
    roots.make(hook.root, {"/loop": Link("loop"), "/x": "text"})
    hook.fails("symlinks", "chmod", "--mode=700", "--path=/loop", "--path=/x")
    assert stat.S_IMODE((hook.root / "x").stat().st_mode) == 0o700
