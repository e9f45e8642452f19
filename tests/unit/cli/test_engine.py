"""``linkspan engine``, with programs of engines that are scripts."""

import json
import os

import pytest

from linkspan.cli import engine
from linkspan.compat import runtime_configure
from linkspan.compat.runtime_configure import Options
from linkspan.engines.places import Host
from tests.unit.cli.engine_machine import OLD

pytestmark = pytest.mark.allow_subprocess  # of scripts that the tests write


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

    def test_a_socket_is_found_without_a_session(self, user, monkeypatch):
        monkeypatch.setattr(engine, "this_host", lambda: Host(root=user.root, uid=654321, env=user.env))
        user.write("run/user/654321/docker.sock", "")
        _, _, story = user.run("status", "docker")
        assert f"Docker does not answer at {user.root}/run/user/654321/docker.sock" in story

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


def test_docker_of_the_snap_gets_a_word_on_its_files(machine):
    _, _, story = machine.configure("docker", "--config", "/var/snap/docker/none/daemon.json", "--dry-run")
    assert "Docker of the snap sees no file below /usr/local" in story
