"""Whether an image will run on a machine that is not at hand: by its CUDA, that driver, and those GPUs."""

import msgspec

from linkspan.check import cuda, cuda_fit
from linkspan.check.cuda_fit import Fit, Way
from linkspan.check.cuda_names import last_cuda
from linkspan.check.inside import version_of
from linkspan.facts.model import Model
from linkspan.formats import versions
from linkspan.image.gpu_code import capability
from linkspan.image.holders import holders
from linkspan.image.model import Entry, Image
from linkspan.image.registry import Target
from linkspan.image.stack import stack


class Verdict(Model, frozen=True, kw_only=True):
    """How an image runs there, and why. ``cuda`` is what it needs, empty where it has none; ``paths`` what tells so."""

    way: Way
    why: str
    cuda: str = ""
    driver: str = ""
    paths: tuple[str, ...] = ()


def runs(image: Image, target: Target) -> Verdict:
    """Whether the image's CUDA runs on the target: natively, by one of NVIDIA's two compatibilities, or not.

    The verdict is about CUDA; what else the image lacks is told by rules. A way of "unknown" says what is not known.
    """
    found = stack(image)
    paths, cuda = tuple(one.path for one in found.told[:1] if one.path), found.called
    if not found.cuda:
        return Verdict(way="unknown", why="the image has no CUDA whose version can be told", driver=target.driver)
    for able in target.capabilities:
        if why := dropped(image, able) or _bare(image, able):
            return Verdict(way="not", why=why, cuda=cuda, driver=target.driver, paths=paths)
    way = by_driver(image, target)
    return Verdict(way=way.way, why=way.why, cuda=cuda, driver=target.driver, paths=paths)


def by_driver(image: Image, target: Target) -> Fit:
    """How the image's CUDA runs on the target's driver, whatever code it has for the target's GPUs."""
    found = stack(image)
    compat = version_of(found.compat.path) if found.compat else ""
    refusing = next((gpu for gpu in target.gpus if cuda.is_consumer(gpu)), "")
    if not target.driver:
        return _by_any(image, target, "" if refusing else compat)
    way = cuda_fit.fit(found.cuda, target.driver, "" if refusing else compat)
    if way.way == "not" and refusing and compat:
        return Fit(way="not", why=f"{way.why}; the compatibility package does not work with {refusing}")
    if way.way == "by minor version compatibility" and (entry := needs_translation(image, target)):
        return Fit(way="not", why=f"{entry.path} has only PTX for that GPU, and {way.why}, but not their PTX")
    return way


def _by_any(image: Image, target: Target, compat: str) -> Fit:
    """What is known where no driver is named: which ones would do."""
    cuda_, oldest = stack(image).cuda, cuda.needed_driver(stack(image).cuda)
    bound = needs_translation(image, msgspec.structs.replace(target, driver=oldest))
    return Fit(way="unknown", why=f"it runs {cuda_fit.drivers(cuda_, compat, by_minor=bound is None)}")


def dropped(image: Image, able: str) -> str:
    """Why the image's CUDA libraries have no code any more for a GPU of this compute capability; empty if they have."""
    found, gpu = stack(image), capability(able)
    last = last_cuda(gpu) if gpu else ""
    if last and cuda.older(last, found.called):
        return f"CUDA {found.called} has no code for compute capability {able}; CUDA {last} was the last one"
    return ""


def _bare(image: Image, able: str) -> str:
    gpu, every = capability(able), holders(image)
    bare = gpu is not None and all(one.code(gpu) == "none" for one in every)
    return f"no library of the image has code for compute capability {able}" if bare and every else ""


def needs_translation(image: Image, target: Target) -> Entry | None:
    """The main library of a program with nothing but PTX for a GPU of the target, newer than its driver translates."""
    newest, wanted = cuda.cuda_of(target.driver), versions.parse(stack(image).cuda)
    if not newest or not wanted or not cuda.older(newest, ".".join(map(str, wanted[:2]))):
        return None
    gpus = [gpu for able in target.capabilities if (gpu := capability(able))]
    translated = (one for one in holders(image) for gpu in gpus if one.code(gpu) == "PTX")
    return next((one.entries[0] for one in translated), None)
