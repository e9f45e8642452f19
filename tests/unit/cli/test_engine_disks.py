"""``linkspan engine`` on disks that are full, or that nobody may write to."""

import contextlib
import os

import pytest

from linkspan.cli import main
from tests import mounts
from tests.debian import UnavailableError
from tests.unit.cli.engine_machine import OLD, PROGRAM

pytestmark = pytest.mark.allow_subprocess  # of scripts that the tests write


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
