"""The names in the state folder, shared by the start path, which reads there, and the full program, which writes.

facts.json        the facts that specs and edits are made from
switches/HASH     what of the configuration the start path needs, for one file and one PATH: several engines may have
                  their own
settings/HASH     the same in short, for the launcher (``settings_text``)
edits/KEY.json    the edits for one request, with the stamps of the host that they were made for
ready/HASH        the same for the launcher, as the wrapper applied them (``formats.record``)
images/HASH       how a root was prepared for one work, for the launcher too
"""

from _blake2 import blake2b

from linkspan.formats import fastjson, record

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

VERSION = 4
"""Of the documents in the folder; raised whenever an older one would be misread."""

WRAPPER, HOOK = "wrapper", "prestart-hook"
"""Who asks for edits: where a request leaves something open, the two give it different meanings (contract 2.4, 3.3)."""

FACTS = "facts.json"

FOLDER = "/run/linkspan"
"""Gone at boot, as are the device numbers that its documents speak of."""


def config_path(named: str, home: str) -> str:
    """The configuration file, by the values of NVIDIA_CTK_CONFIG_FILE_PATH and XDG_CONFIG_HOME (contract 1.1).

    The launcher has the same rule in C.
    """
    return named or f"{home or '/etc'}/nvidia-container-runtime/config.toml"


def caller_name(config_path: str, search_path: str) -> str:
    """The name of what is kept for engines with this configuration file and this PATH."""
    return record.file_name(f"{config_path}\n{search_path}".encode("utf-8", "surrogateescape"))


def edits_name(view: "dict[str, Any]", switches: "dict[str, Any]", caller: str) -> str:
    """The file, below the folder, that holds the edits for a request view under these switches, for who asks.

    A digest of everything that decides the edits but the host itself, so nothing is ever looked up that another
    configuration or another request made.
    """
    text = fastjson.dumps([VERSION, caller, switches["config"], switches["stamps"], view])
    return f"edits/{blake2b(text.encode(), digest_size=16).hexdigest()}.json"


def config_stamp(switches: "dict[str, Any]") -> str:
    """The stamp of the configuration file that the switches are from; ``absent`` where there was none."""
    return switches["stamps"][0][2] or "absent"


def settings_text(switches: "dict[str, Any]") -> str:
    """The lines of ``settings``, which the launcher reads: see ``runtime/native/settings.h``.

    For which configuration file and PATH they hold; the stamp of that file; the low-level runtime; whether every
    container is the wrapper's business; and what a request is made of: the words of which config.json has at least one
    if it can be a request, the variables and the annotation prefixes that are looked at.
    """
    lines = [switches["config"], switches["path"], config_stamp(switches), switches["low_level"]]
    lines += ["every"] if switches["every"] else []
    lines += [f"word {word}" for word in switches["request_words"]]
    lines += [f"env {name}" for name in switches["env_names"]]
    lines += [f"prefix {prefix}" for prefix in switches["annotation_prefixes"]]
    return "".join(f"{line}\n" for line in lines)


def request_words(env_names: "list[str]", annotation_prefixes: "list[str]") -> "list[str]":
    """Words of which every request has one, also where JSON spells a slash with a backslash before it."""
    heads = [prefix.partition("/")[0] for prefix in annotation_prefixes]
    return ["NVIDIA_", "CUDA_VERSION", "nvidia-container-", *env_names, *heads]
