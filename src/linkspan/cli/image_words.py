"""Advice in sentences, for the terminal, the page and the picture alike."""

from collections.abc import Collection, Iterable, Iterator

from linkspan.check.cuda import cuda_of
from linkspan.check.cuda_fit import Way
from linkspan.image.advice import Advice
from linkspan.image.amounts import size
from linkspan.image.judged import Judged
from linkspan.image.parts import Key, Part
from linkspan.image.runs import Verdict
from linkspan.image.variant import Choice, Variant
from linkspan.plan.wording import plural

_ORDER: tuple[Variant, ...] = ("none", "base", "runtime", "cudnn-runtime", "devel", "cudnn-devel")


_WAYS: dict[Way, str] = {
    "natively": "natively",
    "by minor version compatibility": "by minor version compatibility",
    "by the compatibility package": "by the compatibility package in it",
    "not": "not there",
    "unknown": "nobody can tell",
}


_PARTS: dict[Key, str] = {
    "cudart": "CUDA",
    "cudnn": "cuDNN",
    "nccl": "NCCL",
    "tensorrt": "TensorRT",
    "onnxruntime": "ONNX Runtime",
    "torch": "PyTorch",
    "tensorflow": "TensorFlow",
    "jax": "JAX",
    "cupy": "CuPy",
    "triton": "Triton's compiler",
    "triton-client": "Triton's client",
    "triton-server": "Triton's server",
    "vllm": "vLLM",
}


def holds(parts: Iterable[Part]) -> str:
    """What an image holds of CUDA and of frameworks, with their versions; empty where it holds nothing of it."""
    found: dict[Key, set[str]] = {}
    for part in parts:
        found.setdefault(part.key, set()).add(part.version or (str(part.cuda) if part.cuda else ""))
    named = {key: " and ".join(sorted(versions - {""})) for key, versions in found.items()}
    return ", ".join(f"{title} {named[key]}".rstrip() for key, title in _PARTS.items() if key in named)


def clean(judged: Judged) -> str:
    """What is said where nothing counts against an image: of what could not be read no finding speaks."""
    return "clean, as far as it could be read" if judged.refused else "clean"


def runs(verdict: Verdict) -> str:
    """How an image runs where it is to run, in a sentence."""
    cuda = f"CUDA {verdict.cuda}, " if verdict.cuda else ""
    way = _WAYS[verdict.way]
    if verdict.cuda and verdict.way == "unknown" and not verdict.driver:
        way = "where the driver is new enough"
    return f"{way}: {cuda}{verdict.why}"


def place(files: int, layers: Collection[int]) -> str:
    """How many files, and of which layers."""
    return f"{plural(files, 'file')} of layer{'' if len(layers) == 1 else 's'} {', '.join(map(str, layers))}"


def headline(advice: Advice) -> str:
    """The advice in one sentence."""
    spare = sum(one.bytes for one in advice.savings)
    told = f"{size(spare)} of {size(advice.bytes)} could be left out" if spare else "there is nothing to leave out"
    return f"{enough(advice.base)}; {told}"


def enough(base: Choice) -> str:
    """What is enough, beside what there is."""
    wanted, there = f"the {base.enough} variant of nvidia/cuda", f"the {base.has} variant"
    if base.plain:
        has = f"; the image has all of {there}" if base.has not in ("none", "base") else ""
        return f"any small base is enough, or {wanted} for its compatibility package{has}"
    if base.enough == base.has:
        return f"{wanted} is what it needs, and what it has"
    if _ORDER.index(base.enough) < _ORDER.index(base.has):
        return f"{wanted} is enough, and the image has all of {there}"
    return f"it needs {wanted}, and has {'nothing of it' if base.has == 'none' else f'only {there}'}"


def base_lines(base: Choice) -> Iterator[tuple[str, str]]:
    """What there is to say of the base: a label and a text each."""
    if base.image and not base.plain:
        yield "begin with", f"FROM {base.image}"
    if base.plain:
        yield "begin with", f"FROM debian:stable-slim{f', or FROM {base.image}' if base.image else ''}"
    for name in base.environment:
        yield "set", f"ENV {name}"
    if base.packages:
        yield "install", " ".join(base.packages)
    for reason in base.reasons:
        yield "because", reason


def driver_lines(advice: Advice) -> Iterator[tuple[str, str]]:
    """What there is to say of the driver."""
    fleet = advice.fleet
    if not fleet.cuda:
        yield "CUDA", "nothing in the image tells a version of CUDA"
        return
    yield "CUDA", f"{fleet.cuda}, by {', '.join(one.source for one in fleet.found if one.version == fleet.cuda)}"
    if fleet.oldest:
        yield "starts on", f"driver {fleet.oldest} or later"
    if fleet.full:
        yield "wholly on", f"branch {fleet.full} or later: only those compile PTX of CUDA {fleet.cuda}"
    if fleet.driver:
        yield "here", _fit(advice)
    for one in fleet.code:
        yield "has code for", f"{', '.join(one.architectures)} in {one.holder}"
    for note in fleet.notes:
        yield "note", note


def _fit(advice: Advice) -> str:
    fleet = advice.fleet
    return {
        "fits": f"driver {fleet.driver} runs all of it",
        "starts": f"driver {fleet.driver} starts it, and compiles no PTX newer than CUDA {cuda_of(fleet.driver)}",
        "compat": f"driver {fleet.driver} is too old, except on data-centre GPUs, by the compatibility package",
        "too old": f"driver {fleet.driver} is too old",
        "unknown": f"driver {fleet.driver} is not known",
    }[fleet.fit]
