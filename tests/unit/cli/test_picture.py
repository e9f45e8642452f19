import os

import pytest

from linkspan.cli import picture
from linkspan.errors import KernelError, RequestError
from tests.unit.explain import chains


def test_a_file_is_written_whole_and_its_place_is_told(tmp_path, capsys):
    picture.write(f"{tmp_path}/page.html", "é")
    assert (tmp_path / "page.html").read_text("utf-8") == "é"
    assert os.listdir(tmp_path) == ["page.html"]
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == f"written: {tmp_path}/page.html\n"


def test_a_symlink_stays_one(tmp_path):
    (tmp_path / "old").write_text("old")
    (tmp_path / "link").symlink_to("old")
    picture.write(f"{tmp_path}/link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "old").read_text() == "new"


def test_a_pipe_is_written_to_and_not_replaced(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with open(os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK), "rb") as reader:
        picture.write(f"{tmp_path}/pipe", "page\n")
        assert reader.read() == b"page\n"
    assert (tmp_path / "pipe").is_fifo()


def test_a_folder_cannot_be_written_to(tmp_path):
    with pytest.raises(RequestError, match="is a folder"):
        picture.write(str(tmp_path), "x")


def test_a_folder_that_is_not_there_is_said(tmp_path):
    with pytest.raises(KernelError, match=r"cannot write .*no/page"):
        picture.write(f"{tmp_path}/no/page.html", "x")


@pytest.mark.parametrize(
    ("encoding", "plain"), [("utf-8", False), ("UTF_8", False), ("ascii", True), ("latin-1", True)]
)
def test_ascii_is_drawn_where_the_terminal_knows_no_more(encoding, plain):
    assert picture.is_ascii(encoding) is plain


def test_a_chain_is_drawn_as_the_answer(capsys):
    picture.show(chains.BROKEN)
    assert "the chain breaks here" in capsys.readouterr().out
