"""``linkspan engine``, with programs of engines that are scripts, and daemons that are threads."""

import contextlib
import json
import os
import socketserver
import threading

import pytest

from linkspan.cli import engine, main
from linkspan.compat import runtime_configure
from linkspan.compat.runtime_configure import Options
from linkspan.engines.places import Host
from tests import mounts
from tests.debian import UnavailableError

OLD = '{\n  "log-driver": "journald"\n}\n'
PROGRAM = "/bin/true"

pytestmark = pytest.mark.allow_subprocess  # of scripts that the tests write


class Machine:
    """A root with an engine's files and programs, and the command at work on it."""

    def __init__(self, root, capsys):
        self.root, self._capsys = str(root), capsys
        self.env = {"PATH": f"{root}/bin", "HOME": f"{root}/home"}
        os.makedirs(f"{root}/bin")

    def host(self):
        return Host(root=self.root, env=self.env)

    def write(self, path, text, mode=0o644):
        os.makedirs(os.path.dirname(f"{self.root}/{path}"), exist_ok=True)
        with open(f"{self.root}/{path}", "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(file.name, mode)
        return file.name

    def program(self, name, script):
        log = f'echo "{name} $*" >>{self.root}/calls'
        self.write(f"bin/{name}", f"#!/bin/sh\nPATH=/usr/bin:/bin\n{log}\n{script}\n", 0o755)

    def calls(self):
        return self.read("calls").splitlines() if os.path.exists(f"{self.root}/calls") else []

    def read(self, path):
        with open(f"{self.root}/{path}", encoding="utf-8") as file:
            return file.read()

    def run(self, *argv):
        code = main.run(["engine", *argv])
        said = self._capsys.readouterr()
        return code, said.out, said.err

    def configure(self, name, *options):
        return self.run("configure", name, "--runtime-path", PROGRAM, *options)


@pytest.fixture
def machine(tmp_path, capsys, monkeypatch):
    made = Machine(tmp_path, capsys)
    monkeypatch.setattr(engine, "this_host", made.host)
    return made


@pytest.fixture
def docker(machine):
    machine.write("etc/docker/daemon.json", OLD)
    return machine


class TestOfAUser:
    """Whose Docker is meant, where root has one."""

    @pytest.fixture
    def user(self, docker, monkeypatch):
        env = {**docker.env, "XDG_RUNTIME_DIR": f"{docker.root}/run/user/1000"}
        monkeypatch.setattr(engine, "this_host", lambda: Host(root=docker.root, uid=654321, env=env))
        return docker

    def test_roots_alone_is_not_taken_for_the_users(self, user):
        code, answer, story = user.configure("docker", "--no-cdi")
        assert (code, answer) == (1, "")
        assert story.startswith(f"linkspan: the Docker of this host is root's ({user.root}/etc/docker/daemon.json)")
        assert "hint: run the same with sudo" in story
        assert not os.path.exists(f"{user.root}/home")

    @pytest.mark.parametrize(
        "sign",
        ["run/user/1000/docker.sock", "home/.config/systemd/user/docker.service", "home/.docker/run/docker.sock"],
    )
    def test_one_of_their_own_is_configured(self, user, sign):
        user.write(sign, "")
        code, _, story = user.configure("docker", "--no-cdi")
        assert code == 0, story
        assert f"wrote {user.root}/home/.config/docker/daemon.json" in story
        assert "this is for the rootless Docker of the user 654321; for root's Docker, run the same with sudo" in story
        assert user.read("etc/docker/daemon.json") == OLD

    @pytest.mark.parametrize("sign", ["run/docker.sock", "usr/lib/systemd/system/docker.service"])
    def test_a_docker_of_roots_is_seen_without_its_file(self, user, sign):
        os.unlink(f"{user.root}/etc/docker/daemon.json")
        user.write(sign, "")
        code, _, story = user.run("unconfigure", "docker")
        assert code == 1
        assert f"the Docker of this host is root's ({user.root}/{sign})" in story

    def test_whoever_only_looks_sees_roots(self, user):
        code, answer, story = user.run("status", "docker")
        assert code == 0
        assert f"{user.root}/etc/docker/daemon.json" in "".join(answer.split())
        assert f"this is root's Docker ({user.root}/etc/docker/daemon.json): you have none of your own" in story

    def test_whoever_has_one_looks_at_that(self, user):
        user.write("run/user/1000/docker.sock", "")
        _, answer, story = user.run("status", "docker")
        assert "home/.config/docker/daemon.json" in "".join(answer.split())
        assert "root's" not in story

    def test_a_podman_of_their_own_is_named_too(self, user):
        _, _, story = user.configure("podman", "--dry-run")
        assert "this is for the rootless Podman of the user 654321" in story

    def test_the_file_that_is_named_is_the_one_that_is_meant(self, user):
        code, _, story = user.configure("docker", "--no-cdi", "--config", f"{user.root}/mine.json")
        assert code == 0, story
        assert "nvidia" in user.read("mine.json")


def test_the_diff_is_the_answer_and_the_rest_is_the_story(docker):
    code, answer, story = docker.configure("docker", "--no-cdi")
    assert code == 0
    assert answer.splitlines()[:2] == [f"{sign * 3} {docker.root}/etc/docker/daemon.json" for sign in "-+"]
    assert '+      "path": "/bin/true"' in answer.splitlines()
    assert story.splitlines() == [
        "there is no dockerd on PATH, so its own check was left out",
        f"wrote {docker.root}/etc/docker/daemon.json",
        "Docker takes it up after a reload, which --restart does",
    ]


def test_a_dry_run_writes_nothing(docker):
    code, answer, story = docker.configure("docker", "--dry-run", "--set-as-default")
    assert (code, story) == (0, "")
    assert '+  "default-runtime": "nvidia"' in answer
    assert docker.read("etc/docker/daemon.json") == OLD
    assert not os.path.exists(f"{docker.root}/var")


def test_there_and_back(docker):
    docker.configure("docker")
    assert docker.configure("docker")[1:] == (
        "", f"{docker.root}/etc/docker/daemon.json has all of it already: nothing was changed\n"
    )  # fmt: skip
    code, answer, _ = docker.run("unconfigure", "docker")
    assert code == 0
    assert '-      "path": "/bin/true"' in answer
    assert docker.read("etc/docker/daemon.json") == OLD
    code, answer, story = docker.run("unconfigure", "docker")
    assert (code, answer) == (0, "")
    assert story == f"linkspan has not configured {docker.root}/etc/docker/daemon.json: nothing was changed\n"


def test_what_was_taken_out_by_hand_is_told(docker):
    docker.configure("docker")
    docker.write("etc/docker/daemon.json", '{"debug": true}\n')
    code, _, story = docker.run("unconfigure", "docker")
    assert (code, story) == (0, f"nothing of linkspan's is left in {docker.root}/etc/docker/daemon.json\n")
    assert "has not configured" in docker.run("unconfigure", "docker")[2]


def test_an_edit_of_another_file_is_pointed_at(docker):
    other = docker.write("srv/daemon.json", OLD)
    docker.configure("docker", "--config", other)
    code, _, story = docker.run("unconfigure", "docker")
    assert code == 0
    assert story.splitlines() == [
        f"linkspan has not configured {docker.root}/etc/docker/daemon.json: nothing was changed",
        f"it has configured {other}: name that by --config",
    ]


def test_what_nvidia_ctk_wrote_for_cri_o_is_taken_back_by_the_engines_name(machine):
    runtime_configure.run(Options(runtime="crio"), str, machine.host())
    status = json.loads(machine.run("status", "crio", "--json")[1])
    assert (status["config"], status["by_linkspan"]) == (f"{machine.root}/etc/crio/crio.conf.d/99-nvidia.toml", True)
    machine.configure("crio", "--runtime-name", "beside")
    code, _, story = machine.run("unconfigure", "crio")
    assert (code, story.count("removed ")) == (0, 2), story
    assert not os.path.exists(f"{machine.root}/etc")
    assert "has not configured" in machine.run("unconfigure", "crio")[2]


@pytest.mark.parametrize(
    ("argv", "message"),
    [
        (["configure", "lxc"], "ENGINE is 'lxc', not one of docker, podman, containerd, crio, k3s, rke2"),
        (["configure", "docker", "--runtime-path", "x"], "--runtime-path is 'x', not an absolute path"),
        (["configure", "docker", "--runtime-name", "a b"], "--runtime-name is 'a b', where letters, digits"),
        (["configure", "docker", "--runtime-name", ""], "--runtime-name is '', where letters, digits"),
        (
            ["configure", "docker", "--runtime-name", "runc"],
            "--runtime-name is 'runc', which engines have by themselves",
        ),
    ],
)
def test_wrong_usage(docker, argv, message):
    code, answer, story = docker.run(*argv)
    assert (code, answer) == (2, "")
    assert message in story
    assert docker.read("etc/docker/daemon.json") == OLD


def test_broken_syntax_is_one_sentence_with_its_place(docker):
    docker.write("etc/docker/daemon.json", '{\n  "a": 1,\n}\n')
    code, answer, story = docker.configure("docker")
    assert (code, answer) == (1, "")
    assert story.startswith(f"linkspan: {docker.root}/etc/docker/daemon.json:3:1: not valid JSON: ")
    assert "hint: correct it first; nothing was changed\n" in story


def test_somebody_elses_runtime_is_replaced_on_request_alone(docker):
    nvidias = '{"runtimes": {"nvidia": {"args": [], "path": "nvidia-container-runtime"}}}\n'
    docker.write("etc/docker/daemon.json", nvidias)
    code, _, story = docker.configure("docker")
    assert code == 1
    assert "Docker has a runtime 'nvidia' already, which starts NVIDIA's nvidia-container-runtime" in story
    assert docker.configure("docker", "--replace")[0] == 0
    assert docker.run("unconfigure", "docker")[0] == 0
    assert docker.read("etc/docker/daemon.json") == nvidias


def test_a_missing_runtime_is_worth_a_warning(docker):
    code, _, story = docker.run("configure", "docker", "--runtime-path", "/none/linkspan-runtime")
    assert code == 0
    assert "linkspan: the runtime /none/linkspan-runtime is not there, and containers need it" in story


@pytest.mark.parametrize(
    ("version", "cdi", "options", "note"),
    [
        ("Docker version 20.10.24+dfsg1, build 5d6db84", False, [], ""),
        ("Docker version 26.1.5+dfsg1, build 411e817", True, [], ""),
        ("Docker version 26.1.5+dfsg1, build 411e817", False, ["--no-cdi"], ""),
        ("Docker version 28.5.2+dfsg4, build 3ef3c07", False, [], ""),
        ("Docker version 28.5.2+dfsg4, build 3ef3c07", True, ["--cdi"], ""),
        ("Docker version 20.10.24+dfsg1, build 5d6db84", True, ["--cdi"], "Docker 20.10.24 knows no CDI"),
        ("what?", True, [], ""),
    ],
)
def test_the_switch_for_cdi_is_set_where_the_version_needs_it(docker, version, cdi, options, note):
    docker.program("dockerd", f"echo '{version}'")
    code, answer, story = docker.configure("docker", "--dry-run", *options)
    assert code == 0
    assert ('"cdi": true' in answer) is cdi
    assert note in story


@pytest.mark.parametrize(
    ("version", "cdi"),
    [
        ("containerd github.com/containerd/containerd 1.6.20~ds1 1.6.20~ds1-1+deb12u3", False),
        ("containerd containerd.io 1.7.24 88bf19b2105c8b17560993bee28a01ddc2f97182", True),
        ("containerd github.com/containerd/containerd/v2 2.1.9+unknown", False),
    ],
)
def test_the_switch_of_containerd_too(machine, version, cdi):
    machine.program("containerd", f"echo '{version}'")
    assert ("enable_cdi = true" in machine.configure("containerd", "--dry-run")[1]) is cdi


def test_a_switch_that_somebody_turned_off_stays_off_where_on_is_the_default(docker):
    docker.write("etc/docker/daemon.json", '{"features": {"cdi": false}}\n')
    docker.program("dockerd", "echo 'Docker version 28.5.2, build x'")
    _, answer, story = docker.configure("docker", "--dry-run")
    assert '"cdi": true' not in answer
    assert "somebody switched CDI off by features.cdi, and it stays off; --cdi switches it on" in story


def test_podman_says_that_cdi_needs_none_of_it(machine):
    code, answer, story = machine.configure("podman", "--set-as-default")
    assert code == 0
    assert [line for line in answer.splitlines() if line.startswith("+")][1:] == [
        "+[engine.runtimes]", '+nvidia = ["/bin/true"]', "+", "+[engine]", '+runtime = "nvidia"',
    ]  # fmt: skip
    assert "Podman needs no configuration for CDI" in story
    assert "Podman needs no restart: it reads its configuration each time" in story
    assert machine.run("unconfigure", "podman")[0] == 0
    assert not os.path.exists(f"{machine.root}/etc")


class TestCheckers:
    def test_the_engines_own_checker_is_asked_about_a_copy(self, docker):
        docker.program("dockerd", f'[ "$1" = --validate ] && cat "$3" >{docker.root}/seen; exit 0')
        assert "dockerd accepts it\n" in docker.configure("docker")[2]
        assert docker.read("seen") == docker.read("etc/docker/daemon.json")
        assert [call for call in docker.calls() if f"{docker.root}/etc" in call] == []

    def test_what_it_refuses_is_not_written(self, docker):
        docker.program(
            "dockerd", 'grep -q nvidia "$3" && { echo unable to configure: no such thing >&2; exit 1; }; exit 0'
        )
        code, _, story = docker.configure("docker")
        assert code == 1
        assert (
            "dockerd does not accept the result, and nothing was changed: unable to configure: no such thing" in story
        )
        assert docker.read("etc/docker/daemon.json") == OLD
        assert not os.path.exists(f"{docker.root}/var")

    def test_what_it_refused_before_is_told_and_stops_nothing(self, docker):
        docker.program("dockerd", "echo no userland-proxy >&2; exit 1")
        code, _, story = docker.configure("docker")
        assert code == 0
        assert "dockerd complained before the edit as it does after it: no userland-proxy" in story

    def test_a_version_without_one_is_told(self, docker):
        docker.program(
            "dockerd", "echo 'Status: unknown flag: --validate' >&2; echo \"See 'dockerd --help'\" >&2; exit 125"
        )
        code, _, story = docker.configure("docker")
        assert code == 0
        assert "this dockerd has no checker, so its own check was left out" in story

    def test_containerd_finds_its_imports_from_where_the_copy_stands(self, machine):
        machine.write("etc/containerd/config.toml", 'version = 2\nimports = ["conf.d/*.toml"]\n')
        machine.program("containerd", f'cat "$2" >{machine.root}/seen; exit 0')
        assert machine.configure("containerd")[0] == 0
        assert f'imports = ["{machine.root}/etc/containerd/conf.d/*.toml"]' in machine.read("seen")
        assert 'imports = ["conf.d/*.toml"]' in machine.read("etc/containerd/config.toml")

    def test_crio_is_asked_without_the_drop_ins_in_force(self, machine):
        machine.program("crio", "exit 0")
        assert "crio accepts it" in machine.configure("crio")[2]
        assert any(call.endswith("zz-linkspan.conf --config-dir  config") for call in machine.calls())


class TestRestart:
    @pytest.fixture
    def systemd(self, docker):
        os.makedirs(f"{docker.root}/run/systemd/system")
        docker.program("systemctl", "exit 0")
        return docker

    @pytest.mark.parametrize(
        ("options", "verb"), [(["--no-cdi"], "reload"), (["--set-as-default", "--no-cdi"], "reload"), ([], "restart")]
    )
    def test_docker_reloads_runtimes_and_restarts_for_cdi(self, systemd, options, verb):
        code, _, story = systemd.configure("docker", "--restart", *options)
        assert (code, systemd.calls()[-1]) == (0, f"systemctl {verb} docker")
        assert f"told docker to {verb}" in story

    def test_a_default_taken_back_needs_a_restart(self, systemd):
        systemd.configure("docker", "--no-cdi", "--set-as-default")
        assert "a restart, which --restart does" in systemd.run("unconfigure", "docker")[2]

    def test_nothing_changed_is_nothing_to_restart_for(self, systemd):
        systemd.configure("docker")
        systemd.configure("docker", "--restart")
        assert systemd.calls() == []

    def test_an_engine_that_does_not_run_is_not_started(self, systemd):
        systemd.program("systemctl", "exit 3")
        code, _, story = systemd.configure("docker", "--restart")
        assert code == 0
        assert "Docker does not run, and reads its configuration when it is started" in story

    def test_k3s_and_its_agent_are_told_apart(self, systemd):
        systemd.program("systemctl", '[ "$2" = k3s-agent ] || exit 3')
        systemd.configure("k3s", "--restart")
        assert systemd.calls() == [
            "systemctl is-active k3s", "systemctl is-active k3s-agent", "systemctl restart k3s-agent"
        ]  # fmt: skip

    def test_a_restart_that_fails_is_told_with_the_way_back(self, systemd):
        systemd.program("systemctl", '[ "$1" = is-active ] || { echo Job for docker.service failed. >&2; exit 1; }')
        code, _, story = systemd.configure("docker", "--restart")
        assert code == 3
        assert "systemctl failed with code 1: Job for docker.service failed." in story
        assert "hint: 'linkspan engine unconfigure docker' takes the edit back" in story

    def test_without_systemd_it_is_told_what_to_do(self, docker):
        code, _, story = docker.configure("docker", "--restart")
        assert code == 1
        assert "linkspan: systemd does not run here, so Docker was not told" in story
        assert "hint: restart docker by the means of this system" in story
        assert "/bin/true" in docker.read("etc/docker/daemon.json")


class TestRunningDaemons:
    def daemon(self, machine, pid, *argv, uid=None):
        folder = f"{machine.root}/proc/{pid}"
        machine.write(f"proc/{pid}/cmdline", "\0".join(argv) + "\0")
        machine.write(f"proc/{pid}/stat", f"{pid} (a ) b) S " + " ".join(["0"] * 18) + " 500 0 0\n")
        machine.write("proc/stat", "cpu 1\nbtime 1000000000\n")
        for place in (f"{folder}/ns", f"{machine.root}/proc/self/ns"):
            os.makedirs(place, exist_ok=True)
            if not os.path.lexists(f"{place}/mnt"):
                os.symlink("mnt:[1]", f"{place}/mnt")

    @pytest.fixture(autouse=True)
    def _as_root(self):
        if os.geteuid():
            pytest.skip("what stands in for /proc has to belong to root")

    @pytest.mark.parametrize("flag", [["--config-file", "{}"], ["--config-file={}"]])
    def test_the_file_of_the_running_daemon_is_the_one_to_edit(self, docker, flag):
        self.daemon(docker, 12, "/usr/bin/dockerd", *(part.format(f"{docker.root}/srv/d.json") for part in flag))
        assert docker.configure("docker")[0] == 0
        assert "/bin/true" in docker.read("srv/d.json")
        assert docker.read("etc/docker/daemon.json") == OLD

    def test_a_daemon_in_a_container_is_another_one(self, docker):
        self.daemon(docker, 12, "dockerd", "--config-file", f"{docker.root}/srv/d.json")
        os.unlink(f"{docker.root}/proc/12/ns/mnt")
        os.symlink("mnt:[2]", f"{docker.root}/proc/12/ns/mnt")
        docker.configure("docker")
        assert not os.path.exists(f"{docker.root}/srv")

    def test_what_is_said_on_the_command_line_is_not_said_in_the_file_too(self, docker):
        self.daemon(docker, 12, "dockerd", "--add-runtime", "kata=/usr/bin/kata")
        code, _, story = docker.configure("docker")
        assert code == 1
        assert "dockerd runs with --add-runtime, and does not start where the file says something of that, too" in story
        assert docker.read("etc/docker/daemon.json") == OLD

    def test_without_systemd_a_reload_is_a_signal(self, docker):
        self.daemon(docker, 12, "dockerd")
        assert "hint: reload it: kill -HUP 12" in docker.configure("docker", "--restart", "--no-cdi")[2]

    def test_a_daemon_older_than_its_file_is_told(self, docker):
        self.daemon(docker, 12, "dockerd")
        docker.configure("docker")
        _, answer, story = docker.run("status", "docker", "--json")
        assert json.loads(answer)["running_since_before"] is True
        assert "Docker started before the file was last changed, and may not know of that yet" in story


class TestStatus:
    def test_of_files_alone(self, docker):
        _, answer, story = docker.run("status", "docker", "--json")
        found = json.loads(answer)
        assert (
            found["daemon"]["silence"]
            == f"Docker does not answer at {docker.root}/run/docker.sock: No such file or directory"
        )
        assert found["daemon"]["silence"] in story
        del found["daemon"]
        assert found == {
            "engine": "docker", "config": f"{docker.root}/etc/docker/daemon.json", "exists": True, "by_linkspan": False,
            "runtime": "nvidia", "program": "", "owner": "nobody", "runtimes": {}, "default_runtime": "", "cdi": None,
            "running_since_before": None,
        }  # fmt: skip

    @pytest.mark.parametrize(
        ("program", "owner"),
        [
            ("nvidia-container-runtime", "nvidia"),
            ("/usr/bin/nvidia-container-runtime.cdi", "nvidia"),
            ("/usr/local/bin/linkspan-runtime", "linkspan"),
            ("/opt/x", "other"),
        ],
    )
    def test_tells_whose_runtime_it_is(self, docker, program, owner):
        docker.write("etc/docker/daemon.json", json.dumps({"runtimes": {"nvidia": {"path": program}}}))
        found = json.loads(docker.run("status", "docker", "--json")[1])
        assert (found["program"], found["owner"], found["by_linkspan"]) == (program, owner, False)

    def test_tells_what_it_did_itself(self, docker):
        docker.configure("docker", "--set-as-default", "--runtime-name", "gpu")
        _, answer, _ = docker.run("status", "docker")
        rows = dict(line.strip().split("  ", 1) for line in answer.splitlines() if "  " in line.strip())
        assert {key: value.strip() for key, value in rows.items() if key != "file"} == {
            "what": "found",
            "engine": "Docker",
            "edited by linkspan": "yes",
            "runtime gpu": "/bin/true (another program)",
            "default runtime": "gpu",
            "CDI switch": "on",
        }

    def test_of_a_docker_that_answers(self, docker):
        info = {
            "ServerVersion": "26.1.5", "DefaultRuntime": "runc", "CDISpecDirs": ["/etc/cdi"],
            "Runtimes": {"runc": {"path": "runc"}, "nvidia": {"path": "/usr/local/bin/linkspan-runtime"}},
        }  # fmt: skip
        with answering(f"{docker.root}/run/docker.sock", info):
            found = json.loads(docker.run("status", "docker", "--json")[1])["daemon"]
        assert found == {
            "source": f"the daemon at {docker.root}/run/docker.sock", "silence": "", "version": "26.1.5",
            "runtimes": {"runc": "runc", "nvidia": "/usr/local/bin/linkspan-runtime"},
            "default_runtime": "runc", "cdi": True,
        }  # fmt: skip

    def test_of_a_docker_elsewhere(self, docker):
        docker.env["DOCKER_HOST"] = "tcp://10.0.0.1:2375"
        assert "only a socket of this host is asked" in docker.run("status", "docker")[2]

    def test_of_podman(self, machine):
        info = {"host": {"ociRuntime": {"name": "crun", "path": "/usr/bin/crun"}}, "version": {"Version": "4.3.1"}}
        machine.program("podman", f"echo '{json.dumps(info)}'")
        found = json.loads(machine.run("status", "podman", "--json")[1])["daemon"]
        assert (found["version"], found["default_runtime"], found["runtimes"]) == (
            "4.3.1",
            "crun",
            {"crun": "/usr/bin/crun"},
        )

    def test_of_crio(self, machine):
        running = '[crio.runtime]\ndefault_runtime = "crun"\n[crio.runtime.runtimes.crun]\nruntime_path = "/c"\n'
        machine.program("crio", f"cat {machine.write('running.toml', running)}")
        found = json.loads(machine.run("status", "crio", "--json")[1])["daemon"]
        assert (found["default_runtime"], found["runtimes"], found["cdi"]) == ("crun", {"crun": "/c"}, True)

    def test_of_containerd_by_its_cri_socket(self, machine):
        info = {
            "config": {
                "enableCDI": True,
                "containerd": {
                    "defaultRuntimeName": "runc",
                    "runtimes": {"nvidia": {"runtimeType": "io.containerd.runc.v2", "options": {"BinaryName": "/l"}}},
                },
            }
        }
        machine.program("crictl", f"echo '{json.dumps(info)}'")
        found = json.loads(machine.run("status", "containerd", "--json")[1])["daemon"]
        assert found["source"] == "crictl info"
        assert (found["runtimes"], found["default_runtime"], found["cdi"]) == ({"nvidia": "/l"}, "runc", True)

    def test_of_containerd_by_its_files_which_is_told(self, machine):
        machine.program(
            "containerd", "printf 'version = 2\\n[plugins.\"io.containerd.grpc.v1.cri\"]\\nenable_cdi = true\\n'"
        )
        found = json.loads(machine.run("status", "containerd", "--json")[1])["daemon"]
        assert found["source"].startswith(
            "containerd config dump, from the files, not from the daemon (there is no crictl"
        )
        assert found["cdi"] is True

    @pytest.mark.parametrize("name", ["podman", "crio", "containerd", "k3s"])
    def test_of_nothing_at_all(self, machine, name):
        code, answer, story = machine.run("status", name)
        assert code == 0
        assert "not there" in answer
        assert "cannot be asked: there is no" in story


def answering(path, document):
    """A daemon that answers every request on a socket with this document."""
    body = json.dumps(document).encode()

    class Handler(socketserver.StreamRequestHandler):
        def handle(self):
            while self.rfile.readline().strip():
                pass
            self.wfile.write(b"HTTP/1.0 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))

    os.makedirs(os.path.dirname(path), exist_ok=True)
    server = socketserver.UnixStreamServer(path, Handler)
    threading.Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()

    class Stop:
        def __enter__(self):
            return server

        def __exit__(self, *_):
            server.shutdown()
            server.server_close()

    return Stop()


def test_docker_of_the_snap_gets_a_word_on_its_files(machine):
    _, _, story = machine.configure("docker", "--config", "/var/snap/docker/none/daemon.json", "--dry-run")
    assert "Docker of the snap sees no file below /usr/local" in story


@pytest.mark.privileged
class TestDisks:
    """Disks that are full, and disks that nobody may write to."""

    def fill(self, folder):
        filler = os.open(f"{folder}/filler", os.O_WRONLY | os.O_CREAT)
        with contextlib.suppress(OSError):
            while True:
                os.write(filler, b"x" * 4096)
        os.close(filler)

    @pytest.mark.parametrize("where", ["etc/docker", "var/lib/linkspan/engines"])
    def test_a_full_disk_is_one_sentence_and_changes_nothing(self, docker, where):
        os.makedirs(f"{docker.root}/{where}", exist_ok=True)
        try:
            with mounts.tmpfs(f"{docker.root}/{where}", 64):
                docker.write("etc/docker/daemon.json", OLD)
                self.fill(f"{docker.root}/{where}")
                code, _, story = docker.configure("docker")
                assert code == 3
                assert "No space left on device" in story.splitlines()[-1]
                assert docker.read("etc/docker/daemon.json") == OLD
                assert set(os.listdir(f"{docker.root}/etc/docker")) <= {"daemon.json", "filler"}
                assert "has not configured" in docker.run("unconfigure", "docker")[2]
        except UnavailableError as error:
            pytest.skip(str(error))

    def test_a_disk_that_fills_up_before_the_undo_leaves_the_edit_in_place(self, docker):
        try:
            with mounts.tmpfs(f"{docker.root}/etc/docker", 64):
                docker.write("etc/docker/daemon.json", OLD)
                docker.configure("docker")
                configured = docker.read("etc/docker/daemon.json")
                self.fill(f"{docker.root}/etc/docker")
                assert docker.run("unconfigure", "docker")[0] == 3
                assert docker.read("etc/docker/daemon.json") == configured
                os.unlink(f"{docker.root}/etc/docker/filler")
                assert docker.run("unconfigure", "docker")[0] == 0
                assert docker.read("etc/docker/daemon.json") == OLD
        except UnavailableError as error:
            pytest.skip(str(error))

    def test_a_read_only_disk_is_one_sentence(self, docker):
        try:
            with mounts.read_only(f"{docker.root}/etc"):
                code, _, story = docker.configure("docker")
        except UnavailableError as error:
            pytest.skip(str(error))
        assert code == 3
        assert story.splitlines()[-1] == f"linkspan: cannot write {docker.root}/etc/docker/daemon.json: it is read-only"
        assert docker.read("etc/docker/daemon.json") == OLD

    def test_without_root_it_is_one_sentence(self, docker):
        """A user who may read the file and not write it."""
        if os.geteuid():
            pytest.skip("only root can become somebody else for the test")
        for folder, _, _ in os.walk(docker.root):
            os.chmod(folder, 0o755)
        parent = docker.root
        while parent not in {"/tmp", "/"}:
            os.chmod(parent, os.stat(parent).st_mode | 0o011)
            parent = os.path.dirname(parent)
        child = os.fork()
        if not child:
            os.setresgid(65534, 65534, 65534)
            os.setresuid(65534, 65534, 65534)
            os._exit(main.run(["engine", "configure", "docker", "--runtime-path", PROGRAM]))
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 3
        assert docker.read("etc/docker/daemon.json") == OLD
