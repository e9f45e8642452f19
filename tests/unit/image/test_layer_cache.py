import os

import pytest

from linkspan.errors import FormatError
from linkspan.image.access import Access
from linkspan.image.layer_cache import LayerCache, default_folder
from linkspan.image.source import open_image
from linkspan.sim import elfwriter
from tests.unit.image import writer

TREES = (
    {"lib": writer.link("usr/lib"), "lib/a.so": elfwriter.shared_object("a.so.1"), "../out": "x", "b": "1"},
    {".wh.b": "", "c": writer.hard_link("lib/a.so"), "etc/os-release": "ID=a\n"},
)


@pytest.fixture
def layout(tmp_path):
    return writer.write_layout(f"{tmp_path}/image", [writer.layer(tree) for tree in TREES])


def _blobs(layout):
    return [f"{layout}/{writer.blob_name(writer.layer(tree).blob)}" for tree in TREES]


def test_a_second_run_finds_the_same_without_reading_a_layer(tmp_path, layout):
    cache = LayerCache(f"{tmp_path}/a/cache")
    first = open_image(layout, Access(cache=cache))
    for blob in _blobs(layout):
        with open(blob, "r+b") as file:
            file.write(b"broken")
    second = open_image(layout, Access(cache=cache))
    assert first.refused
    assert (second.entries, second.hidden, second.refused) == (first.entries, first.hidden, first.refused)
    assert second.layers == first.layers
    with pytest.raises(FormatError):
        open_image(layout)


def test_nobody_else_can_look_into_the_cache(tmp_path, layout):
    folder = f"{tmp_path}/cache"
    open_image(layout, Access(cache=LayerCache(folder)))
    assert os.stat(folder).st_mode & 0o777 == 0o700
    assert len(os.listdir(folder)) == 2
    assert all(os.stat(f"{folder}/{name}").st_mode & 0o777 == 0o600 for name in os.listdir(folder))


def test_a_folder_that_others_can_look_into_is_not_used(tmp_path, layout):
    folder = f"{tmp_path}/cache"
    os.mkdir(folder)
    os.chmod(folder, 0o755)
    assert open_image(layout, Access(cache=LayerCache(folder))).entries
    assert os.listdir(folder) == []


@pytest.mark.parametrize("data", [b"", b"\x81", b"\xc1" * 100, b"\x80"])
def test_a_broken_file_in_the_cache_is_as_none(tmp_path, layout, data):
    folder = f"{tmp_path}/cache"
    first = open_image(layout, Access(cache=LayerCache(folder)))
    for name in os.listdir(folder):
        with open(f"{folder}/{name}", "wb") as file:
            file.write(data)
    assert open_image(layout, Access(cache=LayerCache(folder))).entries == first.entries


def test_a_layer_that_is_not_the_one_that_is_named_is_not_kept(tmp_path):
    layers = [writer.layer({"a": "1"})._replace(diff_id=writer.digest(b"other"))]
    path = writer.write_layout(f"{tmp_path}/image", layers)
    with pytest.raises(FormatError):
        open_image(path, Access(cache=LayerCache(f"{tmp_path}/cache")))
    assert not os.path.exists(f"{tmp_path}/cache")


def test_a_cache_that_cannot_be_written_is_no_reason_to_fail(tmp_path, layout):
    (tmp_path / "file").write_text("")
    assert open_image(layout, Access(cache=LayerCache(f"{tmp_path}/file/cache"))).entries


def test_layers_are_kept_where_the_user_keeps_caches(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "/caches")
    assert default_folder() == "/caches/linkspan/layers"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.setenv("HOME", "/home/a")
    assert default_folder() == "/home/a/.cache/linkspan/layers"
