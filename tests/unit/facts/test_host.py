import os

import pytest

from linkspan.errors import HostError
from linkspan.facts.host import LiveHost, Search, glob, hops, survey, text
from linkspan.facts.model import Link
from tests import hosts


def test_an_absolute_link_leads_to_a_place_below_the_root(tmp_path):
    hosts.make(tmp_path, {"/real/file": "inside", "/link": "-> /real/file"})
    host = LiveHost(str(tmp_path))
    assert host.real("/link") == "/real/file"
    assert text(host, "/link") == "inside"


def test_dots_stop_at_the_root(tmp_path):
    hosts.make(tmp_path / "root", {"/file": "inside", "/a/link": "-> ../../../../file"})
    hosts.make(tmp_path, {"/file": "outside"})
    host = LiveHost(str(tmp_path / "root"))
    assert host.real("/a/link") == "/file"
    assert text(host, "/../file") == "inside"


def test_a_linked_folder_is_followed_on_the_way(tmp_path):
    hosts.make(tmp_path, {"/usr/lib/x": "content", "/lib": "-> usr/lib"})
    host = LiveHost(str(tmp_path))
    assert host.real("/lib/x") == "/usr/lib/x"
    assert host.names("/lib") == ["x"]
    status = host.status("/lib/x")
    assert status is not None
    assert status.kind == "file"


def test_what_leads_nowhere_is_absent(tmp_path):
    hosts.make(tmp_path, {"/dangling": "-> gone", "/loop": "-> loop", "/file": ""})
    host = LiveHost(str(tmp_path))
    for path in ("/dangling", "/loop", "/gone", "/file/below"):
        assert host.real(path) is None
        assert host.read(path) is None
        assert host.names(path) == []
        assert host.size(path) == 0
    assert host.status("/file/below") is None
    assert host.link("/gone/link") is None


def test_only_regular_files_are_read(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    assert LiveHost(str(tmp_path)).read("/pipe") is None
    assert LiveHost(str(tmp_path)).read("/") is None


def test_a_part_of_a_file_is_read(tmp_path):
    hosts.make(tmp_path, {"/file": "0123456789"})
    host = LiveHost(str(tmp_path))
    assert host.read("/file", 2, 3) == b"234"
    assert host.read("/file", 8, 100) == b"89"
    assert host.size("/file") == 10


def test_a_text_with_broken_utf_8_is_still_a_text(tmp_path):
    hosts.make(tmp_path, {"/file": b"a\xff"})
    assert text(LiveHost(str(tmp_path)), "/file") == "a\ufffd"


def test_a_pattern_may_stand_for_folders_and_names(tmp_path):
    hosts.make(tmp_path, {"/d/one/a.so": "", "/d/two/a.so": "", "/d/two/b": ""})
    host = LiveHost(str(tmp_path))
    assert glob(host, "/d/*/a.so") == ["/d/one/a.so", "/d/two/a.so"]
    assert glob(host, "/d/two/b") == ["/d/two/b"]
    assert glob(host, "/d/three/*") == []


def test_hops_keep_the_text_of_every_link(tmp_path):
    hosts.make(tmp_path, {"/c/file": "", "/c/up": "-> ../c/file", "/b": "-> /c", "/a": "-> b/up"})
    assert hops(LiveHost(str(tmp_path)), "/a") == (
        Link(path="/a", target="b/up"),
        Link(path="/b/up", target="../c/file"),
    )


def test_hops_of_a_loop_end(tmp_path):
    hosts.make(tmp_path, {"/loop": "-> loop"})
    assert len(hops(LiveHost(str(tmp_path)), "/loop")) == 40


def test_a_root_that_is_no_folder_is_refused_with_the_option_that_names_it(tmp_path):
    hosts.make(tmp_path, {"/file": ""})
    with pytest.raises(HostError, match="file is not a folder; --driver-root takes"):
        survey(Search(root=f"{tmp_path}/file"))
    with pytest.raises(HostError, match="gone is not a folder; --dev-root takes"):
        survey(Search(root=str(tmp_path), dev_root=f"{tmp_path}/gone"))


def test_nodes_and_kernel_are_read_below_a_root_that_has_them(tmp_path):
    hosts.make(tmp_path / "full", {"/dev/null": "", "/proc/devices": "Character devices:\n"})
    full = survey(Search(root=f"{tmp_path}/full"))
    assert (full.nodes.root, full.kernel.root) == (f"{tmp_path}/full", f"{tmp_path}/full")
    hosts.make(tmp_path / "bare", {"/usr/lib/x": ""})
    bare = survey(Search(root=f"{tmp_path}/bare/"))
    assert (bare.files.root, bare.nodes.root, bare.kernel.root) == (f"{tmp_path}/bare", "", "")
    apart = survey(Search(root=f"{tmp_path}/bare", dev_root=f"{tmp_path}/full"))
    assert apart.nodes.root == f"{tmp_path}/full"
