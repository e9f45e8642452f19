import posixpath

from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.formats import pathnames

paths = st.lists(st.sampled_from(["a", "b.c", ".", "..", "", "...", " "]), max_size=8).map("/".join)


@settings(max_examples=300, deadline=None)
@given(paths)
def test_names_are_those_of_the_standard_library(path):
    assert pathnames.normal("/" + path) == posixpath.normpath("/" + path.lstrip("/"))
    assert pathnames.folder(path) == (posixpath.dirname(path).rstrip("/") or "/" * path.startswith("/"))
    assert pathnames.name(path) == posixpath.basename(path)
    assert posixpath.normpath(pathnames.join("base", path)) == posixpath.normpath(posixpath.join("base", path))


def test_nothing_lies_above_the_root():
    assert pathnames.normal("/../../etc/../etc") == "/etc"
