import os
import subprocess
import sys
import time
from random import Random

import pytest

from linkspan.errors import FormatError
from linkspan.image.source import open_image
from tests.unit.image import hostile, writer


def _layout(folder, case):
    return writer.write_folder(f"{folder}/image", case.make())


@pytest.mark.parametrize("name", hostile.REFUSED)
def test_an_image_that_is_hostile_as_a_whole_is_refused_in_a_sentence(name, tmp_path):
    case = hostile.REFUSED[name]
    path = _layout(tmp_path, case)
    start = time.process_time()  # other work on the machine is not ours
    with pytest.raises(FormatError) as caught:
        open_image(path)
    assert case.words in caught.value.message
    assert "\n" not in caught.value.message
    assert time.process_time() - start < 10


@pytest.mark.parametrize("name", hostile.BOUNDED)
def test_what_is_hostile_in_an_image_is_left_out_and_the_rest_is_read(name, tmp_path):
    case = hostile.BOUNDED[name]
    image = open_image(_layout(tmp_path, case))
    assert image.entries["/etc/hostname"].size in (1, 5)
    assert all(path.startswith("/") and "/../" not in path for path in image.entries)
    assert len(image.refused) == bool(case.words)
    assert case.words in "".join(image.refused)


def test_nothing_is_written_where_the_image_or_the_reader_is(tmp_path, monkeypatch):
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for case in hostile.BOUNDED.values():
        open_image(_layout(tmp_path, case))
    assert os.listdir(here) == []
    assert set(os.listdir(tmp_path)) == {"here", "image"}


def test_the_same_hostile_layers_are_refused_in_an_archive(tmp_path):
    for name in ("a gzip bomb", "another blob than the manifest names", "indexes within indexes"):
        case = hostile.REFUSED[name]
        path = writer.write_archive(f"{tmp_path}/image.tar", case.make())
        with pytest.raises(FormatError, match=case.words):
            open_image(path)


@pytest.mark.parametrize("name", ["a gzip bomb", "a million entries", "a zstd window of a gigabyte"])
def test_a_bomb_takes_less_than_200_megabytes(name, tmp_path):
    path = _layout(tmp_path, hostile.REFUSED[name])
    program = (
        "import sys\n"
        "from linkspan.errors import FormatError\n"
        "from linkspan.image.source import open_image\n"
        "try: open_image(sys.argv[1])\n"
        "except FormatError: print(next(line.split()[1] for line in open('/proc/self/status') if 'VmHWM' in line))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, path], capture_output=True, text=True, timeout=60, check=True)
    assert 0 < int(done.stdout) < 200 << 10


def test_a_link_in_a_layout_is_not_followed_out_of_it(tmp_path):
    (tmp_path / "secret").write_text("{}")
    path = writer.write_layout(f"{tmp_path}/image", [writer.layer(hostile.GOOD)])
    os.remove(f"{path}/index.json")
    os.symlink("../secret", f"{path}/index.json")
    os.mkfifo(f"{path}/manifest.json")
    image = open_image(path)
    assert image.config.env == ()
    assert image.entries["/index.json"].kind == "link"  # it is no image, so it is a folder like any other


def test_an_archive_with_a_few_other_bytes_is_read_or_refused_but_never_breaks_the_reader(tmp_path):
    random = Random(5)
    good = writer.tar({"a" * 150: "x", "etc/os-release": "ID=a\n", "l": writer.link("b" * 120), "d": writer.folder()})
    outcomes = set()
    for _ in range(300):
        data = bytearray(good)
        for _ in range(random.randint(1, 4)):
            at = random.randrange(len(data) - 3000)
            data[at] = random.choice(b"\0\xff 9x/") if random.random() < 0.7 else random.randrange(256)
            block = at - at % 512
            total = sum(data[block : block + 512]) - sum(data[block + 148 : block + 156]) + 256
            data[block + 148 : block + 156] = b"%06o\0 " % total
        path = writer.write_folder(f"{tmp_path}/image", hostile.one(bytes(data)))
        try:
            image = open_image(path)
        except FormatError as error:
            outcomes.add(error.message.rpartition(": ")[2])
        else:
            outcomes.add(len(image.entries))
    assert len(outcomes) > 3  # read and refused in several ways, or nothing was tried


def test_no_file_stays_open(tmp_path):
    before = len(os.listdir("/proc/self/fd"))
    for case in [*hostile.BOUNDED.values(), hostile.REFUSED["a wrong checksum"]]:
        try:
            open_image(_layout(tmp_path, case))
        except FormatError:
            continue
    assert len(os.listdir("/proc/self/fd")) <= before + 1
