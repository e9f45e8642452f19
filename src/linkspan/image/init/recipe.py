"""The text of a Dockerfile for a project, from what it needs."""

import json
import re
from collections.abc import Iterator
from typing import NamedTuple

from linkspan.image.init import entry, requirements
from linkspan.image.init.bases import Bases, bases, for_cmake, for_torch
from linkspan.image.init.needs import Needs
from linkspan.image.init.project import Project
from linkspan.image.init.requirements import manifest, requirement_file, section

_USER = "10001"
_ODD = re.compile(r"[^\w.,=<>!~\[\] -]")
"""What no requirement has, and a shell or a Dockerfile might give a meaning."""
_UNFIT = re.compile(r"[^\w.:/+-]")
_PIP = "RUN --mount=type=cache,target=/root/.cache/pip \\"
_APT = (
    "RUN --mount=type=tmpfs,target=/var/cache/apt \\",
    "    --mount=type=cache,target=/var/lib/apt,sharing=locked \\",
)
"""One lock only, and last: before 1.29, buildah frees but that of the last mount, and the next RUN waits without end
(its issue 4342). Nothing is lost: apt of Debian's and Ubuntu's images deletes the packages that it has fetched."""


class _Work(NamedTuple):
    project: Project
    needs: Needs
    bases: Bases
    conda: str


def dockerfile(project: Project, needs: Needs) -> str:
    """A Dockerfile for the project, with comments that say why it is as it is."""
    conda = next((path for path in project.matching("environment.yml", "environment.yaml") if "/" not in path), "")
    conda = conda if not requirement_file(project) and needs.kind != "triton-server" else ""
    work = _Work(project, needs, bases(needs, bool(conda)), conda)
    blocks = [_head(needs), *_build(work), "\n".join(_run(work))]
    return "\n\n".join(block for block in blocks if block) + "\n"


def _head(needs: Needs) -> str:
    return "\n".join(("# syntax=docker/dockerfile:1", *(f"# {one[:1].upper()}{one[1:]}." for one in needs.reasons)))


def _build(work: _Work) -> Iterator[str]:
    if work.needs.kind == "triton-server":
        return
    if work.needs.kind == "cuda-cpp":
        yield "\n".join((f"FROM {work.bases.build} AS build", *_compile(work)))
    elif work.conda:
        yield "\n".join((f"FROM {work.bases.build} AS build", *_conda(work)))
    else:
        yield "\n".join((f"FROM {work.bases.build} AS build", *_environment(work)))


def _packages(*names: str) -> Iterator[str]:
    yield from _APT
    yield "    apt-get update && apt-get install -y --no-install-recommends \\"
    yield f"    {' '.join(names)}"


def _compile(work: _Work) -> Iterator[str]:
    texts = work.project.texts
    uses_cmake = "CMakeLists.txt" in texts
    makes = "Makefile" in texts or "makefile" in texts
    if uses_cmake:
        yield from _packages("cmake", "ninja-build")
    yield "WORKDIR /src"
    yield "COPY . ."
    name = work.needs.command[0].rpartition("/")[2]
    if uses_cmake:
        yield "# Code for the GPUs that servers have, and PTX for those to come; a build has no GPU to ask."
        yield "RUN cmake -S . -B /build -G Ninja -DCMAKE_BUILD_TYPE=Release \\"
        yield f'    -DCMAKE_CUDA_ARCHITECTURES="{for_cmake(work.bases.cuda)}" \\'
        yield " && cmake --build /build \\"
        installs = re.search(r"^\s*install\s*\(", texts["CMakeLists.txt"], re.MULTILINE | re.IGNORECASE)
        yield " && cmake --install /build --prefix /opt/app" if installs else f" && {_gather('/build', name)}"
    elif makes:
        yield f'RUN make -j"$(nproc)" && {_gather(".", name)}'
    else:
        files = " ".join(path for path in work.project.files if path.endswith((".cu", ".cpp", ".cc")))
        yield f"RUN mkdir -p /opt/app/bin && nvcc -O3 -arch=all-major -o /opt/app/bin/{name} {files}"


def _gather(folder: str, name: str) -> str:
    return f"find {folder} -type f -name {name} -perm -u+x -exec install -D -t /opt/app/bin {{}} +"


def _conda(work: _Work) -> Iterator[str]:
    yield "USER root"
    yield "# A build has no GPU: without this, conda takes the packages for processors."
    yield "ENV CONDA_OVERRIDE_CUDA=12.9"
    yield f"COPY {work.conda} /tmp/environment.yml"
    yield "RUN --mount=type=cache,target=/opt/conda/pkgs \\"
    yield "    micromamba create --yes --prefix /opt/venv --file /tmp/environment.yml"


def _environment(work: _Work) -> Iterator[str]:
    needs, project = work.needs, work.project
    listed = requirement_file(project)
    wants_git = "git+" in project.texts.get(listed, "")
    if work.bases.cuda:
        yield from _packages("python3", "python3-venv", *(["python3-dev"] * needs.compiles), *(["git"] * wants_git))
    elif wants_git:
        yield from _packages("git")
    yield "RUN python3 -m venv /opt/venv"
    yield "ENV PATH=/opt/venv/bin:$PATH PIP_DISABLE_PIP_VERSION_CHECK=1"
    if needs.compiles:
        yield "# What is compiled is compiled for these GPUs; a build has none to ask."
        yield f'ENV TORCH_CUDA_ARCH_LIST="{for_torch(work.bases.cuda)}" FORCE_CUDA=1'
    yield "WORKDIR /src"
    yield from _installs(work, listed)


def _installs(work: _Work, listed: str) -> Iterator[str]:
    """The requirements first: they change less often than the code, and are the heavy part."""
    built = "pyproject.toml" in work.project.texts or "setup.py" in work.project.texts
    isolated = "" if not work.needs.compiles else " --no-build-isolation"
    if isolated:
        tools = [work.needs.wanted.get("torch", "")] if "torch" in work.needs.wanted else []
        yield _PIP
        yield f"    pip install setuptools wheel ninja {' '.join(map(_quoted, tools))}".rstrip()
    extra = _extra(work.needs)
    if listed:
        yield f"COPY {listed} ./"
        yield _PIP
        yield f"    pip install{isolated} -r {listed}{extra}"
    elif extra or not _is_package(work.project):
        names = [] if _is_package(work.project) else sorted(work.needs.wanted.values())
        if extra or names:
            yield _PIP
            yield f"    pip install{''.join(' ' + _quoted(name) for name in names)}{extra}"
    if built and _is_package(work.project):
        yield "COPY . ."
        yield _PIP
        yield f"    pip install{isolated} ."


def _is_package(project: Project) -> bool:
    """Whether pip can install the project itself."""
    declared = manifest(project)
    return "setup.py" in project.texts or "build-system" in declared or "project" in declared


def _extra(needs: Needs) -> str:
    """What a requirement leaves out: without it, the framework is installed for processors alone."""
    for name, extra in (("tensorflow", "and-cuda"), ("jax", "cuda12")):
        if needs.kind == name and f"[{extra[:4]}" not in needs.wanted.get(name, ""):
            version = re.sub(r"^[A-Za-z-]+(\[[^\]]*\])?", "", needs.wanted.get(name, "")).partition(";")[0].strip()
            return " " + _quoted(f"{name}[{extra}]{version}")
    return ""


def _quoted(requirement: str) -> str:
    bare = requirement.partition(";")[0].strip()
    return bare if re.fullmatch(r"[\w.=-]+", bare) else f'"{_ODD.sub("", bare)}"'


def _run(work: _Work) -> Iterator[str]:
    needs = work.needs
    yield f"FROM {work.bases.run}"
    yield from _labels(work)
    yield f"RUN groupadd --gid {_USER} app && useradd --uid {_USER} --gid {_USER} --create-home app"
    wanted = ["python3"] * bool(work.bases.cuda and needs.kind != "cuda-cpp") + ["gcc", "libc6-dev"] * needs.jit
    if wanted:
        if needs.jit:
            yield "# Triton compiles its launchers when the program runs."
        yield from _packages(*wanted)
    if needs.capabilities:
        yield "# Which GPUs it gets is said when it is started; these say that it wants some, and the driver's parts."
        yield f"ENV NVIDIA_VISIBLE_DEVICES=all \\\n    NVIDIA_DRIVER_CAPABILITIES={','.join(needs.capabilities)}"
    yield from _content(work)
    if any(entry.PORT in word.split(":") for word in needs.command):
        yield f"EXPOSE {entry.PORT}"
    yield f"USER {_USER}:{_USER}"
    yield f"CMD {json.dumps(list(needs.command))}"


def _labels(work: _Work) -> Iterator[str]:
    declared = section(requirements.manifest(work.project), "project")
    name, version = declared.get("name"), declared.get("version")
    labels = {"title": name if isinstance(name, str) else work.project.name, "base.name": work.bases.run}
    if isinstance(version, str):
        labels["version"] = version
    pairs = [f'org.opencontainers.image.{key}="{_UNFIT.sub("-", text)}"' for key, text in labels.items()]
    yield "LABEL " + " \\\n      ".join(pairs)


def _content(work: _Work) -> Iterator[str]:
    if work.needs.kind == "triton-server":
        if listed := requirement_file(work.project):
            yield f"COPY {listed} /tmp/{listed}"
            yield _PIP
            yield f"    pip install -r /tmp/{listed}"
        yield '# The models are mounted here: docker run -v "$PWD":/models:ro'
        yield "VOLUME /models"
        yield "EXPOSE 8000 8001 8002"
    elif work.needs.kind == "cuda-cpp":
        yield "COPY --from=build /opt/app /opt/app"
        yield "WORKDIR /opt/app"
    else:
        yield "COPY --from=build /opt/venv /opt/venv"
        yield "ENV PATH=/opt/venv/bin:$PATH PYTHONUNBUFFERED=1"
        yield "WORKDIR /app"
        yield "COPY . ."
