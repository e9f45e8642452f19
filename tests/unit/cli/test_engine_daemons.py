"""``linkspan engine`` and daemons, which are threads: running, restarted, and what they say of themselves."""

import json
import os
import socketserver
import threading

import pytest

from tests.unit.cli.engine_machine import OLD

pytestmark = pytest.mark.allow_subprocess  # of scripts that the tests write


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
