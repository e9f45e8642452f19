"""JAX without its CUDA plugin, or with one of another version."""

import re
from collections.abc import Iterator

from linkspan.image.model import Image
from linkspan.image.registry import Broken, Rule, Target
from linkspan.image.stack import stack

_PLUGIN = re.compile(r"jax-cuda\d+-(plugin|pjrt)")


def _look(image: Image, _: Target) -> Iterator[Broken]:
    found = stack(image)
    for packages in found.sites.values():
        jaxlib = packages.get("jaxlib")
        plugins = [one for one in packages.values() if _PLUGIN.fullmatch(one.name)]
        if not jaxlib:
            continue
        # Until 0.4.29 jaxlib itself came with CUDA in it, and its version said so.
        if not plugins and found.is_cuda_image and "cuda" not in jaxlib.local:
            yield Broken(
                cause=f"jaxlib {jaxlib.version} is there without its CUDA plugin",
                fix=f"RUN pip install 'jax[cuda{max(found.majors, default=12)}]=={jaxlib.version}'",
                paths=(jaxlib.path,),
                severity="warning",
            )
        for plugin in plugins:
            if plugin.numbers[:3] != jaxlib.numbers[:3]:
                yield Broken(
                    cause=f"{plugin.name} is {plugin.version}, and jaxlib is {jaxlib.version}",
                    fix=f"RUN pip install '{plugin.name}=={jaxlib.version}'",
                    paths=(plugin.path, jaxlib.path),
                )


RULE = Rule(
    id="I-FRAMEWORK-5",
    title="JAX and its CUDA plugin do not fit",
    area="framework",
    severity="error",
    why="JAX leaves a plugin of another version aside, and computes on the processor with a warning at most.",
    look=_look,
)
