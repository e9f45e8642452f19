"""An image requires a newer CUDA than the host's driver runs."""

from collections.abc import Iterator, Mapping

import msgspec

from linkspan.check import cuda
from linkspan.check.inside import Inside
from linkspan.check.model import Evidence, Found, Remedy, Severity
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene
from linkspan.errors import RequirementError
from linkspan.facts.driver import VERSION_FILE
from linkspan.plan import requirements
from linkspan.plan.model import Requirement


def _look(scene: Scene) -> Iterator[Found]:
    if not scene.loaded_driver:
        return
    refused = [one for one in scene.docker_records if _is_about_it(one.error)]
    for record in refused:
        yield from _of(scene, record.env, record.path, record.title, "error")
    for inside in scene.gpu_containers:
        container = inside.container
        if _unmet(scene, container.env, refused=False) and _loads_the_drivers(scene, inside):
            yield from _of(scene, container.env, f"/proc/{container.pid}/environ", container.name, "info")


def _loads_the_drivers(scene: Scene, inside: Inside) -> bool:
    """False where a compatibility library does what the driver cannot."""
    taken = inside.resolve("libcuda.so.1")
    return taken is not None and taken.version == scene.loaded_driver


def _is_about_it(error: str) -> bool:
    """The words of nvidia-container-cli, and ours."""
    return "unsatisfied condition" in error or f"{requirements.PREFIX}CUDA requires" in error


def _of(scene: Scene, env: Mapping[str, str], where: str, about: str, severity: Severity) -> Iterator[Found]:
    unmet = _unmet(scene, env, refused=severity == "error")
    if unmet is None:
        return
    driver, runs = scene.loaded_driver, cuda.cuda_of(scene.loaded_driver)
    wanted = _wanted(unmet)
    newer = cuda.driver_for(wanted)
    yield Found(
        cause=f"the image requires {_first(unmet)}, and the host's driver {driver} runs CUDA up to {runs}; a CUDA "
        "toolkit on the host does not count",
        evidence=(
            Evidence(subject=where, field=unmet.variable, value=unmet.text[:200]),
            Evidence(subject=VERSION_FILE, field="NVRM version", value=driver),
        ),
        remedy=Remedy(
            text=f"update the host's driver to {newer + ' or newer' if newer else 'a newer one'}, or take an image "
            f"for CUDA {runs} or older; {requirements.DISABLE}=1 starts it all the same, which works for programs of "
            "the same CUDA major version that bring code for this GPU"
        ),
        about=about,
        severity=severity,
    )


def _unmet(scene: Scene, env: Mapping[str, str], *, refused: bool) -> Requirement | None:
    """The first requirement that does not hold, judged by driver and CUDA version alone.

    What only holds for a brand of GPU is passed over where the start was refused: so this was not the brand.
    """
    driver = msgspec.structs.replace(scene.facts.driver, cuda_version=cuda.cuda_of(scene.loaded_driver))
    facts = msgspec.structs.replace(scene.facts, driver=driver)
    try:
        found = requirements.read_requirements(env, legacy_image=False)
    except RequirementError:
        return None
    for one in found:
        try:
            requirements.check([_without_brands(one) if refused else one], facts, [])
        except RequirementError:
            return one
    return None


def _without_brands(one: Requirement) -> Requirement:
    plain = tuple(terms for terms in one.alternatives if all(name != "brand" for name, _, _ in terms))
    return msgspec.structs.replace(one, alternatives=plain) if plain else one


def _first(one: Requirement) -> str:
    return ",".join("".join(term) for term in one.alternatives[0])


def _wanted(one: Requirement) -> str:
    terms = (term for terms in one.alternatives[:1] for term in terms)
    return next((value for name, operator, value in terms if name == "cuda" and ">" in operator), "")


RULE = Rule(id="D-IMAGE-3", link="image", severity="error", look=_look)
