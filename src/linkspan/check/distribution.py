"""Which distribution a host is, and how a package of the GPU stack is installed there.

Where the table of names has none, there is no command.
"""

import shlex

from linkspan.check.package_names import PACKAGES, Family, Purpose
from linkspan.facts.host import HostReader, text
from linkspan.facts.model import Model

__all__ = ["Distribution", "Family", "Purpose", "install_command", "installer", "packages", "read", "remover"]


class Distribution(Model, frozen=True, kw_only=True):
    """A host's distribution.

    ``id`` is its own, in small letters; an edition that is replaced as a whole has its edition's (``fedora-coreos``,
    ``silverblue``). ``version`` is that of the family: ``24.04`` for a Linux Mint made from it, empty for one that has
    none (Debian's testing and unstable). ``name`` is for people.
    """

    id: str
    family: Family
    version: str
    name: str
    codename: str

    @property
    def major(self) -> int:
        """The first number of the version, 0 where there is none."""
        first = self.version.partition(".")[0]
        return int(first) if first.isdecimal() else 0


def read(host: HostReader) -> Distribution:
    """The distribution of the host; one without an os-release is of no known family."""
    fields = _fields(text(host, "/etc/os-release") or text(host, "/usr/lib/os-release") or "")
    own = fields.get("ID", "linux").lower()
    family = _family(host, own, fields)
    codename = _codename(family, fields)
    return Distribution(
        id=_edition(own, fields) if family == "image" else own,
        family=family,
        version=_version(family, own, codename, fields),
        name=fields.get("PRETTY_NAME") or fields.get("NAME") or "a Linux without an os-release",
        codename=codename,
    )


def _fields(release: str) -> dict[str, str]:
    """The variables of an os-release; its values are quoted as a shell would have them (os-release(5))."""
    pairs = (line.strip().split("=", 1) for line in release.splitlines() if "=" in line and line.strip()[:1] != "#")
    return {name: _unquoted(value) for name, value in pairs}


def _unquoted(value: str) -> str:
    try:
        return "".join(shlex.split(value))
    except ValueError:  # a quote that does not end
        return value.strip("\"'")


_FAMILIES: dict[str, Family] = {
    "debian": "debian",
    "ubuntu": "ubuntu",
    "rhel": "rhel",
    "centos": "rhel",
    "rocky": "rhel",
    "almalinux": "rhel",
    "ol": "rhel",
    "fedora": "fedora",
    "sles": "suse",
    "sled": "suse",
    "suse": "suse",
    "opensuse": "suse",
    "amzn": "amazon",
}
_IMAGES = frozenset(
    {
        "cos",
        "bottlerocket",
        "talos",
        "flatcar",
        "nixos",
        "rhcos",
        "ubuntu-core",
        "bluefin",
        "bazzite",
        "aurora",
        "silverblue",
        "kinoite",
        "sle-micro",
        "sl-micro",
        "opensuse-microos",
        "opensuse-leap-micro",
        "opensuse-aeon",
    }
)
_EDITIONS = (
    "coreos",
    "silverblue",
    "kinoite",
    "sericea",
    "onyx",
    "iot",
    "cosmic-atomic",
    "sway-atomic",
    "budgie-atomic",
)
"""VARIANT_ID of the editions that rpm-ostree updates as a whole."""
_OSTREE = "/run/ostree-booted"
"""Made by ostree-prepare-root on every system that it has started (ostree-prepare-root(1))."""


def _family(host: HostReader, own: str, fields: dict[str, str]) -> Family:
    if own in _IMAGES or fields.get("VARIANT_ID", "") in _EDITIONS or host.status(_OSTREE):
        return "image"
    if own in _FAMILIES:
        return _FAMILIES[own]
    like = fields.get("ID_LIKE", "").split()  # the nearest relative first (os-release(5))
    if own.startswith("opensuse"):
        return "suse"
    if "UBUNTU_CODENAME" in fields:  # whatever else it says it is like: its packages are Ubuntu's
        return "ubuntu"
    return next((_FAMILIES[name] for name in like if name in _FAMILIES), "other")


def _edition(own: str, fields: dict[str, str]) -> str:
    variant = fields.get("VARIANT_ID", "")
    return f"{own}-{variant}" if own in ("fedora", "rhel") and variant else own


_RELEASES = {
    "bullseye": "11",
    "bookworm": "12",
    "trixie": "13",
    "focal": "20.04",
    "jammy": "22.04",
    "noble": "24.04",
    "resolute": "26.04",
}
"""Of derivatives, which say their own version and their parent's code name (UBUNTU_CODENAME, DEBIAN_CODENAME)."""


def _codename(family: Family, fields: dict[str, str]) -> str:
    if family == "debian" and fields.get("PRETTY_NAME", "").endswith("/sid"):
        return "sid"  # testing says so, too: base-files of both is the same package
    parent = {"ubuntu": "UBUNTU_CODENAME", "debian": "DEBIAN_CODENAME"}.get(family, "")
    return fields.get(parent) or fields.get("VERSION_CODENAME", "")


def _version(family: Family, own: str, codename: str, fields: dict[str, str]) -> str:
    own_version = fields.get("VERSION_ID", "")
    return own_version if own in _FAMILIES else _RELEASES.get(codename, own_version)


def packages(distribution: Distribution, purpose: Purpose, *, kernel: str = "", branch: str = "") -> tuple[str, ...]:
    """The packages for a purpose, none where the distribution has none or what their names need is not given.

    ``kernel`` is the running kernel's release (``uname -r``), ``branch`` the driver's: ``580``, or ``580-server``.
    """
    pattern = PACKAGES.get(distribution.family, {}).get(purpose, "")
    if ("{kernel}" in pattern and not kernel) or (("{branch}" in pattern or "{number}" in pattern) and not branch):
        return ()
    number = branch.partition("-")[0]
    version, _, flavour = kernel.rpartition("-") if distribution.family == "suse" else (kernel, "", "")
    return tuple(pattern.format(kernel=version, flavour=flavour, branch=branch, number=number).split())


def install_command(distribution: Distribution, purpose: Purpose, *, kernel: str = "", branch: str = "") -> str:
    """The command that installs what a purpose needs, to be run as root; empty where there is none (``packages``)."""
    names = packages(distribution, purpose, kernel=kernel, branch=branch)
    return shlex.join([*installer(distribution), *names]) if names else ""


def installer(distribution: Distribution) -> tuple[str, ...]:
    """The program that installs packages, with its options; it asks nothing."""
    if distribution.family == "amazon" and distribution.version == "2":
        return ("yum", "install", "-y")
    return _INSTALLERS.get(distribution.family, ())


def remover(distribution: Distribution) -> tuple[str, ...]:
    """The program that removes packages, with its options; it asks nothing."""
    return tuple(_REMOVES.get(word, word) for word in installer(distribution))


_REMOVES = {"install": "remove"}
_INSTALLERS: dict[Family, tuple[str, ...]] = {
    "debian": ("apt-get", "install", "-y"),
    "ubuntu": ("apt-get", "install", "-y"),
    "rhel": ("dnf", "install", "-y"),
    "fedora": ("dnf", "install", "-y"),
    "amazon": ("dnf", "install", "-y"),
    "suse": ("zypper", "--non-interactive", "install"),
}
