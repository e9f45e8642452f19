"""Which mount a descriptor is on, and how that mount spreads what is mounted on it."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    Rows = dict[bytes, list[bytes]]


def of(fd: int) -> bytes:
    """The number of the mount that a descriptor is on, as mountinfo has it."""
    return _read(f"/proc/self/fdinfo/{fd}").partition(b"mnt_id:")[2].split()[0]


def rows() -> "Rows":
    """The lines of mountinfo of the mount namespace that we are in, split, by the number of the mount."""
    lines = [line.split(b" ") for line in _read("/proc/self/mountinfo").splitlines()]
    return {line[0]: line for line in lines if b"-" in line}


def place(row: "list[bytes]") -> bytes:
    """Where it is mounted."""
    return row[4]


def kind(row: "list[bytes]") -> bytes:
    """The type of its file system."""
    return row[row.index(b"-") + 1]


def is_shared(row: "list[bytes]") -> bool:
    """Whether what is mounted on it appears elsewhere too, such as on the host."""
    return any(field.startswith(b"shared:") for field in row[6 : row.index(b"-")])


def spreads(fd: int) -> bool:
    """Whether what is mounted over a descriptor's place appears elsewhere too, as it may where nothing is known."""
    row = rows().get(of(fd))
    return row is None or is_shared(row)


def _read(path: str) -> bytes:
    with open(path, "rb", buffering=0) as file:
        return file.read()
