"""ldconfig's configuration."""

import fnmatch

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.formats import ldconf


def test_folders_and_includes_are_told_apart() -> None:
    text = "# libc default\n/usr/local/lib\n\n  include /etc/ld.so.conf.d/*.conf\n\t/opt/lib/ # mine\n"
    assert ldconf.parse(text) == (["/usr/local/lib", "/opt/lib"], ["/etc/ld.so.conf.d/*.conf"])


def test_one_line_includes_several_patterns() -> None:
    assert ldconf.parse("include\ta.conf  /b/*.conf\n") == ([], ["a.conf", "/b/*.conf"])


def test_the_old_type_of_a_folder_is_left_out() -> None:
    assert ldconf.parse("/usr/lib/libc5-compat=libc5\n/\n")[0] == ["/usr/lib/libc5-compat", "/"]


@pytest.mark.parametrize("line", ["relative/lib", "hwcap 0 nosegneg", "includes /x", "include", "#/usr/lib", ""])
def test_what_is_neither_is_left_out(line: str) -> None:
    assert ldconf.parse(line) == ([], [])


@pytest.mark.parametrize(
    ("name", "pattern", "answer"),
    [
        ("cuda.conf", "*.conf", True),
        ("cuda.conf", "cuda.conf", True),
        ("cuda.conf~", "*.conf", False),
        (".hidden.conf", "*.conf", False),
        (".hidden.conf", ".*.conf", True),
        ("conf", "*.conf", False),
        ("a.b.c", "a*b*c", True),
        ("abc", "a*d*c", False),
        ("aba", "ab*ba", False),
        ("[x].conf", "[x].conf", True),
        ("x.conf", "[x].conf", False),
    ],
)
def test_a_pattern_of_stars_matches_as_the_shell_does(name: str, pattern: str, answer: bool) -> None:
    assert ldconf.matches(name, pattern) is answer


@settings(max_examples=300, deadline=None)
@given(st.text("ab.", max_size=8), st.text("ab.*", max_size=8))
def test_matching_agrees_with_the_standard_library(name: str, pattern: str) -> None:
    hidden = name.startswith(".") and not pattern.startswith(".")
    assert ldconf.matches(name, pattern) is (fnmatch.fnmatchcase(name, pattern) and not hidden)


@settings(deadline=None)
@given(st.text())
def test_any_text_is_followed(text: str) -> None:
    folders, patterns = ldconf.parse(text)
    assert all(folder.startswith("/") for folder in folders)
    assert all(patterns)
