"""An image of buildah's tells the same in each form: pushed, copied out of the store, and as a mounted root."""

import os
from collections.abc import Iterator

import pytest

from linkspan.image import rootfs
from linkspan.image.model import Image
from linkspan.image.source import open_image
from tests.builders import bases
from tests.builders.buildah import Buildah
from tests.builders.told import told

pytestmark = [pytest.mark.privileged, pytest.mark.allow_subprocess, pytest.mark.xdist_group("builders")]

BASE = "docker.io/nvidia/cuda:12.9.1-runtime-ubuntu24.04"
DOCKERFILE = f"FROM {BASE}\nRUN cp /bin/true /usr/lib/libcuda.so.550.54.15\nCMD sleep 1\n"
"""It has faults, so that there is what to compare."""
FORMS = ("oci:{}/layout", "oci-archive:{}/oci.tar", "docker-archive:{}/docker.tar")


@pytest.fixture
def faulty(builder: Buildah, tmp_path: str) -> Iterator[Image]:
    """The image as its layout has it; its tag is ``faulty``."""
    builder.pull(bases.archive(BASE))
    os.mkdir(f"{tmp_path}/context")
    with open(f"{tmp_path}/context/Dockerfile", "w", encoding="ascii") as file:
        file.write(DOCKERFILE)
    builder.build(f"{tmp_path}/context", "faulty")
    image = open_image(builder.push("faulty", f"oci:{tmp_path}/first").partition(":")[2])
    assert {"I-BOUNDARY-1"} <= {one[0] for one in told(image)}
    yield image


@pytest.mark.parametrize("form", FORMS)
def test_what_buildah_pushes_tells_the_same(builder: Buildah, faulty: Image, form: str, tmp_path: str) -> None:
    place = builder.push("faulty", form.format(tmp_path)).partition(":")[2]
    assert told(open_image(place)) == told(faulty)


def test_what_skopeo_copies_out_of_the_store_tells_the_same(builder: Buildah, faulty: Image, tmp_path: str) -> None:
    place = builder.copy_out("localhost/faulty:latest", f"{tmp_path}/copied")
    assert told(open_image(place)) == told(faulty)


def test_its_mounted_root_with_its_configuration_tells_the_same_of_files(builder: Buildah, faulty: Image) -> None:
    with builder.mounted("faulty") as place:
        mounted = told(rootfs.read(place, faulty.config))
    assert mounted == told(faulty)
