"""``nvidia-ctk config``: the toolkit's ``config.toml`` shown, changed and written anew (contract 1.3 and 7.2).

What the file says is kept, also what nobody here knows; what it does not say is filled in with the defaults. A result
that would not be read again is never written.
"""

import os
import platform
import sys
import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from linkspan.compat import toml_text
from linkspan.compat.commands import Call, Command
from linkspan.compat.goflags import Flag, WrongUsage
from linkspan.compat.toml_text import Key
from linkspan.engines.model import merged
from linkspan.errors import ConfigError
from linkspan.formats import toolkit_config
from linkspan.formats.toolkit_config import ToolkitConfig
from linkspan.kernel import files, trees
from linkspan.plan.wording import quoted

Data = dict[str, Any]

SHOWN: dict[Key, object] = {
    ("accept-nvidia-visible-devices-as-volume-mounts",): False,
    ("accept-nvidia-visible-devices-envvar-when-unprivileged",): True,
    ("swarm-resource",): "DOCKER_RESOURCE_GPU",
    ("nvidia-container-cli", "debug"): "/var/log/nvidia-container-toolkit.log",
    ("nvidia-container-cli", "ldcache"): "/etc/ld.so.cache",
    ("nvidia-container-cli", "no-cgroups"): False,
    ("nvidia-container-cli", "path"): "/usr/bin/nvidia-container-cli",
    ("nvidia-container-cli", "root"): "/run/nvidia/driver",
    ("nvidia-container-cli", "user"): "root:video",
    ("nvidia-container-runtime", "debug"): "/var/log/nvidia-container-runtime.log",
}
"""What a file shows commented out: an example of the key, not always its default."""

_UNSET = {
    ("nvidia-container-cli", "no-pivot"),
    ("nvidia-container-runtime", "modes", "csv", "compat-container-root"),
    ("nvidia-container-runtime", "modes", "jit-cdi", "nvcdi-feature-flags"),
    ("nvidia-container-runtime", "modes", "jit-cdi", "nvcdi-disable-hooks"),
}
"""Keys that a file has only when somebody sets them; so are all of ``[features]``."""

_BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "t": True, "f": False}


def _defaults() -> Data:
    """The defaults that a file spells out, as they are on this host."""
    data: Data = {}
    for key, value in toolkit_config.settings(ToolkitConfig()):
        if key not in SHOWN and key not in _UNSET and key[0] != "features":
            _put(data, key, list(value) if isinstance(value, tuple) else value)
    _put(data, ("nvidia-container-cli", "ldconfig"), f"@{_ldconfig()}")
    if _is_suse():
        _put(data, ("nvidia-container-cli", "user"), "root:video")
    return data


def _ldconfig() -> str:
    """Ubuntu's /sbin/ldconfig is a script around the program (contract 1.1)."""
    return "/sbin/ldconfig.real" if os.path.exists("/sbin/ldconfig.real") else "/sbin/ldconfig"


def _is_suse() -> bool:
    try:
        release = platform.freedesktop_os_release()
    except OSError:
        return False
    return not {"suse", "opensuse"}.isdisjoint(release.get("ID_LIKE", "").split())


def _put(data: Data, key: Key, value: object) -> None:
    for name in key[:-1]:
        data = data.setdefault(name, {})
    data[key[-1]] = value


def _config(call: Call) -> None:
    values = call.values
    if values.switch("in-place") and values.text("output"):
        raise WrongUsage("--in-place and --output are two places for one file", hint="give one of them")
    path = values.text("config-file") or call.config_path()
    data = merged(_defaults(), _read(path))
    for key, text in _settings(values.each("set")):
        _set(data, key, text)
    text = toml_text.render(data, SHOWN)
    toolkit_config.parse(text, path)
    _write(text, path if values.switch("in-place") else values.text("output"), make_folders=True)


def _read(path: str) -> Data:
    try:
        with open(path, "rb") as file:
            content = file.read()
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise ConfigError(f"cannot read {path}: {(error.strerror or '').lower()}", subject=path) from None
    toolkit_config.parse(content, path)
    return tomllib.loads(content.decode())


def _write(text: str, path: str, *, make_folders: bool) -> None:
    if path in ("", "-"):
        sys.stdout.write(text)
        return
    if make_folders:
        trees.make_folders(os.path.dirname(os.path.abspath(path)))
    files.write_whole(path, text.encode(), None)


def _settings(given: tuple[str, ...]) -> Iterator[tuple[Key, str | None]]:
    """Key and value of each setting; a comma begins the next one only where a key follows it."""
    known = _types()
    pieces: list[str] = []
    for text in given:
        for number, piece in enumerate(text.split(",")):
            if number == 0 or _key(piece) in known:
                pieces.append(piece)
            else:
                pieces[-1] += f",{piece}"
    for piece in pieces:
        _, sign, value = piece.partition("=")
        yield _key(piece), value if sign else None


def _key(setting: str) -> Key:
    return tuple(setting.partition("=")[0].strip().split("."))


def _types() -> Mapping[Key, object]:
    """Every key there is, with its default."""
    return dict(toolkit_config.settings(ToolkitConfig()))


def _set(data: Data, key: Key, text: str | None) -> None:
    known, name = _types(), ".".join(key)
    if key not in known:
        raise WrongUsage(f"undefined config key: {quoted(name)}", hint="'nvidia-ctk config default' shows the keys")
    if key[0] == "features" and text == "nil":
        data.get("features", {}).pop(key[-1], None)
        return
    _put(data, key, _value(name, known[key], text))


def _value(name: str, default: object, text: str | None) -> object:
    """The text as a value of the kind that the default has."""
    if isinstance(default, bool):
        found = _BOOLEANS.get("true" if text is None else text.lower())
        if found is None:
            raise WrongUsage(f"{name} is {quoted(text or '')}, not true or false")
        return found
    if text is None:
        raise WrongUsage(f"{name} needs a value", hint=f"write --set {name}=VALUE")
    if isinstance(default, tuple):
        return [item for item in text.split("," if "," in text else ":") if item]
    return text


def _default(call: Call) -> None:
    _write(toml_text.render(_defaults(), SHOWN), call.values.text("output"), make_folders=False)


_OUTPUT = Flag(("output", "o"), "the file to write; - or nothing is standard output")

CONFIG = Command(
    "config",
    "work with the toolkit's configuration",
    (
        Flag(("config-file", "config", "c"), "the file to read", env=("NVIDIA_CTK_CONFIG",)),
        Flag(("set",), "KEY=VALUE, or KEY for a switch to turn on; may be repeated", "verbatim"),
        Flag(("in-place", "i"), "write the result over the file that was read", "switch"),
        _OUTPUT,
    ),
    _config,
    (
        Command(
            "default",
            "write the default configuration",
            (_OUTPUT,),
            _default,
            aliases=("create-default", "generate-default"),
        ),
    ),
)
