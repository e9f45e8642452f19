"""What a container asks for and what it is given, as frozen data."""

from typing import Literal

from linkspan.facts.model import DeviceNode, Link, Model

Capability = Literal["compat32", "compute", "display", "graphics", "ngx", "utility", "video"]
CAPABILITIES: tuple[Capability, ...] = ("compat32", "compute", "display", "graphics", "ngx", "utility", "video")
"""Every driver capability there is, in the order in which the toolkit lists them."""

Gate = Literal["gds", "mofed", "gdrcopy", "nvswitch"]
GATES: tuple[Gate, ...] = ("gds", "mofed", "gdrcopy", "nvswitch")
"""What ``NVIDIA_GDS=enabled`` and its like switch on, in the order of application."""


class Policy(Model, frozen=True, kw_only=True):
    """The switches that a configuration may set, as far as deciding needs them (contract 1.2).

    ``compat_root`` replaces the folder of CUDA's compatibility libraries in containers on Tegra (contract 5.6).
    ``features`` and ``disabled_hooks`` are the toolkit's names (contract 5.9 and 5.1), see ``plan.switches``.
    """

    mode: Literal["auto", "legacy", "csv", "cdi", "jit-cdi"] = "auto"
    default_kind: str = "nvidia.com/gpu"
    annotation_prefixes: tuple[str, ...] = ("cdi.k8s.io/",)
    swarm_resources: tuple[str, ...] = ()
    env_when_unprivileged: bool = True
    volume_mounts: bool = False
    supported_capabilities: tuple[Capability, ...] = CAPABILITIES
    disable_require: bool = False
    ignore_imex: bool = False
    cuda_compat_mode: Literal["disabled", "hook", "ldconfig", "mount"] = "ldconfig"
    additional_gids: bool = True
    compat_root: str = ""
    features: tuple[str, ...] = ()
    disabled_hooks: tuple[str, ...] = ()


class ContainerView(Model, frozen=True, kw_only=True):
    """The part of a container's configuration that may hold a request.

    ``env`` is the process's list of ``K=V`` as it stands; ``mounts`` are (source, destination) pairs; ``privileged``
    means CAP_SYS_ADMIN in the bounding set.
    """

    env: tuple[str, ...] = ()
    annotations: dict[str, str] = {}
    mounts: tuple[tuple[str, str], ...] = ()
    privileged: bool = False


class Requirement(Model, frozen=True, kw_only=True):
    """One ``NVIDIA_REQUIRE_*`` variable: any one of ``alternatives`` will do, each of them a list of terms to hold.

    A term is (property, operator, value), such as ``("cuda", ">=", "12.4")``.
    """

    variable: str
    text: str
    alternatives: tuple[tuple[tuple[str, str, str], ...], ...]


class DeviceRequest(Model, frozen=True, kw_only=True):
    """What a container asked for, from whatever source, in one spelling.

    ``devices`` are plain ids in the order asked, without repeats: ``all`` or ``none`` stand alone. ``cdi_devices`` are
    qualified names. Both empty means: this container is none of our business. ``source`` says where the request
    stood, for people; ``refused`` says why a request that stood there does not count. ``capabilities`` is None where
    nothing was said.
    """

    devices: tuple[str, ...] = ()
    cdi_devices: tuple[str, ...] = ()
    source: str = ""
    capabilities: tuple[Capability, ...] | None = None
    requirements: tuple[Requirement, ...] = ()
    imex_channels: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    csv_all: bool = False
    mig_config: str = ""
    mig_monitor: str = ""
    legacy_image: bool = False
    refused: str = ""

    @property
    def empty(self) -> bool:
        """True where the container is to be left as it is."""
        return not (self.devices or self.cdi_devices)


class Mount(Model, frozen=True, kw_only=True):
    """A bind mount; ``options`` as the OCI runtime takes them."""

    host_path: str
    container_path: str
    options: tuple[str, ...] = ("ro", "nosuid", "nodev", "rbind", "rprivate")


class Loadable(Model, frozen=True, kw_only=True):
    """A name that the container's loader has to find: ``path`` is its full path in the container."""

    path: str
    bits: Literal[32, 64] = 64


class Injection(Model, frozen=True, kw_only=True):
    """All that is carried across for one request: the answer of ``plan``, the input of ``emit``.

    ``links`` are made in the container (``Link.path`` there, ``Link.target`` verbatim). ``loadables`` go into its
    loader cache, their folders into its loader configuration. ``driver_version`` is what the container's own CUDA
    compatibility libraries are compared with (empty: no comparison is made), ``cuda_version`` likewise on Tegra.
    """

    devices: tuple[DeviceNode, ...] = ()
    mounts: tuple[Mount, ...] = ()
    links: tuple[Link, ...] = ()
    loadables: tuple[Loadable, ...] = ()
    env: tuple[str, ...] = ()
    gids: tuple[int, ...] = ()
    driver_version: str = ""
    cuda_version: str = ""
    compat_root: str = ""
    mask_params: bool = False
    application_profile: bool = False

    @property
    def folders(self) -> tuple[str, ...]:
        """The folders of the loadables, each once, in order."""
        return tuple(dict.fromkeys(item.path.rpartition("/")[0] for item in self.loadables))


class CdiDevice(Model, frozen=True, kw_only=True):
    """One device of a CDI spec to be: its name and what it alone adds."""

    name: str
    edits: Injection
    annotations: dict[str, str] = {}


class CdiPlan(Model, frozen=True, kw_only=True):
    """A CDI spec to be: the devices, and what every one of them shares."""

    kind: str
    devices: tuple[CdiDevice, ...]
    common: Injection
