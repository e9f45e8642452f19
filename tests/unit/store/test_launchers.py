"""The start path put in place: launchers that depend on nothing, and modules that import next to nothing."""

import ast
import os
import subprocess
import sys

import msgspec
import pytest

from linkspan.formats import state
from linkspan.kernel import stamps
from linkspan.store import launchers, names

SRC = os.path.abspath("src")

STANDARD_LIBRARY = {"_blake2", "_json", "_stat", "_struct", "errno", "linkspan", "select"}
"""What the start path may import beside its own modules; all of it is C."""


def imported_by(statement: str) -> set[str]:
    """The modules that a bare interpreter has after a statement, less those that it starts with."""
    before = f"import sys; base = set(sys.modules); sys.path.insert(0, {SRC!r})"
    code = f"{before}; {statement}; print(*set(sys.modules) - base)"
    done = subprocess.run([sys.executable, "-IS", "-c", code], capture_output=True, text=True, check=True, timeout=20)
    return set(done.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import linkspan.runtime.wrapper, linkspan.runtime.rootfs",
        "import linkspan.runtime.hook",
        "import linkspan.runtime.prestart",
        "import linkspan.runtime.cdi_hook",
        "import linkspan.kernel.prepare",
    ],
)
def test_the_start_path_imports_what_is_on_the_list_and_nothing_else(statement):
    ours = {f"linkspan.{module}".replace("/", ".").removesuffix(".__init__") for module in launchers.START_PATH}
    assert imported_by(statement) - ours - STANDARD_LIBRARY == set()


def test_the_list_is_complete_also_for_what_is_imported_late():
    wanted = {module for path in launchers.START_PATH for module in imports_of(path)}
    assert wanted - set(launchers.START_PATH) == set()
    entries = {"runtime/wrapper", "runtime/hook", "runtime/prestart", "runtime/cdi_hook", "__init__"}
    packages = {path for path in launchers.START_PATH if path.endswith("__init__")}
    assert set(launchers.START_PATH) - wanted - entries - packages == set()


def imports_of(module: str) -> set[str]:
    """The modules of ours that a module's source imports anywhere, less what only a type checker sees."""
    if module == "__init__":
        return set()  # it fetches the library for whoever asks for it, which the start path never does
    with open(f"{SRC}/linkspan/{module}.py", encoding="utf-8") as file:
        tree = ast.parse(file.read())
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = []
    names = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("linkspan"):
            base = node.module.replace(".", "/").removeprefix("linkspan").lstrip("/")
            paths = [base, *(f"{base}/{alias.name}" for alias in node.names)]
            names |= {path for path in paths if os.path.exists(f"{SRC}/linkspan/{path}.py")}
    return names


@pytest.fixture
def place(tmp_path) -> launchers.Place:
    return launchers.Place(prefix=str(tmp_path / "pre fix"), state=str(tmp_path / "state"))


def run(*argv: str, **env: str) -> subprocess.CompletedProcess:
    env = {"PATH": "/usr/bin:/bin", **env}
    return subprocess.run(argv, env=env, capture_output=True, text=True, timeout=20, check=False)


@pytest.mark.allow_subprocess
def test_installed_launchers_run_and_removing_leaves_nothing(place):
    links = tuple(f"{place.programs}/{name}" for name in names.NAMES)
    assert launchers.install(place) == (*place.launchers, *links)
    done = run(place.hook, "nonsense")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("linkspan-hook: the first argument is nonsense")
    done = run(f"{place.programs}/nvidia-cdi-hook", "nonsense")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("linkspan-cdi-hook: warning: the command 'nonsense' is not known")
    assert [name for name in os.listdir(place.library) if name.startswith("start.cpython-")]
    assert launchers.remove(place) == (*links, *place.launchers, place.library)
    assert launchers.remove(place) == ()
    assert [name for _, _, names in os.walk(place.prefix) for name in names] == []


@pytest.mark.allow_subprocess
def test_commands_of_the_whole_package_start_whatever_the_environment(place):
    launchers.install(place)
    evil = {"PYTHONPATH": "/evil", "PYTHONHOME": "/evil", "LD_PRELOAD": ""}
    done = run(f"{place.programs}/nvidia-ctk", "--version", **evil)
    assert done.stdout.startswith("NVIDIA Container Toolkit CLI version v"), done
    done = run(f"{place.programs}/nvidia-container-cli", "--version", **evil)
    assert done.stdout.startswith("cli-version: "), done
    done = run(f"{place.programs}/nvidia-container-cli", f"--root={place.prefix}", "info")
    assert (done.returncode, done.stdout) == (1, "")
    assert "no NVIDIA driver was found below" in done.stderr


@pytest.mark.allow_subprocess
def test_a_hook_of_an_older_spec_is_the_start_paths_and_needs_no_package(place):
    launchers.install(msgspec.structs.replace(place, home="/nowhere", python=("/nowhere",)))
    done = run(f"{place.programs}/nvidia-ctk", "hook", "invented-later", "--with=flags")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr.startswith("linkspan-cdi-hook: warning: the command 'invented-later' is not known")


@pytest.mark.allow_subprocess
def test_installing_twice_is_installing_once(place):
    launchers.install(place)
    before = sorted(os.walk(place.prefix))
    launchers.install(place)
    assert sorted(os.walk(place.prefix)) == before


@pytest.mark.allow_subprocess
def test_the_full_program_is_found_also_where_python_does_not_look_by_itself(tmp_path):
    python = os.path.realpath(sys.executable)  # of no virtual environment
    place = launchers.Place(home=SRC, python=(python, "-IS"))
    done = run(*place.full_program, "--state-dir", str(tmp_path))
    assert "No module named 'linkspan'" not in done.stderr
    assert f"{SRC}/linkspan/store/render.py" in done.stderr
    assert launchers.Place().full_program[:2] == (sys.executable, "-I")
    assert repr(SRC) in launchers.Place().full_program[3]


class Launched:
    """An installed runtime launcher beside a low-level runtime that says how it was called."""

    def __init__(self, place: launchers.Place, folder) -> None:
        self.place, self.folder = place, folder
        for path in (place.state, place.library, os.path.dirname(place.runtime), f"{folder}/bundle"):
            os.makedirs(path)
        self.runc = self.script("runc", 'echo "runc $@"')
        # In the place of Python stands a program that says that it was started.
        launchers.launch(
            place, self.script("python", 'shift 3; echo "python $@"'), f"{SRC}/linkspan/{launchers.LAUNCHER}"
        )
        self.config = str(folder / "config.toml")

    def script(self, name: str, text: str) -> str:
        path = self.folder / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)
        return str(path)

    def mark(
        self,
        *,
        config_exists: bool,
        path: str = "/usr/bin:/bin",
        words: tuple[str, ...] = ("NVIDIA_",),
        every: bool = False,
    ) -> str:
        marker = f"{self.place.state}/settings/{state.caller_name(self.config, path)}"
        os.makedirs(os.path.dirname(marker), exist_ok=True)
        value = stamps.take("file", self.config) if config_exists else ""
        stamp = ["file" if config_exists else "absent", self.config, value]
        switches = {"config": self.config, "path": path, "stamps": [stamp], "low_level": self.runc}
        with open(marker, "w") as file:
            names = {"env_names": ["DOCKER_RESOURCE_GPU"], "annotation_prefixes": ["cdi.k8s.io/"], "every": every}
            file.write(state.settings_text(switches | names | {"request_words": words}))
        return marker

    def create(self, config_json: str) -> str:
        (self.folder / "bundle/config.json").write_text(config_json)
        return self("create", "--bundle", f"{self.folder}/bundle", "c1").split()[0]

    def __call__(self, *argv: str) -> str:
        done = run(self.place.runtime, *argv, NVIDIA_CTK_CONFIG_FILE_PATH=self.config)
        assert done.stderr == ""
        return done.stdout


@pytest.fixture
def launched(place, tmp_path) -> Launched:
    return Launched(place, tmp_path)


def test_the_launcher_sends_every_verb_but_create_straight_on(launched):
    launched.mark(config_exists=False)
    assert launched("--root", "/r x", "state", "c 1") == "runc --root /r x state c 1\n"
    assert launched("create", "c1") == "python create c1\n"


def test_the_launcher_goes_the_long_way_where_nothing_is_known(launched):
    assert launched("state", "c1") == "python state c1\n"


def test_the_launcher_sees_that_the_configuration_changed(launched):
    with open(launched.config, "w") as file:
        file.write("x = 1\n")
    launched.mark(config_exists=False)
    assert launched("state").startswith("python"), "a configuration file appeared"
    launched.mark(config_exists=True)
    assert launched("state").startswith("runc")
    os.utime(launched.config, ns=(0, os.stat(launched.config).st_mtime_ns + 1))
    assert launched("state").startswith("python"), "it became newer by a nanosecond"
    os.utime(launched.config, ns=(0, os.stat(launched.config).st_mtime_ns - 1000))
    assert launched("state").startswith("python"), "it became older: an old one was put back"
    launched.mark(config_exists=True)
    before = os.stat(launched.config)
    with open(launched.config, "w") as file:
        file.write("yy = 1\n")
    os.utime(launched.config, ns=(0, before.st_mtime_ns))
    assert launched("state").startswith("python"), "another content with the same time"
    os.unlink(launched.config)
    assert launched("state").startswith("python"), "it is gone"


def test_the_launcher_sees_another_path_and_a_runtime_that_is_gone(launched):
    marker = launched.mark(config_exists=False, path="/elsewhere")
    os.rename(marker, launched.mark(config_exists=False))
    assert launched("state").startswith("python"), "the file is for another PATH than its name says"
    launched.mark(config_exists=False)
    os.unlink(launched.runc)
    assert launched("state").startswith("python")


def test_engines_with_paths_of_their_own_do_not_drive_each_other_out(launched):
    launched.mark(config_exists=False)
    launched.mark(config_exists=False, path="/opt/k3s/bin")
    assert launched("state").startswith("runc")


def test_a_container_that_cannot_be_a_request_goes_straight_on(launched):
    launched.mark(config_exists=False, words=("NVIDIA_", "cdi.k8s.io"))
    assert launched.create('{"process": {"env": ["PATH=/bin"]}}') == "runc"
    assert launched.create('{"process": {"env": ["NVIDIA_VISIBLE_DEVICES=0"]}}') == "python"
    assert launched.create('{"annotations": {"cdi.k8s.io\\/x": "a"}}') == "python"
    assert launched.create("") == "python", "what is wrong with it is for the wrapper to say"
    launched.mark(config_exists=False, every=True)
    assert launched.create('{"process": {}}') == "python", "in mode legacy every container is a request"
    launched.mark(config_exists=False, words=("NVIDIA_", ""))
    assert launched.create('{"process": {}}') == "python", "an empty annotation prefix fits all"


def test_the_launcher_looks_into_the_bundle_that_runc_will_take(launched):
    launched.mark(config_exists=False)
    launched.create('{"process": {"env": ["NVIDIA_VISIBLE_DEVICES=0"]}}')
    bundle = f"{launched.folder}/bundle"
    os.makedirs(f"{launched.folder}/plain")
    (launched.folder / "plain/config.json").write_text("{}")
    plain = f"{launched.folder}/plain"
    assert launched("create", "-b", plain, f"--bundle={bundle}").startswith("python")
    assert launched("create", f"---bundle={bundle}", "-b", plain).startswith("runc")
    assert launched("create", "--bundle").startswith("python")
    assert launched("run", "--bundle", "create", "c1").startswith("runc"), "the bundle has that name"
    assert launched("create", "--bundle", "/nowhere").startswith("python")


def test_a_short_cut_that_others_may_have_written_is_not_taken(launched):
    marker = launched.mark(config_exists=False)
    os.chmod(marker, 0o666)
    assert launched("state").startswith("python")
    os.chmod(marker, 0o644)
    os.chown(marker, 65534, 0)
    assert launched("state").startswith("python")


@pytest.mark.parametrize("text", ["", "\n", "a\nb\n", "x" * 70000, "\n" * 200, "\0" * 100])
def test_a_short_cut_that_is_none_is_not_taken(launched, text):
    with open(launched.mark(config_exists=False), "w") as file:
        file.write(text)
    assert launched("state").startswith("python")


def test_a_launcher_without_what_to_start_says_so(launched):
    os.unlink(f"{launched.place.library}/linkspan-runtime.start")
    done = run(launched.place.runtime, "state")
    assert done.returncode == 1
    assert done.stderr.endswith(
        "linkspan-runtime.start: No such file or directory; run 'linkspan install' again, as root if it is root's\n"
    )


def test_the_launcher_says_its_version_and_goes_on(launched):
    launched.mark(config_exists=False)
    first, spec, blank, rest = launched("--version").split("\n", 3)
    assert first.startswith("linkspan-runtime version ")
    assert (spec, blank, rest) == ("spec: 1.3.0", "", "runc --version\n")
