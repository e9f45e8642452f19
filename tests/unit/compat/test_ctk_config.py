import tomllib

import pytest

from linkspan.compat import ctk_config
from linkspan.formats import toolkit_config
from linkspan.formats.toolkit_config import ToolkitConfig
from tests.unit.default_config import DEFAULT


@pytest.fixture(autouse=True)
def _a_debian(monkeypatch):
    monkeypatch.setattr(ctk_config, "_ldconfig", lambda: "/sbin/ldconfig")
    monkeypatch.setattr(ctk_config.platform, "freedesktop_os_release", lambda: {"ID": "debian"})


@pytest.fixture
def file(tmp_path):
    return tmp_path / "config.toml"


@pytest.mark.parametrize("command", [("config", "default"), ("config", "create-default"), ("config",)])
def test_the_default_is_written_byte_for_byte(nvidia_ctk, command):
    assert nvidia_ctk(*command) == (0, DEFAULT, "")


def test_the_default_means_the_defaults():
    assert toolkit_config.parse(DEFAULT, "default") == ToolkitConfig()


def test_ubuntu_has_another_ldconfig_and_suse_another_user(nvidia_ctk, monkeypatch):
    monkeypatch.setattr(ctk_config, "_ldconfig", lambda: "/sbin/ldconfig.real")
    monkeypatch.setattr(ctk_config.platform, "freedesktop_os_release", lambda: {"ID_LIKE": "opensuse suse"})
    _, out, _ = nvidia_ctk("config", "default")
    assert 'ldconfig = "@/sbin/ldconfig.real"\n' in out
    assert '\nuser = "root:video"\n' in out


def test_a_host_without_os_release_is_no_suse(nvidia_ctk, monkeypatch):
    def missing():
        raise FileNotFoundError

    monkeypatch.setattr(ctk_config.platform, "freedesktop_os_release", missing)
    assert nvidia_ctk("config", "default")[1] == DEFAULT


def test_the_default_goes_to_a_file_but_makes_no_folder(nvidia_ctk, tmp_path):
    assert nvidia_ctk("config", "default", "-o", tmp_path / "x") == (0, "", "")
    assert (tmp_path / "x").read_text() == DEFAULT
    code, _, err = nvidia_ctk("config", "default", "--output", tmp_path / "no" / "x")
    assert (code, err) == (1, f"nvidia-ctk: cannot write {tmp_path}/no/x: No such file or directory\n")


def test_what_a_file_says_is_kept_also_what_nobody_knows(nvidia_ctk, file):
    file.write_text(
        'a-key = 5\nswarm-resource = ""\n[nvidia-container-cli]\nroot = "/run/nvidia/driver"\n'
        '[other."a b"]\nwhen = 2020-01-02\npi = 3.5\n[[list]]\nx = 1\n[[list]]\nmixed = [1, "a", {b = true}]\n'
    )
    code, out, err = nvidia_ctk("config")
    assert (code, err) == (0, "")
    assert out.startswith("a-key = 5\n#accept-nvidia-visible-devices-as-volume-mounts = false\n")
    assert '\nswarm-resource = ""\n' in out
    assert '\nroot = "/run/nvidia/driver"\n#user' in out
    before, after = tomllib.loads(file.read_text()), tomllib.loads(out)
    assert {key: after[key] for key in ("a-key", "other", "list")} == {
        key: before[key] for key in ("a-key", "other", "list")
    }


def test_settings_are_set(nvidia_ctk):
    settings = {
        "nvidia-container-runtime.mode=cdi": 'mode = "cdi"',
        "nvidia-container-cli.no-cgroups": "no-cgroups = true",
        "nvidia-container-cli.load-kmods=F": "load-kmods = false",
        "nvidia-container-runtime.runtimes=crun:runc": 'runtimes = ["crun", "runc"]',
        "nvidia-container-runtime.modes.cdi.annotation-prefixes=a/,b/": 'annotation-prefixes = ["a/", "b/"]',
        "supported-driver-capabilities=compute,utility": 'supported-driver-capabilities = "compute,utility"',
        "features.ignore-imex-channel-requests": "ignore-imex-channel-requests = true",
        "nvidia-container-cli.root=": 'root = ""',
    }
    for setting, line in settings.items():
        code, out, err = nvidia_ctk("config", "--set", setting)
        assert (code, err) == (0, ""), setting
        assert f"\n{line}\n" in out


def test_several_settings_may_stand_in_one_argument(nvidia_ctk):
    given = "nvidia-container-cli.no-cgroups,supported-driver-capabilities=compute,video,disable-require=true"
    _, out, _ = nvidia_ctk("config", "--set", given)
    assert "\nno-cgroups = true\n" in out
    assert '\nsupported-driver-capabilities = "compute,video"\n' in out
    assert "\ndisable-require = true\n" in out


def test_a_feature_can_be_taken_out_again(nvidia_ctk, file):
    file.write_text("[features]\nignore-imex-channel-requests = true\nno-additional-gids-for-device-nodes = true\n")
    _, out, _ = nvidia_ctk("config", "--set=features.ignore-imex-channel-requests=nil")
    assert "\n[features]\nno-additional-gids-for-device-nodes = true\n" in out


def test_the_file_is_changed_in_its_place(nvidia_ctk, tmp_path):
    path = tmp_path / "etc" / "nvidia" / "config.toml"
    arguments = ("--quiet", "config", f"--config-file={path}", "--in-place")
    assert nvidia_ctk(*arguments) == (0, "", "")
    assert path.read_text() == DEFAULT
    path.chmod(0o600)
    assert nvidia_ctk(*arguments, "--set", "disable-require=true") == (0, "", "")
    assert path.read_text() == DEFAULT.replace("disable-require = false", "disable-require = true")
    assert path.stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("spelling", [("config", "-c"), ("config", "--config"), ("--config",)])
def test_the_file_may_be_named_by_each_of_its_flags(nvidia_ctk, tmp_path, spelling):
    (tmp_path / "mine.toml").write_text("disable-require = true\n")
    command = [*spelling, tmp_path / "mine.toml"]
    _, out, _ = nvidia_ctk(*command, *([] if "config" in spelling else ["config"]))
    assert "disable-require = true\n" in out


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "no.such=1"), "undefined config key: \"no.such\"; 'nvidia-ctk config default' shows the keys"),
        (("--set", "nvidia-container-cli"), 'undefined config key: "nvidia-container-cli"; '),
        (("--set", "disable-require=maybe"), 'disable-require is "maybe", not true or false'),
        (("--set", "nvidia-container-runtime.debug"), "nvidia-container-runtime.debug needs a value; write --set"),
        (("--set", "nvidia-container-runtime.mode=x"), 'nvidia-container-runtime.mode is the string "x", not one of '),
        (("--set", "nvidia-container-cli.ldconfig=/sbin/ldconfig"), "a program of the image: it has to begin with @"),
        (("-i", "-o", "x"), "--in-place and --output are two places for one file; give one of them"),
        (("--nonsense",), "flag provided but not defined: -nonsense"),
    ],
)
def test_what_cannot_be_set_is_refused_and_nothing_written(nvidia_ctk, tmp_path, arguments, message):
    code, out, err = nvidia_ctk("config", "--in-place", *arguments)
    assert (code, out) == (1, "")
    assert message in err
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


def test_a_broken_file_is_refused_with_its_line(nvidia_ctk, file):
    file.write_text("\ndisable-require = maybe\n")
    code, _, err = nvidia_ctk("config")
    assert code == 1
    assert err.startswith(f"nvidia-ctk: {file}:2: not valid TOML")


def test_a_file_that_cannot_be_read_is_refused(nvidia_ctk, file):
    file.mkdir()
    assert nvidia_ctk("config") == (1, "", f"nvidia-ctk: cannot read {file}: is a directory\n")
