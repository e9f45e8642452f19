"""The way by which a distribution gets its driver: what the steps are filled with."""

import shlex
from collections.abc import Iterable

from linkspan.check import distribution
from linkspan.check.distribution import Distribution
from linkspan.facts.model import Model
from linkspan.setup.generations import OPEN_ADVISED_SINCE, Generation
from linkspan.setup.look import Look

CUDA = "https://developer.download.nvidia.com/compute/cuda/repos"
"""NVIDIA's repositories for the package managers, one a distribution and machine."""
DKMS_KEY = "/var/lib/dkms/mok.pub"
"""The key that DKMS makes, signs with, and wants enrolled (dkms(8), since version 3)."""


class Part(Model, frozen=True, kw_only=True):
    """Something that is there or is brought: commands that bring it, and take it back."""

    name: str
    done: bool
    commands: tuple[str, ...]
    undo: tuple[str, ...] = ()


class Way(Model, frozen=True, kw_only=True):
    """How one host gets its driver.

    ``sources`` are repositories and what belongs to them, ``headers`` and ``driver`` packages. ``install``
    stands in for the plain installation of ``driver`` where more is to be done. ``build`` builds the modules once more,
    where they are built on the host. ``key`` is the certificate
    of the key that modules are signed with on this host, which ``make_key`` makes; ``signed_by`` names who signs them
    before they come here. ``fabric`` installs Fabric Manager in the driver's version, ``persistence`` and ``nodes`` are
    packages that the driver does not bring along.
    """

    sentence: str
    sources: tuple[Part, ...] = ()
    headers: tuple[str, ...] = ()
    driver: tuple[str, ...]
    install: tuple[str, ...] = ()
    build: str = ""
    key: str = ""
    make_key: str = ""
    signed_by: str = ""
    fabric: tuple[str, ...] = ()
    fabric_package: str = ""
    persistence: str = ""
    nodes: str = ""


class NoWay(Exception):
    """A host that gets no plan; the sentence says why, and what to do."""


class Need(Model, frozen=True, kw_only=True):
    """What the GPUs of a host need together: a branch from ``first`` to ``last`` (0: no last one), open modules or not.

    ``is_open`` None: both kinds drive them, and the open ones are advised for branches of 560 and later.
    """

    first: int
    last: int
    is_open: bool | None
    names: str

    def fits(self, branch: int) -> bool:
        """Whether a branch knows all of the GPUs."""
        return self.first <= branch and (not self.last or branch <= self.last)

    def opened(self, branch: int) -> bool:
        """Whether open modules are to be taken of a branch."""
        return branch >= OPEN_ADVISED_SINCE if self.is_open is None else self.is_open


def need(generations: tuple[Generation, ...]) -> Need:
    """What these GPUs need. NoWay where no one driver knows them all."""
    first = max(one.first for one in generations)
    last = min((one.last for one in generations if one.last), default=0)
    kinds = {one.modules for one in generations}
    names = " and ".join(one.name for one in generations)
    if last and last < 470:
        raise NoWay(
            f"a GPU of this host is older than Kepler: {last} is its last driver branch, too old for containers"
        )
    if (last and last < first) or {"open", "proprietary"} <= kinds:
        raise NoWay(f"no driver knows all GPUs of this host ({names}): one of the kinds has to leave it")
    is_open = True if "open" in kinds else False if "proprietary" in kinds else None
    return Need(first=first, last=last, is_open=is_open, names=names)


def install(look: Look, names: Iterable[str], *options: str) -> str:
    """The command that installs packages; the shell leaves their names as they are."""
    return shlex.join([*distribution.installer(look.distribution), *options, *names])


def remove(found: Distribution, names: Iterable[str]) -> str:
    """The command that removes packages."""
    return shlex.join([*distribution.remover(found), *names])


def taken_back(look: Look, lacking: tuple[str, ...]) -> tuple[str, ...]:
    """The command that removes what was not there before; nothing where nobody can say what was."""
    return (remove(look.distribution, lacking),) if lacking and look.knows_packages else ()


def missing(look: Look, names: Iterable[str]) -> tuple[str, ...]:
    """Those of the packages that are not installed."""
    return tuple(name for name in names if not look.installed(name))


def modules(is_open: bool) -> str:
    """The kind of kernel modules, in words."""
    return "open" if is_open else "proprietary"


def kind(found: Need, is_open: bool) -> str:
    """Which kernel modules, and why."""
    if found.is_open is None:
        return f"with {modules(is_open)} kernel modules"
    only = "are driven by those alone" if is_open else "know no others"
    return f"with {modules(is_open)} kernel modules, since {found.names} GPUs {only}"
