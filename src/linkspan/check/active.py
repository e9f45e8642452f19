"""What only doing shows: NVML is asked, and one container started with all GPUs. The read-only doctor does neither."""

from collections.abc import Iterator

from linkspan.demo.play import play
from linkspan.demo.stage import stage
from linkspan.errors import LinkspanError
from linkspan.facts import snapshot
from linkspan.facts.host import Search
from linkspan.facts.model import Model
from linkspan.plan.wording import plural


class Trial(Model, frozen=True, kw_only=True):
    """Something that was tried: whether it worked, and in a sentence what came of it."""

    name: str
    worked: bool
    outcome: str


def trials(root: str) -> Iterator[Trial]:
    """Try NVML first, then a container; the second only where the first shows a GPU."""
    facts = snapshot.collect(Search(root=root))
    asked = next((missing.reason for missing in facts.missing if missing.part == "NVML"), "")
    lost = [f"{missing.part}: {missing.reason}" for missing in facts.missing if missing.part.startswith("GPU ")]
    if asked or lost or not facts.gpus:
        yield Trial(name="NVML", worked=False, outcome="; ".join([asked, *lost]).strip("; ") or "NVML shows no GPU")
        return
    names = ", ".join(dict.fromkeys(gpu.name for gpu in facts.gpus))
    yield Trial(name="NVML", worked=True, outcome=f"{plural(len(facts.gpus), 'GPU')}: {names}")
    yield _container(root)


def _container(root: str) -> Trial:
    name = "a container with all GPUs"
    try:
        with stage(root) as here:
            result = next(play(here))
    except LinkspanError as error:
        return Trial(name=name, worked=False, outcome=str(error))
    if result.problems:
        return Trial(name=name, worked=False, outcome="; ".join(result.problems))
    return Trial(name=name, worked=True, outcome=f"nvidia-smi shows {plural(len(result.seen.smi), 'line')} inside")
