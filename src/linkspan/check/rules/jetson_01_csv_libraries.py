"""Tegra: libraries that the board used to mount are empty in a container, or nothing says what to mount at all."""

from collections.abc import Iterator

from linkspan.check.inside import Inside
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.facts.host import CSV_FOLDER
from linkspan.facts.model import CsvEntry
from linkspan.facts.tegra import RELEASE_FILE

_BASE = ("l4t.csv", "drivers.csv", "devices.csv")
_VARIABLE = "NVIDIA_REQUIRE_JETPACK"


def _look(scene: Scene) -> Iterator[Found]:
    if scene.facts.platform != "tegra":
        return
    if not scene.facts.csv:
        yield _no_list(scene)
        return
    more = [entry for entry in scene.facts.csv if entry.type in ("lib", "sym") and _file(entry) not in _BASE]
    for inside in scene.gpu_containers:
        if "csv-mounts=all" not in inside.container.env.get(_VARIABLE, ""):
            empty = [entry for entry in more if _is_empty(inside, entry.path)]
            if empty:
                yield _left_out(scene, inside, empty)


def _file(entry: CsvEntry) -> str:
    return entry.source.rpartition("/")[2].partition(":")[0]


def _is_empty(inside: Inside, path: str) -> bool:
    """True where a file without a byte stands: what a mount of another time was put on."""
    status = inside.container.root.status(path)
    return status is not None and status.kind == "file" and not inside.container.root.size(path)


def _no_list(scene: Scene) -> Found:
    return Found(
        cause=f"{CSV_FOLDER} has no CSV file, so nothing says what a container needs of this board",
        evidence=(
            Evidence(subject=CSV_FOLDER, field="*.csv", value="none"),
            Evidence(subject=RELEASE_FILE, field="release", value=scene.line(RELEASE_FILE)[:80]),
        ),
        remedy=Remedy(text="install JetPack's own packages of the toolkit and nvidia-container-csv-*"),
        link="bridge",
    )


def _left_out(scene: Scene, inside: Inside, empty: list[CsvEntry]) -> Found:
    root = f"/proc/{inside.container.pid}/root"
    return Found(
        cause=f"{empty[0].path} is empty in the container: only {', '.join(_BASE)} are mounted by default, and the "
        f"image expects {_file(empty[0])}, too",
        evidence=(
            *(Evidence(subject=f"{root}{entry.path}", field="size", value="0") for entry in empty[:3]),
            Evidence(subject=empty[0].source, field="listed", value=f"{empty[0].type}, {empty[0].path}"),
            Evidence(subject=RELEASE_FILE, field="release", value=scene.line(RELEASE_FILE)[:80]),
        ),
        remedy=Remedy(
            text=f"start it with -e {_VARIABLE}=csv-mounts=all, or take an image of this JetPack, which brings the "
            "libraries itself"
        ),
        about=inside.container.name,
    )


RULE = Rule(id="D-JETSON-1", link="injection", severity="error", look=_look)
