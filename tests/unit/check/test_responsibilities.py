import pytest

from linkspan.check.boundary import PARTS
from linkspan.check.inventory import Inventory
from linkspan.check.pieces import Piece
from linkspan.check.responsibilities import Boundary, Subject, judge


def piece(part: str, path: str, **fields: str) -> Piece:
    return Piece(part=part, path=path, kind=fields.get("kind", "file"), whose=fields.get("whose", "image"))  # type: ignore[arg-type]


LIBCUDA = "/usr/lib/libcuda.so.550.1.2"


def table(kind: Subject, *pieces: Piece) -> Boundary:
    return judge("x", kind, Inventory(pieces, 3, ()))


def verdicts(kind: Subject, *pieces: Piece) -> dict[str, str]:
    return {row.key: row.verdict for row in table(kind, *pieces).rows}


def test_the_table_has_every_part_in_its_order():
    assert [row.key for row in table("folder").rows] == [part.key for part in PARTS]


@pytest.mark.parametrize("kind", ["folder", "bundle"])
def test_before_its_start_nothing_of_the_hosts_is_missing(kind):
    found = verdicts(kind)
    assert {found[part.key] for part in PARTS if part.owner != "image"} == {"right side"}
    assert {found[part.key] for part in PARTS if part.owner == "image"} == {"missing"}


def test_a_running_container_misses_what_was_not_brought_across():
    found = verdicts("container")
    assert [found[key] for key in ("gpu", "driver", "libcuda", "nvidia-smi")] == ["missing"] * 4
    assert [found[key] for key in ("module", "bridge")] == ["right side"] * 2


def test_a_mounted_driver_is_on_its_side_and_one_of_the_images_is_not():
    mounted = piece("libcuda", LIBCUDA, whose="host")
    assert verdicts("container", mounted)["libcuda"] == "right side"
    both = table("container", mounted, piece("libcuda", "/opt/libcuda.so.535.1.2"))
    row = next(row for row in both.rows if row.key == "libcuda")
    assert (row.verdict, row.wrong, len(row.found)) == ("wrong side", ("/opt/libcuda.so.535.1.2",), 2)
    assert not both.is_right


def test_what_only_goes_by_its_name_does_not_stand_for_the_part():
    stub, compat = (
        piece("libcuda", "/s/stubs/libcuda.so", kind="stub"),
        piece("libcuda", "/c/libcuda.so.1", kind="compat"),
    )
    assert verdicts("container", stub, compat)["libcuda"] == "missing"
    assert verdicts("folder", stub, compat)["libcuda"] == "right side"
    assert table("folder", stub, compat).is_right
