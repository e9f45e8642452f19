"""``nvidia-ctk runtime configure``: its flags, checked (contract 7.1)."""

from linkspan.compat import runtime_configure
from linkspan.compat.commands import Call, Command
from linkspan.compat.goflags import Flag, Values, WrongUsage
from linkspan.compat.runtime_configure import Options
from linkspan.plan.wording import quoted

_ENGINES = ("docker", "containerd", "crio")


def _configure(call: Call) -> None:
    options = _options(call.values)
    _check(call, options)
    runtime_configure.run(options, call.say)


def _options(values: Values) -> Options:
    return Options(
        runtime=values.text("runtime"),
        config=values.text("config"),
        drop_in=values.text("drop-in-config") if values.given("drop-in-config") else None,
        config_source=values.text("config-source"),
        executable_path=values.text("executable-path"),
        config_mode=values.text("config-mode"),
        oci_hook_path=values.text("oci-hook-path"),
        runtime_name=values.text("nvidia-runtime-name"),
        runtime_path=values.text("nvidia-runtime-path"),
        runtime_hook_path=values.text("nvidia-runtime-hook-path"),
        set_as_default=values.switch("nvidia-set-as-default"),
        cdi=values.switch("cdi.enabled"),
        dry_run=values.switch("dry-run"),
    )


def _check(call: Call, options: Options) -> None:
    """Refuse what cannot be meant, and say what has no effect."""
    _member("--runtime", options.runtime, _ENGINES)
    if not options.runtime_name:
        raise WrongUsage("--nvidia-runtime-name is empty", hint="leave it out for 'nvidia'")
    _member("--config-source", options.config_source, ("file", "command"))
    if options.runtime == "docker":
        _check_docker(call, options)
    else:
        _absolute("--nvidia-runtime-path", options.runtime_path)
        _absolute("--drop-in-config", options.drop_in or "")
    if options.config_mode == "oci-hook":
        _absolute("--nvidia-runtime-hook-path", options.runtime_hook_path)
    if options.config_mode not in ("config-file", "oci-hook"):
        call.say(f"ignoring --config-mode {quoted(options.config_mode)}: it is config-file or oci-hook")
    if options.cdi and options.runtime == "crio":
        call.say("ignoring --cdi.enabled: CRI-O has CDI enabled already")


def _check_docker(call: Call, options: Options) -> None:
    if options.drop_in:
        raise WrongUsage("Docker has no drop-in configuration", hint="leave out --drop-in-config")
    if options.config_source == "command":
        call.say("ignoring --config-source command: Docker's settings are in a file")
    if options.executable_path:
        call.say("ignoring --executable-path: nothing of Docker's is run")


def _member(flag: str, value: str, allowed: tuple[str, ...]) -> None:
    if value not in allowed:
        raise WrongUsage(f"{flag} is {quoted(value)}", hint=f"it is one of {', '.join(allowed)}")


def _absolute(flag: str, path: str) -> None:
    if path and not path.startswith("/"):
        raise WrongUsage(f"{flag} is {quoted(path)}, not an absolute path")


CONFIGURE = Command(
    "configure",
    "add a runtime to the configuration of a container engine",
    (
        Flag(("runtime",), f"the engine: {', '.join(_ENGINES)}", default="docker"),
        Flag(("config",), "the engine's configuration file"),
        Flag(("drop-in-config",), "the file beside it to write to"),
        Flag(("config-source",), "where the settings are read: file or command", default="file"),
        Flag(("executable-path",), "the engine's program, for the source command"),
        Flag(("config-mode", "mode"), "config-file or oci-hook", default="config-file"),
        Flag(("oci-hook-path",), "where the OCI hook goes in the mode oci-hook"),
        Flag(("nvidia-runtime-name",), "the name of the runtime", default="nvidia"),
        Flag(("nvidia-runtime-path", "runtime-path"), "the runtime's program"),
        Flag(("nvidia-runtime-hook-path",), "the prestart hook", default="/usr/bin/nvidia-container-runtime-hook"),
        Flag(("nvidia-set-as-default", "set-as-default"), "make it the default", "switch"),
        Flag(("cdi.enabled", "cdi.enable", "enable-cdi"), "enable CDI in the engine", "switch"),
        Flag(("dry-run",), "print the result and write nothing", "switch"),
    ),
    _configure,
)
