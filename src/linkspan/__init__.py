"""linkspan gives containers their GPUs, and tells people why when it does not work.

The host owns the driver and the devices; the image owns the CUDA runtime and the application; linkspan carries
across what was asked for, and nothing else. This file imports nothing, because importing any part of the package
runs it, the start path included: the names of the library (``linkspan.api``) are fetched when they are asked for.
"""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from linkspan.api import (
        DeviceRequest,
        HostFacts,
        Injection,
        Policy,
        cdi_spec,
        devices,
        inject,
        injection,
        load_facts,
        look,
        read_policy,
        read_request,
        request,
    )
    from linkspan.api.images import (
        Admission,
        Finding,
        Image,
        ImagePolicy,
        ImageTarget,
        Judged,
        admit,
        as_document,
        check_image,
        image_policy,
        image_target,
        open_image,
    )
    from linkspan.errors import LinkspanError

__all__ = [
    "Admission",
    "DeviceRequest",
    "Finding",
    "HostFacts",
    "Image",
    "ImagePolicy",
    "ImageTarget",
    "Injection",
    "Judged",
    "LinkspanError",
    "Policy",
    "admit",
    "as_document",
    "cdi_spec",
    "check_image",
    "devices",
    "image_policy",
    "image_target",
    "inject",
    "injection",
    "load_facts",
    "look",
    "open_image",
    "read_policy",
    "read_request",
    "request",
]

# A scheduler that places containers does not load the rules for images.
_OF_IMAGES = frozenset(
    (
        *("Admission", "Finding", "Image", "ImagePolicy", "ImageTarget", "Judged"),
        *("admit", "as_document", "check_image", "image_policy", "image_target", "open_image"),
    )
)


def __getattr__(name: str) -> object:
    """A name of the library, on its first use."""
    if name == "LinkspanError":
        from linkspan import errors

        return errors.LinkspanError
    if name in __all__:
        from importlib import import_module

        return getattr(import_module(f"linkspan.api{'.images' if name in _OF_IMAGES else ''}"), name)
    raise AttributeError(f"module 'linkspan' has no attribute {name!r}")
