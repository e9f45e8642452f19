import os

import pytest

from linkspan.compat import ctk


def test_the_version_is_that_of_the_toolkit_it_follows(nvidia_ctk):
    for flag in ("--version", "-version", "-v"):
        code, out, err = nvidia_ctk(flag)
        assert (code, err) == (0, "")
        assert out.startswith("NVIDIA Container Toolkit CLI version v1.20.0\n")


@pytest.mark.parametrize(
    "argv", [(), ("--help",), ("cdi",), ("cdi", "generate", "-h"), ("system",), ("info",), ("help",)]
)
def test_help_is_an_answer(nvidia_ctk, argv):
    code, out, err = nvidia_ctk(*argv)
    assert (code, err) == (0, "")
    assert out.startswith("NAME:\n   nvidia-ctk")


def test_help_names_commands_flags_variables_and_defaults(nvidia_ctk):
    assert "\n   generate  generate CDI" in nvidia_ctk("cdi")[1]
    out = nvidia_ctk("cdi", "generate", "--help")[1]
    assert "   --mode, --discovery-mode VALUE  one of auto, " in out
    assert "(default: auto) [$NVIDIA_CTK_CDI_GENERATE_MODE]" in out


@pytest.mark.parametrize("argv", [("nonsense",), ("system", "print-ldcache")])
def test_a_command_that_does_not_exist_has_its_own_exit_code(nvidia_ctk, argv):
    assert nvidia_ctk(*argv) == (3, "", f"No help topic for '{argv[-1]}'\n")


def test_arguments_behind_a_command_are_ignored_with_a_word(nvidia_ctk, tmp_path):
    code, _, err = nvidia_ctk("cdi", "list", "--spec-dir", tmp_path, "more")
    assert code == 0
    assert err.startswith("nvidia-ctk: ignoring the argument 'more': 'nvidia-ctk cdi list' takes none\n")


def test_hooks_are_those_of_the_program_beside_it(monkeypatch, tmp_path):
    done = []
    monkeypatch.setattr(os, "execv", lambda *argv: done.append(argv))
    hook = tmp_path / "nvidia-cdi-hook"
    hook.touch(mode=0o755)
    monkeypatch.setattr(ctk.sys, "argv", [str(tmp_path / "nvidia-ctk")])
    ctk.run(["hook", "create-symlinks", "--link", "a::b"])
    assert done[0] == (str(hook), ["nvidia-cdi-hook", "create-symlinks", "--link", "a::b"])


def test_without_that_program_a_hook_fails_in_one_sentence(nvidia_ctk, monkeypatch, tmp_path):
    monkeypatch.setattr(ctk.sys, "argv", [str(tmp_path / "nvidia-ctk")])
    monkeypatch.setattr(os, "access", lambda *_: False)
    code, _, err = nvidia_ctk("hook", "create-symlinks")
    assert (code, err.count("\n")) == (1, 1)
    assert "there is no nvidia-cdi-hook beside" in err


@pytest.mark.parametrize(("raised", "code"), [(KeyboardInterrupt, 130), (BrokenPipeError, 1)])
def test_being_interrupted_is_no_accident(monkeypatch, raised, code):
    def interrupted(_):
        raise raised

    monkeypatch.setattr(ctk, "run", interrupted)
    monkeypatch.setattr(os, "dup2", lambda *_: None)
    with pytest.raises(SystemExit) as caught:
        ctk.main()
    assert caught.value.code == code


@pytest.mark.parametrize(
    ("uid", "end"), [(1000, "Permission denied; run the same as root, with sudo\n"), (0, "denied\n")]
)
def test_what_is_refused_to_a_user_is_for_root(nvidia_ctk, monkeypatch, uid, end):
    from linkspan.compat import commands, runtime_configure
    from linkspan.errors import KernelError

    def refuse(*_):
        raise KernelError("cannot write /etc/docker/daemon.json: Permission denied")

    monkeypatch.setattr(runtime_configure, "run", refuse)
    monkeypatch.setattr(commands.os, "geteuid", lambda: uid)
    code, _, err = nvidia_ctk("runtime", "configure")
    assert (code, err.endswith(end)) == (1, True)


ENGINES = [
    (("--runtime", "podman"), '--runtime is "podman"; it is one of docker, containerd, crio'),
    (("--config-source", "x"), '--config-source is "x"; it is one of file, command'),
    (("--drop-in-config=/x",), "Docker has no drop-in configuration; leave out --drop-in-config"),
    (("--runtime=crio", "--drop-in-config=x"), '--drop-in-config is "x", not an absolute path'),
    (("--runtime=crio", "--runtime-path=x"), '--nvidia-runtime-path is "x", not an absolute path'),
    (
        ("--config-mode=oci-hook", "--nvidia-runtime-hook-path=x"),
        '--nvidia-runtime-hook-path is "x", not an absolute path',
    ),
]


@pytest.mark.parametrize(("arguments", "message"), ENGINES)
def test_an_engine_that_cannot_be_configured_is_refused_in_one_sentence(nvidia_ctk, arguments, message):
    code, out, err = nvidia_ctk("runtime", "configure", *arguments)
    assert (code, out) == (1, "")
    assert err.startswith(f"nvidia-ctk: {message}")
    assert err.count("\n") == 1


def test_every_flag_of_an_engine_arrives(nvidia_ctk, monkeypatch):
    from linkspan.compat import runtime_configure
    from linkspan.compat.runtime_configure import Options

    asked = []
    monkeypatch.setattr(runtime_configure, "run", lambda options, _: asked.append(options))
    assert nvidia_ctk("runtime", "configure")[0] == 0
    code, _, err = nvidia_ctk(
        "runtime", "configure", "--runtime=containerd", "--config=/c", "--drop-in-config=", "--config-source=file",
        "--executable-path=/e", "--config-mode=oci-hook", "--oci-hook-path=/h", "--nvidia-runtime-name=n",
        "--nvidia-runtime-path=/r", "--nvidia-runtime-hook-path=/k", "--set-as-default", "--enable-cdi", "--dry-run",
    )  # fmt: skip
    assert (code, err) == (0, "")
    assert asked == [
        Options(),
        Options(
            runtime="containerd", config="/c", drop_in="", executable_path="/e",
            config_mode="oci-hook", oci_hook_path="/h", runtime_name="n", runtime_path="/r", runtime_hook_path="/k",
            set_as_default=True, cdi=True, dry_run=True,
        ),
    ]  # fmt: skip


def test_flags_without_effect_are_worth_a_word(nvidia_ctk, monkeypatch):
    from linkspan.compat import runtime_configure

    monkeypatch.setattr(runtime_configure, "run", lambda *_: None)
    docker = ("--config-source=command", "--executable-path=/x", "--config-mode=y")
    _, _, err = nvidia_ctk("runtime", "configure", *docker)
    assert [line.split(":")[1] for line in err.splitlines()] == [
        " ignoring --config-source command",
        " ignoring --executable-path",
        ' ignoring --config-mode "y"',
    ]
    assert "ignoring --cdi.enabled" in nvidia_ctk("runtime", "configure", "--runtime=crio", "--cdi.enable")[2]
