from xml.etree import ElementTree

import pytest

from linkspan.check import exchange
from linkspan.check.exchange import Case


@pytest.mark.parametrize("text", ["\x00\x1b[2J", "\ud800", "\ufffe\uffff", "a\nb\tc", "\U0001f6a2 <&\"'>", "]]>"])
def test_whatever_stands_in_a_text_the_suite_can_be_read(text):
    made = exchange.junit_suite("s", [Case(text, text, [(text, text)], [text], text, text)])
    (case,) = ElementTree.fromstring(made.encode())
    assert case.get("name") == exchange.clean(text)
    assert case.findtext("system-out") == exchange.clean(text)


def test_a_suite_counts_cases_not_faults():
    cases = [
        Case("a", "g", [("x", "x"), ("y", "y")]),
        Case("b", "g", error="why"),
        Case("c", "g", skipped="off"),
        Case("d", "g"),
    ]
    suite = ElementTree.fromstring(exchange.junit_suite("s", cases))
    counts = [suite.get(name) for name in ("tests", "failures", "errors", "skipped")]
    assert counts == ["4", "1", "1", "1"]


def test_what_could_not_be_judged_makes_a_run_unsuccessful_and_an_odd_configuration_does_not():
    failed = exchange.sarif_log("t", [], [], ["no answer"])["runs"][0]["invocations"][0]
    odd = exchange.sarif_log("t", [], [], odd=["old entry"])["runs"][0]["invocations"][0]
    assert (failed["executionSuccessful"], odd["executionSuccessful"]) == (False, True)
    assert odd["toolConfigurationNotifications"][0]["message"]["text"] == "old entry"


@pytest.mark.parametrize(
    ("path", "uri"),
    [
        ("/usr/lib/a b#c", "usr/lib/a%20b%23c"),
        ("//evil.example/x", "evil.example/x"),
        ("/\udcff", "%5Cudcff"),
        ("/a:b", "a%3Ab"),
    ],
)
def test_a_path_of_an_image_is_a_relative_uri_and_nothing_else(path, uri):
    assert exchange.relative_uri(path) == uri
