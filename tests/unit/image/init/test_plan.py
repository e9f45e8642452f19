import json
import os
import shutil
import subprocess

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from linkspan.errors import ConfigError
from linkspan.image import cuda_tags
from linkspan.image.dockerfile import parse
from linkspan.image.dockerfile_checks import findings
from linkspan.image.dockerfile_model import base_of
from linkspan.image.init import bases, plan, recipe
from linkspan.image.init.needs import needs
from linkspan.image.init.project import Project, read
from linkspan.image.stages import stages

PROJECTS = f"{os.path.dirname(os.path.dirname(os.path.abspath(__file__)))}/projects"
KINDS = {
    "pytorch": "pytorch",
    "tensorflow": "tensorflow",
    "tensorrt": "cuda-cpp",
    "onnxruntime": "onnxruntime",
    "triton-client": "triton-client",
    "cuda-cpp": "cuda-cpp",
    "jax": "jax",
    "python": "python",
    "extension": "pytorch",
    "model-repository": "triton-server",
}


def text_of(name):
    return plan.plan(f"{PROJECTS}/{name}").drafts[0].text


def of(**texts):
    """A project made of these files; a dot in a name is written as two underscores."""
    named = {path.replace("__", ".").replace("SLASH", "/"): text for path, text in texts.items()}
    return Project(name="p", files=tuple(named), texts=named)


def test_every_sample_is_known_here():
    assert sorted(os.listdir(PROJECTS)) == sorted(KINDS)


@pytest.mark.parametrize("name", KINDS)
def test_a_sample_is_recognised_and_its_dockerfile_breaks_no_rule(name):
    made = plan.plan(f"{PROJECTS}/{name}")
    assert made.kind == KINDS[name]
    assert made.findings == ()
    assert findings(parse(made.drafts[0].text)) == []


@pytest.mark.parametrize("name", KINDS)
def test_bases_are_pinned_to_tags_that_there_are(name):
    for stage in stages(parse(text_of(name))):
        base = base_of(stage.image)
        assert base.tag
        assert not base.is_cuda or not cuda_tags.fault(base.tag)


@pytest.mark.parametrize("name", KINDS)
def test_the_image_has_a_user_and_a_command_that_is_no_shell(name):
    steps = stages(parse(text_of(name)))[-1].steps
    assert [step.instruction.value for step in steps if step.instruction.keyword == "USER"] == ["10001:10001"]
    assert steps[-1].instruction.words


@pytest.mark.parametrize("name", [name for name in KINDS if name not in ("python", "triton-client")])
def test_an_image_for_gpus_asks_for_them(name):
    environment = stages(parse(text_of(name)))[-1].environment
    assert environment["NVIDIA_VISIBLE_DEVICES"] == "all"
    assert environment["NVIDIA_DRIVER_CAPABILITIES"] == "compute,utility"


@pytest.mark.parametrize("name", ["python", "triton-client"])
def test_an_image_without_use_for_gpus_asks_for_none(name):
    assert "NVIDIA_VISIBLE_DEVICES" not in stages(parse(text_of(name)))[-1].environment


@pytest.mark.parametrize("name", ["cuda-cpp", "tensorrt", "extension"])
def test_what_is_compiled_is_compiled_on_devel_and_does_not_run_there(name):
    first, last = stages(parse(text_of(name)))
    assert "-devel-" in first.image
    assert "-devel-" not in last.image
    assert last.sources == (0,)


def buildah():
    """The path of buildah, or a skip that says why."""
    found = shutil.which("buildah")
    if not found:
        pytest.skip("buildah is not installed")
    if os.geteuid():
        pytest.skip("buildah reads a Dockerfile as root only, unless it may make user namespaces")
    return found


def built(folder, text):
    """Build a Dockerfile with buildah, in a store of its own, and without network; what it prints, or its complaint."""
    store = [buildah(), "--root", f"{folder}/root", "--runroot", f"{folder}/run", "--storage-driver", "vfs"]
    context = folder / "context"
    context.mkdir()
    (context / "Dockerfile").write_text(text)
    done = called(*store, "bud", "--pull-never", "--isolation", "chroot", "-t", "made", str(context))
    if done.returncode:
        return None, done.stderr
    shown = called(*store, "inspect", "--type", "image", "localhost/made")
    return json.loads(shown.stdout)["OCIv1"]["config"], ""


def called(*command):
    return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, check=False)


def without_running(text):
    """The Dockerfile on an empty base, without what is run or copied from other stages."""
    read = parse(text)
    kept = []
    for piece in read.pieces:
        keyword = getattr(piece, "keyword", "")
        if keyword == "FROM":
            kept.append(piece.raw.replace(piece.value.split()[0], "scratch"))
        elif keyword != "RUN" and not (keyword == "COPY" and (piece.flags or piece.value != ". .")):
            kept.append(piece.raw)
    return "".join(kept)


@pytest.mark.privileged
@pytest.mark.parametrize("name", KINDS)
def test_buildah_gives_the_image_the_variables_user_and_command_that_we_read(name, tmp_path):
    config, complaint = built(tmp_path, without_running(text_of(name)))
    assert config is not None, complaint
    stage = stages(parse(text_of(name)))[-1]
    theirs = dict(entry.partition("=")[::2] for entry in config.get("Env", ()))
    ours = stage.environment
    assert {key: value for key, value in theirs.items() if key != "PATH"} == {
        key: value for key, value in ours.items() if key != "PATH"
    }
    assert config["User"] == "10001:10001"
    assert tuple(config["Cmd"]) == stage.steps[-1].instruction.words


# Only what buildah knows, too: it has no ${A-x}, and takes \\ for an escape character whatever the directive says.
ODD = [
    "ARG V=1\nFROM scratch\nARG V\nENV A=$V B='$V' C=\"$V x\"",
    "FROM scratch\nENV A=1 \\\n  # why\n\n  B=2",
    "FROM scratch\nENV A=1\nENV A=2 B=$A C=${A}${A}",
    "FROM scratch\nENV A=\nENV B=${A:-x} D=${A:+y} F=${N:-${A:-z}}",
    'FROM scratch\nENV A=a\\ b B="c\\"d" C=\'e"f\'',
    "FROM scratch\nENV A one two  three",
    "FROM scratch AS low\nENV A=low\nFROM low\nENV B=${A}er",
    "# escape=`\nFROM scratch\nENV A=1 `\n  B=2",
    "FROM scratch\nENV A=\\$V B=$ C=1$",
]


@pytest.mark.privileged
@pytest.mark.parametrize("text", ODD)
def test_buildah_puts_variables_in_as_we_do(text, tmp_path):
    config, complaint = built(tmp_path, text + "\nUSER 1\n")
    assert config is not None, complaint
    theirs = dict(entry.partition("=")[::2] for entry in config.get("Env", ()))
    theirs.pop("PATH", None)
    assert theirs == stages(parse(text))[-1].environment


@pytest.mark.privileged
def test_buildah_refuses_what_is_no_instruction_as_we_do(tmp_path):
    config, complaint = built(tmp_path, "FROM scratch\nRUNN x\n")
    assert config is None
    assert "RUNN" in complaint


@pytest.mark.parametrize(
    ("requirement", "image"),
    [
        ("torch==2.4.1\nflash-attn", "nvidia/cuda:12.1.1-devel-ubuntu22.04"),
        ("torch==2.6.0\nflash-attn", "nvidia/cuda:12.4.1-devel-ubuntu22.04"),
        ("torch==2.12.1\nflash-attn", "nvidia/cuda:13.0.2-devel-ubuntu24.04"),
        ("torch==2.9.1", "python:3.12-slim-trixie"),
        ("torch==2.1.2", "python:3.11-slim-trixie"),
        ("onnxruntime-gpu==1.16.3", "nvidia/cuda:11.8.0-cudnn8-runtime-ubuntu22.04"),
        ("onnxruntime-gpu==1.31.0", "nvidia/cuda:13.0.2-cudnn-runtime-ubuntu24.04"),
        ("cupy-cuda12x", "nvidia/cuda:12.9.1-runtime-ubuntu24.04"),
    ],
)
def test_the_base_has_the_cuda_that_the_wheels_are_built_with(requirement, image):
    made = of(requirements__txt=requirement)
    assert f"FROM {image} AS build" in recipe.dockerfile(made, needs(made))


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"requirements__txt": "tensorflow"}, 'pip install -r requirements.txt "tensorflow[and-cuda]"'),
        ({"requirements__txt": "tensorflow[and-cuda]==2.18"}, "pip install -r requirements.txt\n"),
        ({"requirements__txt": "jax"}, '"jax[cuda12]"'),
        ({"requirements__txt": "vllm"}, "gcc libc6-dev"),
        ({"requirements__txt": "torch\npynvvideocodec"}, "compute,utility,video"),
        ({"requirements__txt": "git+https://host/x.git\ntorch"}, "    git\n"),
        ({"saxpy__cu": "int main() {}"}, "nvcc -O3 -arch=all-major -o /opt/app/bin/saxpy saxpy.cu"),
        ({"CMakeLists__txt": "project(x CUDA)\nadd_executable(y z.cu)"}, "-name y -perm"),
        ({"a__cu": "#include <cudnn.h>"}, "cudnn-runtime"),
        ({"main__py": "import torch"}, 'CMD ["python3", "main.py"]'),
        ({"pkgSLASH__main____py": ""}, 'CMD ["python3"'),
        ({"environment__yml": "dependencies:\n  - pytorch=2.4\n"}, "CONDA_OVERRIDE_CUDA"),
    ],
)
def test_what_a_project_needs_is_in_its_dockerfile(files, expected):
    made = of(**files)
    text = recipe.dockerfile(made, needs(made))
    assert expected in text
    assert findings(parse(text)) == []


HOSTILE = st.text(alphabet=st.characters(codec="utf-8"), max_size=40)


@given(
    HOSTILE,
    st.lists(st.sampled_from(["torch", "jax", "onnxruntime-gpu==", "x[a]", ";", "\n", "\\", '"', "$(id)"])),
    HOSTILE,
)
@settings(max_examples=150, deadline=None)
def test_no_text_of_a_project_gets_an_instruction_of_its_own_into_the_dockerfile(name, words, other):
    toml = f'[project]\nname = "{other}"\nversion = """{other}"""\ndependencies = ["{other}"]\n'
    texts = {"requirements.txt": "".join(words) + other, "pyproject.toml": toml, "CMakeLists.txt": f"project({other})"}
    made = Project(name=name or "p", files=tuple(texts), texts=texts)
    text = recipe.dockerfile(made, needs(made))
    keywords = {one.keyword for one in parse(text).instructions}
    assert keywords <= {"FROM", "RUN", "COPY", "ENV", "LABEL", "USER", "WORKDIR", "CMD", "VOLUME", "EXPOSE"}
    assert [stage.number for stage in stages(parse(text))] == [0, 1]


def test_architectures_are_those_that_the_compiler_knows():
    assert bases.for_cmake("12.4") == "70-real;75-real;80-real;86-real;89-real;90"
    assert bases.for_torch("13.0") == "7.5;8.0;8.6;8.9;9.0;10.0;12.0+PTX"


def test_a_link_out_of_the_folder_and_a_pipe_are_not_read(tmp_path):
    (tmp_path / "secret").write_text("torch")
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "requirements.txt").symlink_to(tmp_path / "secret")
    os.mkfifo(folder / "setup.py")
    assert read(str(folder)).texts == {}


def test_a_name_that_would_break_a_line_is_no_file_of_the_project(tmp_path):
    (tmp_path / "a\nRUN x.cu").write_text("")
    (tmp_path / "b.cu").write_text("")
    assert read(str(tmp_path)).files == ("b.cu",)


def test_a_folder_that_tells_nothing_is_refused_with_a_sentence(tmp_path):
    with pytest.raises(ConfigError, match="tells what it is"):
        plan.plan(str(tmp_path))
    with pytest.raises(ConfigError, match="is no folder"):
        plan.plan(f"{tmp_path}/none")


def test_a_package_of_the_project_is_never_ignored(tmp_path):
    (tmp_path / "wandb").mkdir()
    (tmp_path / "wandb" / "__init__.py").write_text("import torch")
    assert "\nwandb\n" not in plan.plan(str(tmp_path)).drafts[1].text


UVICORN, ALL = ["uvicorn"], ["--host", "0.0.0.0", "--port", "8000"]


@pytest.mark.parametrize(
    ("wanted", "code", "command"),
    [
        (
            "fastapi\nuvicorn[standard]",
            "app = FastAPI()",
            [*UVICORN, "main:app", *ALL],
        ),
        (
            "fastapi[standard]",
            "api: FastAPI = FastAPI()",
            [*UVICORN, "main:api", *ALL],
        ),
        ("flask\ngunicorn", "app = Flask(__name__)", ["gunicorn", "--bind", "0.0.0.0:8000", "main:app"]),
        ("flask", "app = Flask(__name__)", ["python3", "main.py"]),
        ("fastapi\nuvicorn", "app = FastAPI()\nif __name__ == '__main__': run()", ["python3", "main.py"]),
        ("fastapi\nuvicorn", "# app = FastAPI()", ["python3", "main.py"]),
    ],
)
def test_a_service_is_started_by_its_server(wanted, code, command):
    project = of(requirements__txt=wanted, main__py=code)
    text = recipe.dockerfile(project, needs(project))
    assert f"CMD {json.dumps(command)}" in text
    assert ("EXPOSE 8000" in text) == ("8000" in " ".join(command))
