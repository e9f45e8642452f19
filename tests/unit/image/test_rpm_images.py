"""Images whose packages rpm installed, read as they are stored."""

import pytest

from linkspan.errors import FormatError
from linkspan.image import limits, registry
from linkspan.image.packages import installed
from linkspan.image.source import open_image
from tests.unit import rpm_writer
from tests.unit.image import writer

FOLDERS = ["var/lib/rpm", "usr/lib/sysimage/rpm", "usr/share/rpm"]
GLIBC = rpm_writer.header(name="glibc", version="2.34", release="100.el9")
DRIVER = rpm_writer.header(name="nvidia-driver-cuda-libs", version="550.54.14", release="1.el9")


FORMS = {
    "rpmdb.sqlite": rpm_writer.in_sqlite,
    "Packages.db": rpm_writer.in_ndb,
    "Packages": rpm_writer.in_berkeley,
}


@pytest.mark.parametrize("folder", FOLDERS)
@pytest.mark.parametrize("name", FORMS)
def test_the_packages_of_an_image_are_read_and_a_driver_among_them_is_told_with_its_layer(tmp_path, folder, name):
    base = writer.layer({f"{folder}/{name}": FORMS[name](GLIBC)})
    top = writer.layer({f"{folder}/{name}": FORMS[name](GLIBC, DRIVER)}, command="RUN dnf install")
    image = open_image(writer.write_layout(f"{tmp_path}/image", [base, top]))
    assert [(one.name, one.version, one.manager) for one in installed(image)] == [
        ("glibc", "2.34-100.el9", "rpm"),
        ("nvidia-driver-cuda-libs", "550.54.14-1.el9", "rpm"),
    ]
    (finding,) = [one for one in registry.findings(image) if one.id == "I-BOUNDARY-11"]
    assert (finding.layer, finding.layer_command) == (1, "RUN dnf install")
    assert finding.cause.endswith("by rpm: nvidia-driver-cuda-libs")


def test_a_database_larger_than_a_text_may_be_is_read(tmp_path):
    header = rpm_writer.header(name="glibc", version="2.34", release="100.el9", summary="x" * limits.TEXT)
    layer = writer.layer({"var/lib/rpm/rpmdb.sqlite": rpm_writer.in_sqlite(header)})
    image = open_image(writer.write_layout(f"{tmp_path}/image", [layer]))
    assert image.entries["/var/lib/rpm/rpmdb.sqlite"].text == "glibc 2.34-100.el9\n"


def test_what_is_no_database_is_refused_in_a_sentence_and_the_rest_is_read(tmp_path):
    layer = writer.layer({"var/lib/rpm/rpmdb.sqlite": "no database", "etc/os-release": "ID=rocky\n"})
    image = open_image(writer.write_layout(f"{tmp_path}/image", [layer]))
    (sentence,) = image.refused
    assert sentence.startswith("layer 0: '/var/lib/rpm/rpmdb.sqlite': this is no database of rpm: it is neither")
    assert image.entries["/etc/os-release"].text == "ID=rocky\n"


def test_a_root_file_system_as_a_folder_is_read_likewise(tmp_path):
    folder = tmp_path / "root/var/lib/rpm"
    folder.mkdir(parents=True)
    (folder / "rpmdb.sqlite").write_bytes(rpm_writer.in_sqlite(DRIVER))
    assert [one.name for one in installed(open_image(f"{tmp_path}/root"))] == ["nvidia-driver-cuda-libs"]
    (folder / "rpmdb.sqlite").write_bytes(b"no database")
    assert "no database of rpm" in open_image(f"{tmp_path}/root").refused[0]


@pytest.mark.parametrize("files", [10, 200_000])
def test_an_archive_that_ends_within_a_database_is_refused_as_an_archive(tmp_path, files):
    data = rpm_writer.in_ndb(rpm_writer.package("glibc", files=files))
    cut = writer.tar({"var/lib/rpm/Packages.db": data})[: 512 + len(data) // 2]
    with pytest.raises(FormatError, match="the tar archive ends in the middle of a file"):
        open_image(writer.write_layout(f"{tmp_path}/image", [writer.packed(cut)]))


def test_a_database_with_more_names_than_a_text_may_have_is_refused(tmp_path, monkeypatch):
    monkeypatch.setattr(limits, "TEXT", 20)
    layer = writer.layer({"var/lib/rpm/rpmdb.sqlite": rpm_writer.in_sqlite(GLIBC, DRIVER)})
    image = open_image(writer.write_layout(f"{tmp_path}/image", [layer]))
    assert "names more packages than any real one" in image.refused[0]
    assert image.entries["/var/lib/rpm/rpmdb.sqlite"].text is None
