"""Which file is edited, and what else is read."""

import os

import pytest

from linkspan.engines.places import Host, default_path, locate
from linkspan.errors import ConfigError
from tests.unit.engines import containerd_files, crio_files
from tests.unit.engines.harness import PROGRAM, Bench


def put(root, **files):
    for path, text in files.items():
        os.makedirs(os.path.dirname(f"{root}/{path}"), exist_ok=True)
        with open(f"{root}/{path}", "w", encoding="utf-8") as file:
            file.write(text)


@pytest.mark.parametrize(
    ("engine", "uid", "env", "path"),
    [
        ("docker", 0, {}, "/etc/docker/daemon.json"),
        ("docker", 1000, {"HOME": "/home/u"}, "/home/u/.config/docker/daemon.json"),
        ("docker", 1000, {"HOME": "/home/u", "XDG_CONFIG_HOME": "/c"}, "/c/docker/daemon.json"),
        ("podman", 0, {}, "/etc/containers/containers.conf.d/zz-linkspan.conf"),
        ("podman", 1000, {"HOME": "/home/u"}, "/home/u/.config/containers/containers.conf.d/zz-linkspan.conf"),
        ("containerd", 0, {}, "/etc/containerd/config.toml"),
        ("crio", 0, {}, "/etc/crio/crio.conf.d/zz-linkspan.conf"),
        ("k3s", 0, {}, "/var/lib/rancher/k3s/agent/etc/containerd/config.toml.tmpl"),
        ("rke2", 0, {}, "/var/lib/rancher/rke2/agent/etc/containerd/config.toml.tmpl"),
    ],
)
def test_the_usual_places(tmp_path, engine, uid, env, path):
    root = "" if uid else str(tmp_path)
    assert default_path(engine, Host(root=root, uid=uid, env=env), {}) == f"{root}{path}"


def test_the_state_of_a_user_is_his_own():
    assert Host(uid=0).state_folder == "/var/lib/linkspan/engines"
    assert Host(uid=1, env={"HOME": "/h"}).state_folder == "/h/.local/state/linkspan/engines"
    assert Host(uid=1, env={"XDG_STATE_HOME": "/s"}).state_folder == "/s/linkspan/engines"


def test_docker_of_the_snap_has_its_file_elsewhere(tmp_path):
    put(tmp_path, **{"var/snap/docker/current/config/daemon.json": "{}"})
    assert default_path("docker", Host(root=str(tmp_path)), {}).endswith("/var/snap/docker/current/config/daemon.json")
    put(tmp_path, **{"etc/docker/daemon.json": "{}"})
    assert default_path("docker", Host(root=str(tmp_path)), {}).endswith("/etc/docker/daemon.json")


def test_the_file_that_a_daemon_was_started_with_comes_first():
    assert default_path("docker", Host(), {"docker": "/srv/d.json"}) == "/srv/d.json"


def test_crio_takes_the_rest_of_an_entry_from_the_default_runtime(tmp_path):
    put(
        tmp_path,
        **{"etc/crio/crio.conf.d/10-crio.conf": crio_files.PACKAGED},
    )
    bench = Bench(str(tmp_path), "crio")
    bench.configure()
    entry = bench.place.of.SYNTAX.parse(bench.read())["crio"]["runtime"]["runtimes"]["nvidia"]
    assert entry == {
        "runtime_path": PROGRAM,
        "runtime_root": "/run/crun",
        "monitor_path": "/usr/libexec/crio/conmon",
        "allowed_annotations": ["io.containers.trace-syscall"],
        "runtime_type": "oci",
    }


@pytest.mark.parametrize("engine", ["podman", "crio"])
def test_an_entry_in_a_file_read_before_needs_replace(tmp_path, engine):
    entry = {
        "podman": '[engine.runtimes]\nnvidia = ["/usr/bin/nvidia-container-runtime"]\n',
        "crio": '[crio.runtime.runtimes.nvidia]\nruntime_path = "/usr/bin/nvidia-container-runtime"\n',
    }[engine]
    bench = Bench(str(tmp_path), engine)
    other = f"{os.path.dirname(bench.path)}/99-nvidia.conf"
    put("", **{other: entry})
    with pytest.raises(ConfigError, match="which starts NVIDIA's /usr/bin/nvidia-container-runtime"):
        bench.configure()
    bench.configure(replace=True)
    assert bench.view().runtimes["nvidia"] == PROGRAM
    bench.unconfigure()
    assert os.listdir(os.path.dirname(bench.path)) == ["99-nvidia.conf"]


@pytest.mark.parametrize("engine", ["podman", "crio"])
def test_a_file_read_after_ours_cannot_be_overruled(tmp_path, engine):
    later = {
        "podman": '[engine.runtimes]\nnvidia = ["/opt/x"]\n[engine]\nruntime = "kata"\n',
        "crio": '[crio.runtime.runtimes.nvidia]\nruntime_path = "/opt/x"\n[crio.runtime]\ndefault_runtime = "kata"\n',
    }[engine]
    bench = Bench(str(tmp_path), engine)
    put("", **{f"{os.path.dirname(bench.path)}/zzz-last.conf": later})
    with pytest.raises(ConfigError, match=r"zzz-last\.conf is read later, and gives the runtime 'nvidia' another"):
        bench.configure(replace=True)
    with pytest.raises(ConfigError, match=r"zzz-last\.conf is read later, and makes 'kata' the default runtime"):
        bench.configure(name="b", default=True)
    bench.configure(name="b")


def test_a_broken_drop_in_of_somebody_elses_is_told(tmp_path):
    put(tmp_path, **{"etc/crio/crio.conf.d/50-x.conf": "[crio\n"})
    with pytest.raises(ConfigError, match=r"50-x\.conf:1:6: not valid TOML"):
        Bench(str(tmp_path), "crio").configure()


def test_podman_of_a_user_reads_the_systems_files_before_its_own(tmp_path):
    put(tmp_path, **{"etc/containers/containers.conf": '[engine.runtimes]\nnvidia = ["/opt/x"]\n'})
    host = Host(root=str(tmp_path), uid=1000, env={"HOME": f"{tmp_path}/home"})
    with pytest.raises(ConfigError, match="starts /opt/x"):
        Bench(str(tmp_path), "podman", host=host).configure()


def test_containerd_is_configured_where_its_cri_plugin_is(tmp_path):
    main = 'version = 2\nimports = ["conf.d/*.toml"]\n'
    put(
        tmp_path,
        **{
            "etc/containerd/conf.d/10-a.toml": containerd_files.SHORT,
            "etc/containerd/conf.d/20-b.toml": "version = 2\n[debug]\nlevel = 'info'\n",
            "etc/containerd/conf.d/30-c.conf": containerd_files.SHORT,
        },
    )
    bench = Bench(str(tmp_path), "containerd", main)
    assert bench.place.target.endswith("/conf.d/10-a.toml")
    bench.configure()
    assert bench.read() == main
    drop_in = tmp_path / "etc/containerd/conf.d/10-a.toml"
    assert PROGRAM in drop_in.read_text()
    bench.unconfigure()
    assert drop_in.read_text() == containerd_files.SHORT


def test_nvidias_drop_in_for_containerd_is_the_one_in_force(tmp_path):
    main = 'imports = ["/etc/containerd/conf.d/*.toml"]\n'.replace("/etc", f"{tmp_path}/etc") + containerd_files.SHORT
    put(tmp_path, **{"etc/containerd/conf.d/99-nvidia.toml": containerd_files.NVIDIAS["NVIDIA's"]})
    bench = Bench(str(tmp_path), "containerd", main)
    with pytest.raises(ConfigError, match="has a runtime 'nvidia' already"):
        bench.configure()
    bench.configure(replace=True)
    assert PROGRAM in (tmp_path / "etc/containerd/conf.d/99-nvidia.toml").read_text()
    bench.unconfigure()
    assert (tmp_path / "etc/containerd/conf.d/99-nvidia.toml").read_text() == containerd_files.NVIDIAS["NVIDIA's"]


def test_imports_in_a_ring_come_to_an_end(tmp_path):
    bench = Bench(str(tmp_path), "containerd", 'version = 2\nimports = ["config.toml", "none.toml"]\n')
    assert bench.place.target == os.path.realpath(bench.path)


def test_a_drop_in_that_took_over_since_is_told(tmp_path):
    bench = Bench(str(tmp_path), "containerd", 'version = 2\nimports = ["conf.d/*.toml"]\n')
    bench.configure()
    put(tmp_path, **{"etc/containerd/conf.d/99-late.toml": containerd_files.SHORT})
    with pytest.raises(ConfigError, match=r"the runtime stands in .*config.toml, but .*99-late.toml is in force now"):
        bench.configure()
    bench.unconfigure()
    bench.configure()
    assert PROGRAM in (tmp_path / "etc/containerd/conf.d/99-late.toml").read_text()


def test_containerd_up_to_1_7_keeps_runc_beside_the_first_runtime_that_a_file_names(tmp_path):
    bench = Bench(str(tmp_path), "containerd", containerd_files.PACKAGED)
    bench.configure()
    assert set(bench.view().runtimes) == {"runc", "nvidia"}


def test_the_cgroup_driver_of_runc_is_taken_over(tmp_path):
    bench = Bench(str(tmp_path), "containerd", containerd_files.DUMPED)
    bench.configure()
    assert bench.read().count("SystemdCgroup = true") == 2


class TestTemplates:
    def rendered(self, root, text):
        put(root, **{"var/lib/rancher/k3s/agent/etc/containerd/config.toml": text})

    def test_the_runtime_that_k3s_finds_by_itself_is_not_defined_twice(self, tmp_path):
        self.rendered(tmp_path, containerd_files.NVIDIAS["NVIDIA's"])
        with pytest.raises(
            ConfigError, match="a runtime 'nvidia' is there already, made by the template for /usr/bin/nv"
        ):
            Bench(str(tmp_path), "k3s").configure(replace=True)
        Bench(str(tmp_path), "k3s").configure(name="linkspan")

    def test_our_own_runtime_in_a_rendering_is_no_other(self, tmp_path):
        bench = Bench(str(tmp_path), "k3s")
        bench.configure()
        self.rendered(tmp_path, containerd_files.SHORT + bench.read().partition("\n")[2])
        assert not bench.configure().changes_file
        bench.unconfigure()
        assert bench.read() is None

    def test_the_cgroup_driver_of_the_rendering_is_taken_over(self, tmp_path):
        self.rendered(tmp_path, containerd_files.SHORT)
        bench = Bench(str(tmp_path), "k3s")
        bench.configure()
        assert "  SystemdCgroup = true\n" in bench.read()

    def test_a_default_runtime_is_for_its_own_command_line(self, tmp_path):
        with pytest.raises(ConfigError, match="TOML lets nobody open it twice") as caught:
            Bench(str(tmp_path), "k3s").configure(default=True)
        assert caught.value.hint == "start k3s or RKE2 with --default-runtime nvidia instead"

    def test_a_template_by_its_path_is_one_whatever_the_engine(self, tmp_path):
        path = f"{tmp_path}/config-v3.toml.tmpl"
        place = locate("containerd", path, Host(root=str(tmp_path)))
        assert place.is_template
        assert place.before["version"] == 3
