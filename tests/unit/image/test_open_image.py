import os
import platform
import subprocess
import tarfile

import pytest

from linkspan.errors import FormatError, RequestError
from linkspan.formats import ldcache
from linkspan.image import limits
from linkspan.image.access import Access
from linkspan.image.packages import installed
from linkspan.image.source import open_image
from linkspan.sim import elfwriter
from tests.unit.image import writer as w

BELOW = {
    "./": w.folder(),
    "./usr/lib/": w.folder(),
    "lib": w.link("usr/lib"),
    "etc/os-release": "ID=debian\n",
    "usr/lib/libcuda.so.1": w.file(elfwriter.shared_object("libcuda.so.1", needed=("libc.so.6",)), 0o755),
    "opt/data/a": "1",
    "opt/data/b": "22",
    "opt/keep/c": "333",
}


def _layout(folder, *trees, packing="gzip", **run):
    return w.write_layout(
        f"{folder}/image", [w.layer(tree, packing, f"RUN {n}") for n, tree in enumerate(trees)], **run
    )


@pytest.mark.parametrize("packing", ["", "gzip", "zstd"])
def test_a_layout_is_read_however_its_layers_are_packed(tmp_path, packing):
    image = open_image(_layout(tmp_path, BELOW, {"new": "x"}, packing=packing, Env=["A=b"], User="1000", Cmd=None))
    assert image.config.env == ("A=b",)
    assert (image.config.user, image.config.cmd, image.config.architecture) == ("1000", (), "amd64")
    assert [layer.command for layer in image.layers] == ["RUN 0", "RUN 1"]  # an empty step of the history lies between
    assert image.entries["/new"].layer == 1
    cuda = image.entries["/usr/lib/libcuda.so.1"]
    assert (cuda.layer, cuda.mode, cuda.kind) == (0, 0o755, "file")
    assert cuda.elf
    assert (cuda.elf.soname, cuda.elf.needs, cuda.elf.architectures) == ("libcuda.so.1", ("libc.so.6",), ())
    assert image.entries["/etc/os-release"].text == "ID=debian\n"
    assert image.layers[0].unpacked == 16 + cuda.size == sum(e.size for e in image.entries.values()) - 1


def test_all_forms_of_an_image_give_the_same_files(tmp_path):
    layers = [w.layer(BELOW, ""), w.layer({"opt/.wh.data": ""}, "")]
    paths = [
        w.write_layout(f"{tmp_path}/layout", layers),
        w.write_archive(f"{tmp_path}/layout.tar", w.layout(layers)),
        w.write_archive(f"{tmp_path}/layout.tar.gz", w.layout(layers)),
        w.write_archive(f"{tmp_path}/saved.tar", w.saved(layers)),
        w.write_archive(f"{tmp_path}/both.tar", {**w.saved(layers), **w.layout(layers)}),
        w.write_folder(f"{tmp_path}/saved", w.saved(layers)),
    ]
    images = [open_image(path) for path in paths]
    assert "/opt/keep/c" in images[0].entries
    assert all(image.entries == images[0].entries for image in images)
    assert all(image.hidden == images[0].hidden for image in images)
    assert [image.source for image in images] == paths


def test_one_of_several_images_is_chosen_by_its_name(tmp_path):
    one, two = w.saved([w.layer({"one": "1"}, "")], "one:latest"), w.saved([w.layer({"two": "2"}, "")], "two:latest")
    manifest = one["manifest.json"][:-1] + b"," + two["manifest.json"][1:]
    path = w.write_archive(f"{tmp_path}/saved.tar", {**one, **two, "manifest.json": manifest})
    assert list(open_image(f"{path}:two:latest").entries) == ["/two"]
    with pytest.raises(FormatError, match="holds 2 images: one:latest, two:latest"):
        open_image(path)
    with pytest.raises(FormatError, match="holds no image three") as told:
        open_image(f"{path}:three")
    assert told.value.hint == "it has one:latest, two:latest"


def test_a_layout_says_which_images_it_has(tmp_path):
    manifest = w.blobs([w.layer({"a": "1"})])
    one = w.descriptor(manifest[1], annotations={"org.opencontainers.image.ref.name": "one"})
    files = {**manifest[0], "oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": w.index(one)}
    path = w.write_folder(f"{tmp_path}/layout", files)
    assert list(open_image(f"{path}:one").entries) == ["/a"]
    with pytest.raises(FormatError, match="holds no image two") as told:
        open_image(f"{path}:two")
    assert told.value.hint == "it has one"


def test_the_manifest_for_this_machine_is_taken_and_attestations_are_not(tmp_path):
    machine = {"x86_64": "amd64", "aarch64": "arm64"}.get(platform.machine(), platform.machine())
    other, other_manifest = w.blobs([w.layer({"other": "1"})])
    mine, my_manifest = w.blobs([w.layer({"mine": "1"})])
    inner = w.index(
        w.descriptor(b"{}", platform={"os": "unknown", "architecture": "unknown"}),
        w.descriptor(other_manifest, platform={"os": "linux", "architecture": "s390x"}),
        w.descriptor(my_manifest, platform={"os": "linux", "architecture": machine}),
    )
    files = {**other, **mine, w.blob_name(inner): inner, w.blob_name(b"{}"): b"{}", "oci-layout": b"{}"}
    path = w.write_folder(f"{tmp_path}/image", {**files, "index.json": w.index(w.descriptor(inner))})
    assert list(open_image(path).entries) == ["/mine"]
    os.remove(f"{path}/{w.blob_name(my_manifest)}")  # docker save leaves out what was not pulled
    assert list(open_image(path).entries) == ["/other"]


def test_what_later_layers_remove_or_cover_is_hidden(tmp_path):
    image = open_image(
        _layout(
            tmp_path,
            BELOW,
            {"opt/data/z": "new", "opt/data/.wh..wh..opq": "", "etc/.wh.os-release": "", "lib/libcuda.so.1": "changed"},
            {"opt/keep": "a file where a folder was"},
        )
    )
    assert [(one.path, one.layer, one.by) for one in image.hidden] == [
        ("/etc/os-release", 0, 1),
        ("/opt/data/a", 0, 1),
        ("/opt/data/b", 0, 1),
        ("/usr/lib/libcuda.so.1", 0, 1),
        ("/opt/keep/c", 0, 2),
    ]
    assert sorted(image.entries) == ["/", "/lib", "/opt/data/z", "/opt/keep", "/usr/lib", "/usr/lib/libcuda.so.1"]


def test_a_whiteout_does_not_remove_what_its_own_layer_brings(tmp_path):
    image = open_image(_layout(tmp_path, {"a/old": "1"}, {"a/new": "2", ".wh.a": "", "a/newer": "3"}))
    assert sorted(image.entries) == ["/a/new", "/a/newer"]


def test_a_folder_that_becomes_a_link_takes_its_files_along_and_new_ones_go_where_it_leads(tmp_path):
    image = open_image(_layout(tmp_path, {"lib/": w.folder(), "lib/a": "1"}, {"lib": w.link("usr/lib"), "lib/b": "2"}))
    assert sorted(image.entries) == ["/lib", "/usr/lib/b"]
    assert [one.path for one in image.hidden] == ["/lib/a"]


def test_a_hard_link_is_its_file_under_another_name(tmp_path):
    image = open_image(_layout(tmp_path, BELOW, {"usr/lib/libcuda.so": w.hard_link("lib/libcuda.so.1")}))
    entry = image.entries["/usr/lib/libcuda.so"]
    assert entry.elf == image.entries["/usr/lib/libcuda.so.1"].elf
    assert (entry.target, entry.layer, image.layers[1].unpacked) == ("/usr/lib/libcuda.so.1", 1, 0)


def test_texts_that_rules_want_are_kept_and_others_are_not(tmp_path):
    cache = ldcache.render([("libz.so.1", "/lib/libz.so.1", 0x0303, 0, 0)])
    site = "usr/lib/python3/dist-packages/torch-2.4.1.dist-info"
    image = open_image(
        _layout(
            tmp_path,
            {
                "etc/ld.so.cache": cache,
                "etc/ld.so.conf.d/cuda.conf": "/usr/local/cuda/lib64\n",
                "var/lib/dpkg/info/libc6.list": "/usr\n",
                f"{site}/METADATA": "Name: torch\nVersion: 2.4.1\n\nA long description",
                f"{site}/RECORD": "torch/a.py,,\n",
                "etc/shadow": "root:secret\n",
                "run.sh": w.file(b"#!/bin/sh\n" + b"x" * 100, 0o755),
                "m.py": "import os",
            },
        )
    )
    texts = {path.rpartition("/")[2]: entry.text for path, entry in image.entries.items() if entry.text is not None}
    assert texts == {
        "ld.so.cache": "libz.so.1 => /lib/libz.so.1\n",
        "cuda.conf": "/usr/local/cuda/lib64\n",
        "METADATA": "Name: torch\nVersion: 2.4.1",
    }
    assert image.entries["/run.sh"].head == b"#!/bin/sh\n" + b"x" * 54
    assert image.entries["/m.py"].head == b""


def test_lists_of_files_take_no_room_from_the_texts_that_rules_want(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "TEXTS", 1000)
    tree = {
        "opt/conda/conda-meta/nvidia-driver-550.54-0.json": "{" + " " * 900 + "}",
        "var/lib/dpkg/info/libc6.list": "/usr/lib\n" * 100,
        "site-packages/a-1.dist-info/RECORD": "a.py,,\n" * 100,
        "site-packages/torch-2.4.1.dist-info/METADATA": "Version: 2.4.1\n" + "Requires-Dist: a\n" * 50,
    }
    image = open_image(_layout(tmp_path, tree))
    assert [path for path, entry in image.entries.items() if entry.text is not None] == [f"/{list(tree)[-1]}"]
    assert [one.name for one in installed(image)] == ["nvidia-driver", "torch"]


@pytest.mark.parametrize("form", [tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_are_read_in_both_of_their_forms(tmp_path, form):
    long, target = "n" * 120 + "/" + "m" * 130, "t/" * 90 + "t"
    with tarfile.open(f"{tmp_path}/l.tar", "w", format=form) as archive:
        for name, kind, link in (
            (long, tarfile.REGTYPE, ""),
            ("l", tarfile.SYMTYPE, target),
            ("ä", tarfile.DIRTYPE, ""),
        ):
            member = tarfile.TarInfo(name)
            member.type, member.linkname, member.uid = kind, link, 3_000_000  # more than octal digits have room for
            archive.addfile(member)
    with open(f"{tmp_path}/l.tar", "rb") as file:
        image = open_image(w.write_layout(f"{tmp_path}/image", [w.packed(file.read())]))
    assert list(image.entries) == [f"/{long}", "/l", "/ä"]
    assert (image.entries["/l"].target, image.entries["/l"].uid) == (target, 3_000_000)


@pytest.mark.parametrize("form", ["gnu", "posix"])
def test_a_sparse_file_has_its_whole_size_and_what_follows_is_read(tmp_path, form):
    with open(f"{tmp_path}/sparse", "wb") as file:
        for n in range(40):  # more holes than a header has room for
            file.seek(n << 20)
            file.write(b"x" * 4096)
        file.truncate(100 << 20)
    (tmp_path / "after").write_text("a")
    command = ["tar", "-C", str(tmp_path), f"--format={form}", "-S", "-cf", f"{tmp_path}/l.tar", "sparse", "after"]
    subprocess.run(command, check=True, timeout=60)
    with open(f"{tmp_path}/l.tar", "rb") as file:
        data = file.read()
    assert len(data) < 1 << 20
    image = open_image(w.write_layout(f"{tmp_path}/image", [w.packed(data)]))
    assert {path: entry.size for path, entry in image.entries.items()} == {"/sparse": 100 << 20, "/after": 1}


def test_a_folder_that_is_no_image_is_read_as_a_root_file_system(tmp_path):
    os.makedirs(f"{tmp_path}/root/etc")
    os.symlink("/etc/os-release", f"{tmp_path}/root/link")
    os.mkfifo(f"{tmp_path}/root/pipe")
    for name, data in (("etc/os-release", b"ID=a\n"), ("lib.so", elfwriter.shared_object("lib.so.1"))):
        with open(f"{tmp_path}/root/{name}", "wb") as file:
            file.write(data)
    os.link(f"{tmp_path}/root/lib.so", f"{tmp_path}/root/lib.so.1")
    image = open_image(f"{tmp_path}/root")
    kinds = {path: entry.kind for path, entry in image.entries.items()}
    assert kinds == {
        "/etc": "folder",
        "/etc/os-release": "file",
        "/lib.so": "file",
        "/lib.so.1": "file",
        "/link": "link",
        "/pipe": "fifo",
    }
    assert image.entries["/etc/os-release"].text == "ID=a\n"
    assert image.entries["/link"].target == "/etc/os-release"
    assert image.entries["/lib.so.1"].target == "/lib.so"
    assert image.entries["/lib.so.1"].elf == image.entries["/lib.so"].elf
    assert image.layers[0].unpacked == 5 + image.entries["/lib.so"].size


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda path: path, "there is no file or folder"),
        (
            lambda path: w.write_archive(path, {"a": b"b"}),
            "holds no image: it has neither index.json nor manifest.json",
        ),
        (lambda path: _text(path, b"text"), "is no tar archive"),
        (lambda path: _text(path, b"\x1f\x8b\x08\0broken"), "cannot be unpacked"),
    ],
)
def test_what_is_no_image_is_told_in_a_sentence(tmp_path, make, words):
    path = f"{tmp_path}/image.tar"
    make(path)
    with pytest.raises(FormatError, match=words):
        open_image(path)


def _text(path, data):
    with open(path, "wb") as file:
        file.write(data)


def test_another_platform_is_taken_where_it_is_asked_for(tmp_path):
    files, manifests = {}, []
    for machine in ("amd64", "arm64"):
        mine, manifest = w.blobs([w.layer({machine: ""})], architecture=machine)
        files |= mine | {w.blob_name(manifest): manifest}
        manifests.append(w.descriptor(manifest, platform={"os": "linux", "architecture": machine}))
    files |= {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": w.index(*manifests)}
    path = w.write_folder(f"{tmp_path}/image", files)
    for machine in ("amd64", "arm64"):
        assert list(open_image(path, Access(platform=f"linux/{machine}")).entries) == [f"/{machine}"]
    with pytest.raises(FormatError, match=r"is for linux/amd64, not for linux/s390x|is for linux/arm64, not for"):
        open_image(path, Access(platform="linux/s390x"))


def test_who_watches_is_told_how_far_it_is(tmp_path):
    told = []
    path = _layout(tmp_path, {"a": "1" * 5000}, {"b": "2"})
    open_image(path, Access(watch=lambda *each: told.append(each)))
    assert {what for what, _, _ in told} == {"layer 0", "layer 1"}
    assert all(done == total for what, done, total in (told[-1], next(one for one in reversed(told) if "0" in one[0])))


def test_a_folder_that_is_nobodys_root_is_refused(tmp_path):
    with pytest.raises(FormatError, match="is empty, so it is no root file system"):
        open_image(str(tmp_path))
    (tmp_path / "Dockerfile").write_text("FROM a\n")
    (tmp_path / "main.py").write_text("")
    with pytest.raises(FormatError, match="a project's folder with a Dockerfile") as told:
        open_image(str(tmp_path))
    assert f"{tmp_path}/Dockerfile" in told.value.hint
    (tmp_path / "usr").mkdir()
    assert "/main.py" in open_image(str(tmp_path)).entries


def test_a_root_made_from_nothing_may_have_its_dockerfile_in_it(tmp_path):
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY . /\n")
    (tmp_path / "app").write_bytes(elfwriter.shared_object("app"))
    assert "/app" in open_image(str(tmp_path)).entries


def test_an_empty_file_and_standard_input_are_told_in_their_own_words(tmp_path, monkeypatch):
    (tmp_path / "x").write_bytes(b"")
    with pytest.raises(FormatError, match="x is empty"):
        open_image(str(tmp_path / "x"))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(RequestError, match="standard input") as told:
        open_image("-")
    assert "linkspan image fix -" in told.value.hint
