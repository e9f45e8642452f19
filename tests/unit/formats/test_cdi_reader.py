import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.formats import cdi_reader
from linkspan.formats.cdi_reader import read

SPEC = """\
---
cdiVersion: "0.5.0"
kind: example.com/thing
devices:
    - name: 0
      containerEdits:
        deviceNodes:
            - path: /dev/thing0
              major: 0x10
              minor: 010
              fileMode: 0666
              uid: 0o17
              gid: +8
"""


def told(text):
    data = text if isinstance(text, bytes) else text.encode()
    return [(problem.line, problem.address, problem.reason) for problem in read(data).problems]


def changed(old, new):
    assert old in SPEC
    return SPEC.replace(old, new)


def test_plain_scalars_are_numbers_only_where_a_field_holds_a_number():
    document, problems = read(SPEC.encode())
    assert problems == []
    assert document["devices"][0]["name"] == "0"
    assert document["devices"][0]["containerEdits"]["deviceNodes"] == [
        {"path": "/dev/thing0", "major": 16, "minor": 8, "fileMode": 0o666, "uid": 15, "gid": 8}
    ]


def test_numbers_with_a_leading_zero_and_an_8_or_9_are_decimal():
    document, _ = read(changed("minor: 010", "minor: 089").encode())
    assert document["devices"][0]["containerEdits"]["deviceNodes"][0]["minor"] == 89


def test_negative_numbers_are_read_so_that_they_can_be_refused():
    [(line, _, reason)] = told(changed("major: 0x10", "major: -1"))
    assert (line, reason[:5]) == (9, "is -1")


def test_quoted_numbers_are_text():
    [(_, address, reason)] = told(changed("major: 0x10", 'major: "16"'))
    assert (address[-5:], reason) == ("major", "is a text, not a whole number")


def test_truth_values_and_nulls_are_understood_where_they_belong():
    text = SPEC.replace("0.5.0", "1.1.0") + "containerEdits:\n  intelRdt: {enableMonitoring: True}\n  env: ~\n"
    document, problems = read(text.encode())
    assert problems == []
    assert document["containerEdits"] == {"intelRdt": {"enableMonitoring": True}, "env": None}


def test_numbers_in_lists_are_numbers():
    document, _ = read((SPEC.replace("0.5.0", "0.7.0") + "containerEdits: {additionalGids: [44, 0x10]}\n").encode())
    assert document["containerEdits"]["additionalGids"] == [44, 16]


@pytest.mark.parametrize(
    ("old", "new", "line", "address"),
    [
        ("kind: example.com/thing", "kind: thing", 3, "kind"),
        ("path: /dev/thing0", "path: ''", 8, "devices[0].containerEdits.deviceNodes[0].path"),
        ("              gid: +8", "              grid: 8", 13, "devices[0].containerEdits.deviceNodes[0].grid"),
        ("- path: /dev/thing0\n             ", "-", 8, "devices[0].containerEdits.deviceNodes[0].path"),
        ("- name: 0\n     ", "-", 5, "devices[0].name"),
    ],
)
def test_a_problem_has_its_line(old, new, line, address):
    [(found_line, found_address, _)] = told(changed(old, new))
    assert (found_line, found_address) == (line, address)


def test_problems_come_in_the_order_of_lines():
    text = SPEC.replace("kind: example.com/thing\n", "") + "kind: thing\nvendor: x\n"
    assert [line for line, *_ in told(text)] == [13, 14]


def test_a_field_that_is_there_twice_is_a_problem_in_both_syntaxes():
    assert told(SPEC + "kind: a/b\n") == [(14, "kind", "is there twice, first in line 3")]
    device = '{"name": "a", "containerEdits": {"env": ["A=b"]}}'
    text = f'{{"cdiVersion": "0.3.0",\n"kind": "a/b", "kind": "a/b",\n"devices": [{device}]}}'
    assert told(text) == [(2, "kind", "is there twice, first in line 2")]


def test_json_has_lines_too_with_tabs_and_escapes():
    text = '{\n\t"cdiVersion": "0.3.0",\n\t"kind": "a\\u002fb",\n\t"devices": [\n\t\t{"name": "a\\"{["}\n\t]\n}\n'
    assert [(line, address) for line, address, _ in told(text)] == [
        (5, "devices[0].name"),
        (5, "devices[0].containerEdits"),
    ]


def test_yaml_in_braces_is_read_as_yaml():
    document, problems = read(b"{cdiVersion: 0.3.0, kind: a/b, devices: [{name: a, containerEdits: {env: [A=b]}}],}")
    assert problems == []
    assert document["kind"] == "a/b"


def test_aliases_stand_for_what_they_name():
    text = SPEC + "containerEdits:\n  env: &e [&a A=b, *a]\n  hooks:\n  - {hookName: poststop, path: /x, env: *e}\n"
    document, problems = read(text.encode())
    assert problems == []
    assert document["containerEdits"]["hooks"][0]["env"] == ["A=b", "A=b"]


def test_what_aliases_expand_to_is_limited():
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]" for n in range(1, 12)]
    [(line, _, reason)] = told("\n".join(lines))
    assert (line, reason) == (6, f"holds more than {cdi_reader.VALUE_LIMIT} values")


def test_an_alias_of_what_surrounds_it_is_refused():
    assert told("a: &a [*a]") == [(1, "", "refers to *a before it is complete")]


@pytest.mark.parametrize(
    "text", ["[" * 1000, '{"a":' * 1000, "a: " + "[" * 40 + "]" * 40, '{"a":' * 40 + "1" + "}" * 40]
)
def test_nesting_is_limited(text):
    [(_, _, reason)] = told(text)
    assert reason == "is nested more than 32 levels deep"


@pytest.mark.parametrize(
    ("text", "line", "reason"),
    [
        (b"a: b\nc: \xff", 2, "is not UTF-8 text"),
        (b"a: b\n\tc: d", 2, "is not YAML: found character '\\t' that cannot start any token"),
        (b"a: [1,\n", 2, "is not YAML:"),
        (b"\x01", 1, "is not YAML: unacceptable character"),
        (b"a: b\n? [c]\n: d", 2, "has a mapping or list in place of a field's name"),
        (b"", 1, "is nothing, not a mapping"),
        (b"just words", 1, "is a text, not a mapping"),
        (b"*nowhere", 1, "refers to *nowhere before it is complete"),
    ],
)
def test_what_is_no_spec_at_all_is_one_problem_with_a_line(text, line, reason):
    [(found_line, address, found_reason)] = told(text)
    assert (found_line, address) == (line, "")
    assert found_reason.startswith(reason)


def test_a_second_document_is_a_problem():
    assert told(SPEC + "---\nkind: x\n") == [(14, "", "is followed by a second document, which engines ignore")]


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert read(b"\xef\xbb\xbf" + SPEC.encode()).problems == []


@given(st.binary(max_size=400))
@settings(max_examples=200, deadline=None)
def test_arbitrary_bytes_are_told_as_problems(data):
    assert read(data).problems


_YAML_PIECES = st.sampled_from(
    [*"{}[]:,&*-?!|>#\n\t '\"ab0~%@", "\n  ", ": ", "- ", "---\n", "&a ", "*a", "<<: ", "!!x "]
)


@given(st.lists(_YAML_PIECES, max_size=40).map("".join))
@settings(max_examples=200, deadline=None)
def test_odd_yaml_is_told_as_problems(text):
    assert read(text.encode()).problems


_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=15,
)


@given(st.dictionaries(st.sampled_from(["kind", "devices", "containerEdits", "x"]), _VALUES))
@settings(max_examples=200, deadline=None)
def test_json_is_read_as_python_reads_it(document):
    assert read(json.dumps(document, indent=1).encode()).document == document
