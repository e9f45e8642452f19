"""What stands on each link of the chain, in a few words: for links on which nothing is broken."""

from collections.abc import Iterable

from linkspan.check.model import Link
from linkspan.check.scene import TOOLKIT_CONFIG, Scene
from linkspan.check.specs import KIND
from linkspan.plan.wording import listed, plural


def held(scene: Scene) -> dict[Link, str]:
    """The links on which there is something, and what; nothing for a link that this host has no part of."""
    said: dict[Link, str] = {
        "pci": _pci(scene),
        "module": _module(scene),
        "version": _version(scene),
        "nodes": _nodes(scene),
        "libraries": _libraries(scene),
        "loader-cache": _cache(scene),
        "bridge": _bridge(scene),
        "engine-config": _configured(scene),
        "engine": _engines(scene),
        "injection": _containers(scene),
    }
    return {link: text for link, text in said.items() if text}


def _pci(scene: Scene) -> str:
    gpus, switches = scene.gpus_by_pci, [one for one in scene.pci if one.is_switch]
    if scene.facts.platform == "wsl":
        return "/dev/dxg stands for the GPUs of Windows"
    return plural(len(gpus), "GPU") + (f", {len(switches)} NVSwitches" if switches else "") if gpus else ""


def _module(scene: Scene) -> str:
    kind = {True: "open", False: "proprietary", None: ""}[scene.facts.driver.open_kernel_modules]
    loaded = [module.name for module in scene.facts.modules if module.name.startswith("nvidia")]
    return f"{listed(sorted(loaded))} loaded{f', {kind}' if kind else ''}" if loaded else ""


def _version(scene: Scene) -> str:
    driver = scene.facts.driver
    return f"{driver.version}, of the kernel module and of the libraries" if len(driver.readings) > 1 else ""


def _nodes(scene: Scene) -> str:
    gpus = scene.facts.gpus
    have = sum(bool(gpu.path) for gpu in gpus)
    return f"{have} of {plural(len(gpus), 'GPU')} and {len(scene.facts.devices) - have} more" if gpus else ""


def _libraries(scene: Scene) -> str:
    found = scene.facts.libraries
    return f"{plural(len(found), 'file')} below {listed(scene.facts.library_folders)}" if found else ""


def _cache(scene: Scene) -> str:
    return "/etc/ld.so.cache is there" if scene.eyes.exists("/etc/ld.so.cache") else ""


def _bridge(scene: Scene) -> str:
    program = next(
        (path for name in ("linkspan-runtime", "nvidia-container-runtime") if (path := scene.find(name))), ""
    )
    specs = scene.specs.of_kind()
    names = sum(name.startswith(f"{KIND}=") for name in scene.specs.devices)
    told = f"{listed(file.path for file in specs)} with {plural(names, 'name')}" if specs else ""
    config = TOOLKIT_CONFIG if scene.eyes.exists(TOOLKIT_CONFIG) else ""
    return ", ".join(part for part in (program, told, config) if part)


def _configured(scene: Scene) -> str:
    return _each(
        f"{engine.title} has {listed(f'{name} ({program})' for name, program in engine.view.runtimes.items())}"
        for engine in scene.engines
        if engine.view.runtimes
    )


def _engines(scene: Scene) -> str:
    return _each(
        " ".join(
            filter(None, (engine.title, ".".join(map(str, engine.version)), _how(engine.rootless, engine.process)))
        )
        for engine in scene.engines
    )


def _how(rootless: bool, process: object) -> str:
    return ("rootless, " if rootless else "") + "running" if process else ""


def _containers(scene: Scene) -> str:
    with_gpus = [one for one in scene.containers if one.has_gpus]
    return f"{plural(len(with_gpus), 'running container')} with GPUs" if with_gpus else ""


def _each(parts: Iterable[str]) -> str:
    return "; ".join(parts)
