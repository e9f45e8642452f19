"""What is in a container: which libcuda the loader takes, what the image brought, and what was mounted."""

from linkspan.check.inside import Inside, version_of
from linkspan.sim.guests import LIBRARIES, cache, driver_files, library, mountinfo
from linkspan.sim.processes import container, process
from linkspan.sim.tree import File, Link
from tests.unit.check.scenes import scene

NEW, OLD = "550.163.01", "535.183.01"


def inside(tmp_path, files, *, mounts=(), env=None):
    guest = container(41, files=files, mountinfo=mountinfo(mounts), env=env)
    return Inside(scene(tmp_path, {**process(1, ["/sbin/init"], parent=0), **guest}).containers[0])


def taken(look):
    found = look.resolve("libcuda.so.1")
    return found.version if found else None


def test_the_cache_comes_before_the_loaders_own_folders(tmp_path):
    files = {**driver_files(["libcuda"], NEW), **driver_files(["libcuda"], OLD, "/opt/d")}
    look = inside(tmp_path, {**files, **cache({"libcuda.so.1": "/opt/d/libcuda.so.1"})})
    assert taken(look) == OLD


def test_ld_library_path_comes_before_the_cache(tmp_path):
    files = {**driver_files(["libcuda"], NEW), **driver_files(["libcuda"], OLD, "/opt/d")}
    look = inside(
        tmp_path,
        {**files, **cache({"libcuda.so.1": "/opt/d/libcuda.so.1"})},
        env={"LD_LIBRARY_PATH": f"/x:{LIBRARIES}"},
    )
    assert taken(look) == NEW


def test_a_cached_path_that_is_gone_is_passed_over(tmp_path):
    look = inside(tmp_path, {**driver_files(["libcuda"], NEW), **cache({"libcuda.so.1": "/gone/libcuda.so.1"})})
    assert taken(look) == NEW


def test_an_empty_library_is_none(tmp_path):
    look = inside(tmp_path, {f"{LIBRARIES}/libcuda.so.1": File(b"")})
    assert taken(look) is None
    assert not look.has("libcuda.so")


def test_what_is_mounted_is_not_the_images(tmp_path):
    files = {**driver_files(["libcuda"], NEW), **driver_files(["libnvidia-ml"], OLD)}
    look = inside(tmp_path, files, mounts=[f"{LIBRARIES}/libcuda.so.{NEW}"])
    assert {one.name for one in look.baked if one.kind == "file"} == {f"libnvidia-ml.so.{OLD}"}


def test_what_stands_below_a_mounted_folder_is_not_the_images(tmp_path):
    files = driver_files(["libcuda"], OLD, "/usr/local/nvidia/lib64")
    assert inside(tmp_path, files, mounts=["/usr/local/nvidia"]).baked == ()


def test_libraries_beside_a_driver_are_not_a_drivers(tmp_path):
    names = ("libnvidia-container.so.1.17.8", "libnvidia-egl-gbm.so.1.1.2", "libcudart.so.12", "libnvvm.so.4")
    assert inside(tmp_path, {f"{LIBRARIES}/{name}": library(name) for name in names}).baked == ()


def test_a_link_that_leads_around_in_circles_leads_nowhere(tmp_path):
    look = inside(
        tmp_path, {f"{LIBRARIES}/libcuda.so.1": Link("libcuda.so"), f"{LIBRARIES}/libcuda.so": Link("libcuda.so.1")}
    )
    assert taken(look) is None


def test_a_link_of_an_image_does_not_lead_out_of_it(tmp_path):
    look = inside(tmp_path, {f"{LIBRARIES}/libcuda.so.1": Link("../../../../../../../../etc/passwd")})
    assert taken(look) is None


def test_a_cache_of_nonsense_knows_nothing(tmp_path):
    look = inside(tmp_path, {**driver_files(["libcuda"], NEW), "/etc/ld.so.cache": File(b"\0" * 4096)})
    assert look.cached == {}
    assert taken(look) == NEW


def test_only_a_drivers_number_is_a_version():
    assert version_of("/x/libcuda.so.550.54.14") == "550.54.14"
    assert [version_of(name) for name in ("libcuda.so.1", "libcuda.so.1.1", "libcudart.so.12.4.127", "libcuda.so")] == [
        ""
    ] * 4
