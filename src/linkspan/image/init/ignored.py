"""The .dockerignore of a project: what the builder is not to be given."""

from linkspan.image.init.project import Project

_ALWAYS = """\
# Written by 'linkspan image init': what no image needs, and what none should have.
.git
.github
.gitlab-ci.yml
.dockerignore
Dockerfile*
Containerfile*
**/__pycache__
**/*.pyc
**/.pytest_cache
**/.mypy_cache
**/.ruff_cache
**/.ipynb_checkpoints
**/*.egg-info
.venv
venv
build
dist
node_modules
# Secrets.
.env
.env.*
**/.netrc
**/.pypirc
**/id_rsa*
**/id_ed25519*
**/*.pem
# Models and data: mounted when the container starts.
**/*.safetensors
**/*.gguf
**/*.ckpt
**/*.pt
**/*.pth
**/*.onnx
**/*.engine
**/*.plan
**/*.h5
wandb
mlruns
checkpoints
# The driver is the host's.
**/NVIDIA-Linux-*.run
**/cuda_*.run
"""


def dockerignore(project: Project) -> str:
    """The text of the file; a folder that Python code is imported from is never left out."""
    packages = {path.partition("/")[0] for path in project.files if path.endswith("/__init__.py")}
    kept = (line for line in _ALWAYS.splitlines() if line not in packages)
    return "\n".join(kept) + "\n"
