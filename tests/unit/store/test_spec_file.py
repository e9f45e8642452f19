import os
import stat

import pytest

from linkspan.emit.cdi_origin import Origin
from linkspan.errors import KernelError, SpecError
from linkspan.store import spec_file

SPEC = {
    "cdiVersion": "0.5.0",
    "kind": "nvidia.com/gpu",
    "devices": [{"name": "0", "containerEdits": {"env": ["A=b"]}}],
}


@pytest.mark.parametrize(
    ("output", "form", "expected"),
    [
        ("x.yaml", None, ("x.yaml", "yaml")),
        ("x.json", None, ("x.json", "json")),
        ("x.json", "yaml", ("x.json", "json")),
        ("x.yml", None, ("x.yml.yaml", "yaml")),
        ("x.d/spec", "json", ("x.d/spec.json", "json")),
        ("x.YAML", None, ("x.YAML.yaml", "yaml")),
    ],
)
def test_the_extension_decides_and_is_added_where_it_is_neither(output, form, expected):
    assert spec_file.place(output, form) == expected


def test_a_spec_is_written_with_its_origin_and_read_back(tmp_path):
    path = str(tmp_path / "new/folder/x.yaml")
    spec_file.write(path, spec_file.render(SPEC, "yaml", Origin(driver="550.1")))
    read = spec_file.read(path)
    assert read.document == SPEC
    assert read.problems == []
    assert read.origin == Origin(driver="550.1")
    assert stat.S_IMODE(os.stat(path).st_mode) == 0o644


def test_json_has_no_origin():
    assert spec_file.check("x", spec_file.render(SPEC, "json", Origin(driver="550.1"))).origin is None


def test_an_invalid_spec_is_never_rendered():
    with pytest.raises(SpecError, match="the spec would not be valid: devices holds no device"):
        spec_file.render(SPEC | {"devices": []}, "yaml")


def test_a_folder_in_the_place_of_the_file_is_refused(tmp_path):
    (tmp_path / "x.yaml").mkdir()
    with pytest.raises(KernelError, match="it is a folder"):
        spec_file.write(str(tmp_path / "x.yaml"), b"")
    assert os.listdir(tmp_path) == ["x.yaml"]


def test_a_file_in_the_place_of_the_folder_is_refused(tmp_path):
    (tmp_path / "x").write_text("")
    with pytest.raises(KernelError, match="cannot make the folder"):
        spec_file.write(str(tmp_path / "x/y.yaml"), b"")


def test_a_file_that_cannot_be_read_has_that_problem(tmp_path):
    for path, reason in ((tmp_path / "x.yaml", "no such file or directory"), (tmp_path, "is a directory")):
        assert spec_file.read(str(path)).first_problem == f"{path}: the spec cannot be read: {reason}"


def test_a_file_that_is_too_large_is_not_parsed():
    assert (
        spec_file.check("x", b"a" * (spec_file.SIZE_LIMIT + 1)).first_problem == "x:1: the spec is larger than 32 MiB"
    )


def test_problems_are_told_by_file_line_and_address():
    read = spec_file.check("x.yaml", b"cdiVersion: 0.3.0\nkind: a/b\ndevices:\n- name: x\n")
    assert read.document is None
    assert [spec_file.describe("x.yaml", problem) for problem in read.problems] == [
        "x.yaml:4: devices[0].containerEdits is empty: the device would add nothing to a container"
    ]
