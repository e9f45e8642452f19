"""How each fault that text alone can mend is mended. What needs thought is left to people: stages, secrets, models."""

import json
import re
from collections.abc import Callable

from linkspan.image import cuda_tags, shell_commands
from linkspan.image.dockerfile import Dockerfile, Instruction
from linkspan.image.dockerfile_edit import after, appended, before_the_command, replaced, with_variable, without_word
from linkspan.image.dockerfile_model import base_of
from linkspan.image.dockerfile_rules import driver, loader
from linkspan.image.dockerfile_rules.variables import mended_capabilities
from linkspan.image.stages import pairs

Mender = Callable[[Dockerfile, Instruction], str | None]
"""Given the file and the instruction with the fault, the file's new text, or None where it cannot be mended here."""

_SHELL = re.compile(r"""[$&|;<>*?`"'\\(){}~#\[\]!=]""")
_ONLY_FETCHES = frozenset({"update", "install"})


def _without(pattern: re.Pattern[str], instead: Callable[[str], str] = lambda _: "") -> Mender:
    """Take packages out of a RUN that installs others, too; the whole RUN where it does nothing else."""

    def mend(read: Dockerfile, one: Instruction) -> str | None:
        found = shell_commands.commands(one, read.escape)
        packages = shell_commands.installed(found)
        wrong = [name for name in packages if pattern.fullmatch(name)]
        news = {name: instead(name) for name in wrong}
        if not any(news.values()) and len(wrong) == len(packages):
            return replaced(read, one, "") if all(_only_fetches(command) for command in found) else None
        raw = one.raw
        for name in wrong:
            raw = without_word(raw, packages[name], news[name])
        return replaced(read, one, raw)

    return mend


def _only_fetches(command: shell_commands.Command) -> bool:
    cleans = command.program == "rm" and all("/var/" in word for word in command.arguments if word[:1] != "-")
    return cleans or command.program == "set" or bool(_ONLY_FETCHES & set(command.arguments))


def _libraries(name: str) -> str:
    version = re.search(r"-\d+-\d+$", name)
    return f"cuda-libraries{version[0]}" if version else ""


def _out(*names: str) -> Mender:
    """Take a variable out of an ENV."""

    def mend(read: Dockerfile, one: Instruction) -> str | None:
        have = [name for name, _ in pairs(one, read.escape) if name in names]
        return with_variable(read, one, have[0], None) if have else None

    return mend


def _value(name: str, change: Callable[[str], str | None]) -> Mender:
    """Give a variable another value, made from the one that is written; an empty one takes it out."""

    def mend(read: Dockerfile, one: Instruction) -> str | None:
        raw = dict(pairs(one, read.escape)).get(name) if one.keyword == "ENV" else None
        new = change(raw.strip("\"'")) if raw is not None else None
        return with_variable(read, one, name, new or None) if new is not None else None

    return mend


def _without_folder(folder: re.Pattern[str]) -> Callable[[str], str]:
    return lambda raw: ":".join(part for part in raw.split(":") if not folder.search(part))


def _no_empty_part(raw: str) -> str | None:
    whole = re.sub(r":\$\{?LD_LIBRARY_PATH\}?$", "${LD_LIBRARY_PATH:+:${LD_LIBRARY_PATH}}", raw).strip(":")
    return whole.replace("::", ":") if "${LD" not in whole.partition(":+")[0] else whole


def _tag(read: Dockerfile, one: Instruction) -> str | None:
    words = one.value.split()
    base = base_of(words[0]) if words else base_of("")
    tag = cuda_tags.parse(base.tag)
    new = cuda_tags.nearest(base.tag) if tag is None or cuda_tags.fault(base.tag) else cuda_tags.newest(tag).text
    return replaced(read, one, one.raw.replace(f":{base.tag}", f":{new}", 1)) if base.tag and new else None


def _clears(read: Dockerfile, one: Instruction) -> str | None:
    programs = {command.program for command in shell_commands.commands(one, read.escape)}
    if programs & {"apt-get", "apt", "aptitude"}:
        return appended(read, one, "rm -rf /var/lib/apt/lists/*")
    manager = next((name for name in ("dnf", "yum", "microdnf", "tdnf") if name in programs), "")
    return appended(read, one, f"{manager} clean all") if manager else None


def _no_cache(read: Dockerfile, one: Instruction) -> str | None:
    tools = {pip.tool for pip in shell_commands.pips(shell_commands.commands(one, read.escape))}
    if tools & {"conda", "mamba", "micromamba"}:
        return appended(read, one, f"{min(tools - {'pip', 'uv'})} clean --all --yes")
    raw = re.sub(r"\buv[ \t]+pip[ \t]+install\b(?! --no-cache)", r"uv pip install --no-cache", one.raw)
    return replaced(
        read, one, re.sub(r"(?<!uv )\b(pip[\d.]*[ \t]+install)\b(?! --no-cache)", r"\1 --no-cache-dir", raw)
    )


def _alone(read: Dockerfile, one: Instruction) -> str | None:
    """Take a RUN out that does nothing but what it should not."""
    return replaced(read, one, "") if len(shell_commands.commands(one, read.escape)) == 1 else None


def _copy(read: Dockerfile, one: Instruction) -> str | None:
    words = one.words or tuple(one.value.split())
    return replaced(read, one, "") if len(words) == 2 else None


def _json_form(read: Dockerfile, one: Instruction) -> str | None:
    if _SHELL.search(one.value) or "\n" in one.raw.rstrip("\n"):
        return None
    end = "\n" if one.raw.endswith("\n") else ""
    return replaced(read, one, f"{one.keyword} {json.dumps(one.value.split())}{end}")


def _asks(read: Dockerfile, one: Instruction) -> str:
    return after(read, one, "ENV NVIDIA_VISIBLE_DEVICES=all NVIDIA_DRIVER_CAPABILITIES=compute,utility")


_PATH = loader.PATH
MENDERS: dict[str, Mender] = {
    "DF-DRIVER-1": _without(driver.PACKAGE),
    "DF-DRIVER-2": _without(driver.META, _libraries),
    "DF-DRIVER-3": _without(driver.KERNEL),
    "DF-DRIVER-5": _copy,
    "DF-DRIVER-6": _alone,
    "DF-DRIVER-7": _without(driver.TOOLKIT),
    "DF-BASE-2": _tag,
    "DF-BASE-3": _tag,
    "DF-USER-1": lambda read, _: before_the_command(read, "USER 10001"),
    "DF-USER-2": _json_form,
    "DF-ENV-1": _value("NVIDIA_VISIBLE_DEVICES", lambda _: "all"),
    "DF-ENV-2": _out("CUDA_VISIBLE_DEVICES"),
    "DF-ENV-3": _value("NVIDIA_DRIVER_CAPABILITIES", mended_capabilities),
    "DF-ENV-5": _out("NVIDIA_DISABLE_REQUIRE", "NVIDIA_REQUIRE_CUDA"),
    "DF-ENV-6": _asks,
    "DF-ENV-7": _out("CUDA_LAUNCH_BLOCKING", "TORCH_USE_CUDA_DSA", "NCCL_P2P_DISABLE", "NCCL_IB_DISABLE", "NCCL_DEBUG"),
    "DF-LOADER-1": _value(_PATH, lambda raw: f"{raw.rstrip(':')}${{LD_LIBRARY_PATH:+:${{LD_LIBRARY_PATH}}}}"),
    "DF-LOADER-2": _value(_PATH, _no_empty_part),
    "DF-LOADER-3": _value(_PATH, _without_folder(loader.STUBS)),
    "DF-LOADER-4": _value(_PATH, _without_folder(loader.COMPAT)),
    "DF-BUILD-1": _alone,
    "DF-WEIGHT-1": _clears,
    "DF-WEIGHT-2": _no_cache,
}
"""By the rule's id; a rule that is not here needs somebody who knows the program."""
