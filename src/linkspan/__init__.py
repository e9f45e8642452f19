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
    from linkspan.errors import LinkspanError

__all__ = [
    "DeviceRequest",
    "HostFacts",
    "Injection",
    "LinkspanError",
    "Policy",
    "cdi_spec",
    "devices",
    "inject",
    "injection",
    "load_facts",
    "look",
    "read_policy",
    "read_request",
    "request",
]


def __getattr__(name: str) -> object:
    """A name of the library, on its first use."""
    if name in __all__:
        from linkspan import api, errors

        return getattr(errors if name == "LinkspanError" else api, name)
    raise AttributeError(f"module 'linkspan' has no attribute {name!r}")
