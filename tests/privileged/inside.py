"""Questions asked from within a container, and the reading of the answers."""

import re
from collections.abc import Iterable

from tests.containers import Outcome

LIST_GPUS = ("nvidia-smi", "-L")

LIBRARIES = ("libcuda.so.1", "libnvidia-ml.so.1")

# Perl's loader module calls dlopen(3) with the name as it stands; /proc/self/maps then says where it was found.
_OPEN_BY_PERL = """\
for my $name (@ARGV) {
    DynaLoader::dl_load_file($name) or print "$name ", DynaLoader::dl_error() =~ /^(.*?) at -e/, "\\n" and next;
    my ($stem) = $name =~ /^(.*?\\.so)/;
    open my $maps, "<", "/proc/self/maps";
    my ($path) = map { m{(/\\S*/\\Q$stem\\E\\S*)$} ? $1 : () } <$maps>;
    print "$name $path\\n";
}
"""

LIST_GPU_FOLDERS = ("/bin/sh", "-c", "ls /proc/driver/nvidia/gpus; grep Modify /proc/driver/nvidia/params")
FOLDERS = [f"0000:{bus}:00.0" for bus in ("1a", "1b", "4a", "4b", "8a", "8b", "ca", "cb")]
"""The names in /proc/driver/nvidia/gpus of a simulated host with eight GPUs."""

# One node of each minor is made beside those that are there: what may be opened is for the device cgroup to say.
_OPEN_NODES = """\
for minor in 0 1 2 3 4 5 6 7; do mknod /dev/probe$minor c 195 $minor; done
exec perl -MErrno -MFcntl -e '
    for my $minor (0..7) {
        my $answer = sysopen(my $file, "/dev/probe$minor", O_RDWR) ? "opened" : (grep { $!{$_} } keys %!)[0];
        print "$minor $answer\\n";
    }'
"""


def open_libraries(*names: str, musl: bool = False) -> tuple[str, ...]:
    """The command that opens libraries by name, in an empty environment."""
    by_perl = ("/usr/bin/perl", "-MDynaLoader", "-e", _OPEN_BY_PERL)
    return ("/usr/bin/env", "-i", *by_perl, *names) if not musl else ("/bin/env", "-i", "/bin/dlopen", *names)


def open_nodes() -> tuple[str, ...]:
    """The command that tries to open the GPU nodes of minors 0 to 7."""
    return ("/bin/sh", "-c", _OPEN_NODES)


def answers(output: str) -> dict[str, str]:
    """Lines of ``question answer`` as a mapping."""
    return dict(line.split(" ", 1) for line in output.splitlines())


def assert_found(outcome: Outcome, *names: str) -> None:
    """What ``open_libraries`` answered: each of these libraries was opened, from some place."""
    found = answers(outcome.output)
    assert not [name for name in names if not found.get(name, "").startswith("/")], outcome


def uuids(output: str) -> list[str]:
    """The UUIDs in what ``nvidia-smi -L`` prints, in its order."""
    return re.findall(r"UUID: ([\w-]+)", output)


def gpu_uuids(indices: Iterable[int]) -> list[str]:
    """The UUIDs of simulated GPUs."""
    return [f"GPU-01000100-0000-0000-0000-{index:012x}" for index in indices]


def only_minors(allowed: Iterable[int]) -> dict[str, str]:
    """What ``open_nodes`` answers where these GPUs may be opened: without a driver a permitted open ends in ENXIO."""
    permitted = set(allowed)
    return {str(minor): "ENXIO" if minor in permitted else "EPERM" for minor in range(8)}
