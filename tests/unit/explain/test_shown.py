import pytest

from linkspan.explain import shown


@pytest.mark.parametrize("text", ["libcuda.so.1", "Ünïcode – ok", "שלום", "日本語", "a b", "💡"])
def test_what_can_be_seen_stays_as_it_is(text):
    assert shown.line(text) == text


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ("\x1b[31m", r"\x1b[31m"),
        ("a\u202eb", r"a\u202eb"),
        ("\udcff", r"\udcff"),
        ("a\nb\tc", r"a\nb\tc"),
        ("\x00\x7f\x9b", r"\x00\x7f\x9b"),
        ("\U000e0041", r"\U000e0041"),
        ("lib\u200bcuda", r"lib\u200bcuda"),
        ("\uffff\ufeff\u00ad", r"\uffff\ufeff\xad"),
    ],
)
def test_what_cannot_be_seen_is_written_out(text, written):
    assert shown.line(text) == written


def test_a_block_keeps_its_lines_and_nothing_else_unseen():
    assert shown.block("a\n\tb\rc\x1b") == "a\n\tb\\rc\\x1b"


def test_a_long_text_ends_with_how_much_is_missing():
    assert shown.line("x" * 10_000, 10) == "x" * 10 + "… (9990 more characters)"
    assert shown.line("x" * 10, 10) == "x" * 10


def test_everything_shown_can_be_encoded():
    shown.block("".join(map(chr, range(0x110000))), 0x110000).encode("utf-8")
