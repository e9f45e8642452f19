"""``nvidia-cdi-hook``, for CDI specs that NVIDIA's toolkit wrote: its commands, flags and exit codes (contract 6).

Such a spec has up to six hooks, each a process of its own at ``createContainer``. What they do is done by the code of
our one hook, on descriptors below the container's root; no program is run, neither the container's nor the host's
ldconfig.
"""

import posix as os

from linkspan.errors import FormatError
from linkspan.formats import goflags, oci
from linkspan.runtime import container, ending, given

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, NoReturn

    Options = dict[str, Any]

PROGRAM = "linkspan-cdi-hook"
NAME = "nvidia-cdi-hook"

_ANYWHERE = {"debug": "", "d": "", "quiet": "", "help": "", "h": ""}
_GLOBAL = {**_ANYWHERE, "version": "", "v": ""}
_STATE = {"container-spec": "FILE"}


def main(version: str, argv: "list[str]") -> "NoReturn":
    """Run the hook with our version and the arguments after the program's name; exits 0 or 1."""
    ending.end_with(lambda: _run(version, argv), PROGRAM)


def _run(version: str, argv: "list[str]") -> int:
    options, words = _parse(argv, _GLOBAL, "COMMAND", until_word=True)
    command = words[0] if words else ""
    if options["version"] or options["v"]:
        _say(1, f"NVIDIA CDI Hook version v{version} (linkspan)")
    elif options["help"] or options["h"] or command == "help":
        _help()
    elif command in _COMMANDS:
        _run_command(command, words[1:])
    elif not options["quiet"] and not _is_set("NVIDIA_CTK_QUIET") and not _is_set("NVIDIA_CDI_QUIET"):
        # A spec may be newer than we are; that must not keep its containers from starting.
        what = f"the command {command!r} is not known" if command else "no command is given"
        _say(2, f"{PROGRAM}: warning: {what}, nothing is done")
    return 0


def _run_command(command: str, arguments: "list[str]") -> None:
    work, known = _COMMANDS[command]
    options, _ = _parse(arguments, {**known, **_ANYWHERE}, f"{command} {goflags.usage(known)}")
    if options["help"] or options["h"]:
        _help()
    else:
        work(options)


def _parse(
    arguments: "list[str]", known: "dict[str, str]", usage: str, *, until_word: bool = False
) -> "tuple[Options, list[str]]":
    try:
        return goflags.parse(arguments, known, until_word=until_word)
    except FormatError as error:
        raise FormatError(error.message, hint=f"usage: {NAME} {usage}") from None


def _help() -> None:
    _say(1, f"usage: {NAME} [--debug] [--quiet] [--version] COMMAND")
    for command, (_, known) in _COMMANDS.items():
        _say(1, f"  {command} {goflags.usage(known)}".rstrip())


def _say(fd: int, line: str) -> None:
    printable = "".join(character if character.isprintable() else "?" for character in line)
    os.write(fd, (printable + "\n").encode("utf-8", "replace"))


def _is_set(name: str) -> bool:
    return os.environ.get(name.encode(), b"").lower() in (b"1", b"t", b"true")


def _create_symlinks(options: "Options") -> None:
    from linkspan.kernel import single_steps

    _below_root(options, lambda root_fd: single_steps.make_links(root_fd, options["link"]))


def _update_ldcache(options: "Options") -> None:
    from linkspan.kernel import loader

    _below_root(options, lambda root_fd: loader.update_folders(root_fd, os.uname().machine, options["folder"]))


def _enable_cuda_compat(options: "Options") -> None:
    from linkspan.kernel import compat, loader

    versions = options["host-driver-version"], options["host-cuda-version"]
    if any(versions):
        where = options["cuda-compat-container-root"]
        _below_root(
            options,
            lambda root_fd: loader.use_compat(
                root_fd, os.uname().machine, compat.usable_folder(root_fd, *versions, where)
            ),
        )


def _disable_device_node_modification(options: "Options") -> None:
    from linkspan.kernel import stamps

    if stamps.exists(oci.PARAMS):
        from linkspan.kernel import params  # brings ctypes

        root_fd = _open_root(options)
        try:
            params.mask_params(root_fd)
        finally:
            os.close(root_fd)


def _update_application_profile(options: "Options") -> None:
    from linkspan.kernel import profile

    _below_root(options, lambda root_fd: profile.write(root_fd, profile.gpu_minors(root_fd)))


def _chmod(options: "Options") -> None:
    from linkspan.kernel import single_steps

    mode, places = _mode(options["mode"]), [path for path in options["path"] if path]
    if places:
        _below_root(options, lambda root_fd: single_steps.change_modes(root_fd, places, mode))


def _mode(text: str) -> int:
    if not text or text.strip("01234567") or int(text, 8) > 0o7777:
        raise FormatError(f"the mode {text!r} is not an octal one", hint="give one like --mode 755")
    return int(text, 8) & 0o777  # no more than permissions, as with the toolkit


def _noop(_: "Options") -> None:
    return


def _below_root(options: "Options", work: "Callable[[int], None]") -> None:
    root_fd = _open_root(options)
    try:
        fd = container.open_writable(root_fd)
        try:
            work(fd)
        finally:
            os.close(fd)
    finally:
        os.close(root_fd)


def _open_root(options: "Options") -> int:
    path = options["container-spec"]
    return container.open_root(given.read_state("" if path == "-" else path))


_COMMANDS: "dict[str, tuple[Callable[[Options], None], dict[str, str]]]" = {
    "create-symlinks": (_create_symlinks, {"link": "TARGET::LINK...", **_STATE}),
    # An ldconfig is not run, wherever it is.
    "update-ldcache": (_update_ldcache, {"folder": "DIR...", "ldconfig-path": "PATH", **_STATE}),
    "enable-cuda-compat": (
        _enable_cuda_compat,
        {
            "host-driver-version": "VERSION",
            "host-cuda-version": "VERSION",
            "cuda-compat-container-root": "DIR",
            **_STATE,
        },
    ),
    "disable-device-node-modification": (_disable_device_node_modification, _STATE),
    "update-application-profile": (_update_application_profile, _STATE),
    "chmod": (_chmod, {"mode": "MODE", "path": "PATH...", **_STATE}),
    "noop": (_noop, _STATE),
}
"""Each command: what it does, and its own flags."""
