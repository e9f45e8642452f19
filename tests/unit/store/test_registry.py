import json
import os

import pytest

from linkspan.emit import cdi_origin
from linkspan.emit.cdi import to_yaml
from linkspan.errors import DeviceNotFound, StaleError
from linkspan.facts.model import Stamp
from linkspan.kernel import stamps
from linkspan.store.registry import LostHook, load, lost_hooks


def spec(*names, kind="nvidia.com/gpu", common=None):
    """A spec whose devices each set a variable of their own name."""
    devices = [{"name": name, "containerEdits": {"env": [f"DEVICE={name}"]}} for name in names]
    return {"cdiVersion": "0.5.0", "kind": kind, "devices": devices} | ({"containerEdits": common} if common else {})


def write(path, document, origin=None):
    path.parent.mkdir(exist_ok=True)
    remark = cdi_origin.remark(origin) if origin else ""
    path.write_text(json.dumps(document) if path.suffix == ".json" else to_yaml(document, remark))
    return str(path)


def edits_of(folders, *names):
    return [edits["env"][0] for edits in load(folders).resolve(names).edits]


def test_folders_that_do_not_exist_hold_no_devices(tmp_path):
    registry = load([str(tmp_path / "a"), str(tmp_path / "b")])
    assert registry.devices == registry.conflicts == registry.broken == {}


def test_devices_are_known_by_qualified_name_from_yaml_and_json(tmp_path):
    write(tmp_path / "cdi/a.yaml", spec("0"))
    write(tmp_path / "cdi/b.json", spec("x", kind="v.com/c"))
    assert list(load([str(tmp_path / "cdi")]).devices) == ["nvidia.com/gpu=0", "v.com/c=x"]


def test_other_files_and_folders_below_are_not_looked_at(tmp_path):
    write(tmp_path / "cdi/a.yaml", spec("0"))
    write(tmp_path / "cdi/below/b.yaml", spec("1"))
    write(tmp_path / "cdi/c.yml", spec("2"))
    (tmp_path / "cdi/folder.yaml").mkdir()
    os.mkfifo(tmp_path / "cdi/fifo.yaml")
    registry = load([str(tmp_path / "cdi")])
    assert list(registry.devices) == ["nvidia.com/gpu=0"]
    assert registry.broken == {}


def test_a_later_folder_wins(tmp_path):
    write(tmp_path / "low/a.yaml", spec("0", "1"))
    high = write(tmp_path / "high/b.yaml", spec("0"))
    registry = load([str(tmp_path / "low"), str(tmp_path / "high")])
    assert registry.devices["nvidia.com/gpu=0"].spec.path == high
    assert registry.conflicts == {}
    assert len(registry.devices) == 2


def test_a_device_that_two_files_of_a_folder_define_is_dropped_and_both_are_named(tmp_path):
    one = write(tmp_path / "cdi/a.yaml", spec("0", "1"))
    two = write(tmp_path / "cdi/b.yaml", spec("0"))
    registry = load([str(tmp_path / "cdi")])
    assert list(registry.devices) == ["nvidia.com/gpu=1"]
    assert registry.conflicts == {"nvidia.com/gpu=0": (one, two)}
    assert list(registry.warnings()) == [f"nvidia.com/gpu=0 is defined by {one} and {two}, so engines use neither"]
    with pytest.raises(DeviceNotFound, match=f"is defined by {one} and {two}, and neither counts"):
        registry.resolve(["nvidia.com/gpu=0"])


def test_a_broken_file_is_left_out_with_the_reason(tmp_path):
    write(tmp_path / "cdi/a.yaml", spec("0"))
    broken = write(tmp_path / "cdi/b.yaml", spec("1") | {"kind": "x", "more": "y"})
    os.symlink("nowhere", tmp_path / "cdi/c.json")
    registry = load([str(tmp_path / "cdi")])
    assert list(registry.devices) == ["nvidia.com/gpu=0"]
    assert registry.broken == {
        broken: f"{broken}:3: kind is 'x', not VENDOR/CLASS (and 1 more)",
        f"{tmp_path}/cdi/c.json": f"{tmp_path}/cdi/c.json: the spec cannot be read: no such file or directory",
    }
    assert list(registry.warnings()) == [f"left out: {reason}" for reason in registry.broken.values()]


def test_a_folder_that_is_none_is_broken(tmp_path):
    (tmp_path / "cdi").write_text("")
    place = str(tmp_path / "cdi")
    assert load([place]).broken == {place: f"{place}: the folder cannot be read: not a directory"}


def test_names_resolve_in_their_order_each_once(tmp_path):
    write(tmp_path / "a.yaml", spec("0", "1", "2"))
    names = ["nvidia.com/gpu=2", "nvidia.com/gpu=0", "nvidia.com/gpu=2"]
    assert edits_of([str(tmp_path)], *names) == ["DEVICE=2", "DEVICE=0"]


def test_the_edits_of_a_spec_come_where_it_is_first_met(tmp_path):
    write(tmp_path / "a.yaml", spec("0", "1", common={"env": ["SPEC=a"]}))
    write(tmp_path / "b.yaml", spec("x", kind="v/c", common={"env": ["SPEC=b"]}))
    names = ["nvidia.com/gpu=0", "v/c=x", "nvidia.com/gpu=1"]
    assert edits_of([str(tmp_path)], *names) == ["SPEC=a", "DEVICE=0", "SPEC=b", "DEVICE=x", "DEVICE=1"]


def test_nothing_asked_for_is_nothing(tmp_path):
    assert load([str(tmp_path)]).resolve([]).edits == ()


def test_an_unknown_device_is_refused_with_what_is_odd_in_the_folders(tmp_path):
    broken = write(tmp_path / "a.yaml", {"kind": "a/b"})
    with pytest.raises(DeviceNotFound) as caught:
        load([str(tmp_path)]).resolve(["nvidia.com/gpu=0", "nvidia.com/gpu=1", "all"])
    message = caught.value.message
    assert message.startswith(f"nvidia.com/gpu=0, nvidia.com/gpu=1, all are in no CDI spec below {tmp_path} (")
    assert "all is not VENDOR/CLASS=DEVICE" in message
    assert f"left out: {broken}:2: cdiVersion is missing" in message
    assert "cdi list" in caught.value.hint


def test_what_was_read_is_stamped_so_that_changes_are_seen(tmp_path):
    write(tmp_path / "there/a.yaml", spec("0"))
    resolution = load([str(tmp_path / "gone"), str(tmp_path / "there")]).resolve(["nvidia.com/gpu=0"])
    kinds = [(stamp.kind, stamp.path.removeprefix(f"{tmp_path}/")) for stamp in resolution.stamps]
    assert kinds == [("absent", "gone"), ("file", "there"), ("file", "there/a.yaml")]

    def stale():
        return stamps.stale((stamp.kind, stamp.path, stamp.value) for stamp in resolution.stamps)

    assert stale() is None
    write(tmp_path / "gone/b.yaml", spec("1"))
    assert stale() == ("absent", f"{tmp_path}/gone", "")


def made_of(path):
    stamp = Stamp(kind="file", path=str(path), value=stamps.take("file", str(path)))
    return cdi_origin.Origin(driver="550.1", stamps=(stamp,))


def test_a_spec_of_ours_is_used_while_what_it_was_made_from_is_there(tmp_path):
    library = tmp_path / "libcuda.so.1"
    library.write_text("old")
    path = write(tmp_path / "cdi/a.yaml", spec("0"), made_of(library))
    registry = load([str(tmp_path / "cdi")])
    assert registry.resolve(["nvidia.com/gpu=0"]).stamps[-1].path == str(library)
    library.write_text("another")
    with pytest.raises(StaleError, match=f"the CDI spec {path} was made before {library} changed") as caught:
        registry.resolve(["nvidia.com/gpu=0"])
    assert "cdi refresh" in caught.value.hint


def test_specs_whose_hooks_start_nothing_are_found(tmp_path):
    def hook(path):
        return {"hooks": [{"hookName": "createContainer", "path": str(path)}]}

    (tmp_path / "nvidia-ctk").touch()
    lost = write(tmp_path / "cdi/a.yaml", spec("0", common=hook("/nowhere/nvidia-cdi-hook")))
    write(tmp_path / "cdi/b.yaml", spec("1", kind="v.com/c", common=hook(tmp_path / "nvidia-ctk")))
    write(tmp_path / "cdi/c.yaml", spec("2", kind="v.com/d", common=hook("/nowhere/hook-of-v")))
    found = lost_hooks(load([str(tmp_path / "cdi")]))
    assert found == {lost: LostHook(program="/nowhere/nvidia-cdi-hook", kind="nvidia.com/gpu")}
