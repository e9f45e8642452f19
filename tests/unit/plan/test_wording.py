from hypothesis import given
from hypothesis import strategies as st

from linkspan.plan.wording import ids, listed, of_rights, plural, quoted


def test_text_of_others_is_escaped_and_cut():
    assert quoted('a"b\nc\udcff') == '"a\\"b\\nc\\udcff"'
    assert quoted("x" * 500) == '"' + "x" * 80 + '..."'


@given(st.text())
def test_quoted_text_is_one_printable_ascii_line(text):
    assert quoted(text).isascii()
    assert quoted(text).isprintable()


def test_enumerations_read_like_sentences():
    assert [listed([]), listed(["a"]), listed(["a", "b"]), listed("abc", last="or")] == [
        "",
        "a",
        "a and b",
        "a, b or c",
    ]


def test_few_ids_are_all_named_and_many_are_counted():
    assert ids(["0", "1"]) == "0, 1"
    assert ids([str(number) for number in range(20)]) == "0, 1, … 19 (20 in all)"


def test_nouns_agree_with_their_number():
    assert [plural(1, "GPU"), plural(2, "GPU")] == ["1 GPU", "2 GPUs"]


def test_what_is_refused_to_a_user_alone_is_for_root():
    assert of_rights("cannot write /etc/x: Permission denied", 1000) == "run the same as root, with sudo"
    assert of_rights("cannot write /etc/x: Permission denied", 0) == ""
    assert of_rights("cannot write /etc/x: No space left on device", 1000) == ""
