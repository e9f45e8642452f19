"""What the loader finds, by its own rules, and by what the machine's real loader does where there is a compiler."""

import shutil
import subprocess

import pytest

from linkspan.image import rootfs
from linkspan.image.loading import loader
from tests.unit.image.images import image, library, program

A, B = library("/app/lib/liba.so", "libb.so"), library("/app/lib/libb.so")
OTHER = library("/other/liba.so")


def got(*entries, env=()):
    """Which liba.so the first of the entries gets."""
    found = loader(image(*entries, env=env)).find("liba.so", entries[0])
    return found.path if found else None


def lost(*entries, env=()):
    """What the first of the entries does not find."""
    return [name for name, _ in loader(image(*entries, env=env)).lost(entries[0])]


def test_rpath_comes_before_the_variable_and_runpath_after_it():
    env = ("LD_LIBRARY_PATH=/other",)
    assert got(program("/app/tool", "liba.so", rpath="$ORIGIN/lib"), A, OTHER, env=env) == A.path
    assert got(program("/app/tool", "liba.so", runpath="$ORIGIN/lib"), A, OTHER, env=env) == OTHER.path


def test_rpath_does_not_count_beside_runpath():
    assert got(program("/app/tool", "liba.so", rpath="/app/lib", runpath="/nowhere"), A) is None


def test_the_rpath_of_a_program_is_for_its_libraries_too_and_its_runpath_is_not():
    assert lost(program("/app/tool", "liba.so", rpath="$ORIGIN/lib"), A, B) == []
    assert lost(program("/app/tool", "liba.so", runpath="$ORIGIN/lib"), A, B) == ["libb.so"]


def test_a_library_with_a_runpath_looks_nowhere_else():
    own = library("/app/lib/liba.so", "libb.so", runpath="/nowhere")
    assert lost(program("/app/tool", "liba.so", rpath="$ORIGIN/lib"), own, B) == ["libb.so"]


def test_what_is_loaded_already_is_not_looked_for_again():
    assert lost(program("/app/tool", "liba.so", "libb.so", runpath="$ORIGIN/lib"), A, B) == []


def test_what_the_image_does_not_have_is_not_lost_but_missing():
    assert lost(program("/app/tool", "libnowhere.so")) == []


def test_a_library_is_used_where_a_program_or_module_leads_to_it_and_else_a_plugin():
    found = loader(image(library("/app/_core.abi3.so", "liba.so"), A, B, library("/app/lib/libplugin.so", "libx.so")))
    assert found.used == {"/app/_core.abi3.so", A.path, B.path}


@pytest.mark.allow_subprocess
@pytest.mark.skipif(not shutil.which("gcc"), reason="there is no C compiler to make programs with")
@pytest.mark.parametrize("tags", ["--disable-new-dtags", "--enable-new-dtags"])
@pytest.mark.parametrize("of_library", ["", "-Wl,-rpath,$ORIGIN", "-Wl,-rpath,/nowhere"])
@pytest.mark.parametrize("links_both", [False, True])
def test_the_real_loader_agrees(tmp_path, tags, of_library, links_both):
    (tmp_path / "own").mkdir()
    (tmp_path / "b.c").write_text("int b(void) { return 0; }\n")
    (tmp_path / "a.c").write_text("int b(void); int a(void) { return b(); }\n")
    (tmp_path / "m.c").write_text("int a(void); int b(void); int main(void) { return a() + b(); }\n")
    flags = [f"-Wl,{tags}", "-Wl,--no-as-needed", "-Wl,--allow-shlib-undefined", "-Lown"]
    both = ["-la", "-lb"] if links_both else ["-la", "-Wl,--unresolved-symbols=ignore-all"]
    _compile(tmp_path, "-shared", "-fPIC", "-o", "own/libb.so", "b.c")
    _compile(tmp_path, "-shared", "-fPIC", "-o", "own/liba.so", "a.c", *flags, "-lb", *filter(None, [of_library]))
    _compile(tmp_path, "-o", "tool", "m.c", *flags, *both, "-Wl,-rpath,$ORIGIN/own")
    ended = subprocess.run([tmp_path / "tool"], capture_output=True, timeout=20, check=False, env={})
    read = rootfs.read(str(tmp_path))
    entry = read.get("/tool")
    assert entry
    assert bool(loader(read).lost(entry)) == (ended.returncode == 127), ended.stderr


def _compile(folder, *words):
    subprocess.run(["gcc", *words], cwd=folder, check=True, capture_output=True, timeout=60)
