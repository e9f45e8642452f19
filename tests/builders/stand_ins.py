"""Wheels that stand in for frameworks of gigabytes: their names, versions, and the functions that a project calls."""

import base64
import hashlib
import os
import shutil
import zipfile
from collections.abc import Mapping
from typing import NamedTuple


class Wheel(NamedTuple):
    """A wheel without native code; ``modules`` are paths in it, and their text."""

    name: str
    version: str
    modules: Mapping[str, str]


ONNXRUNTIME = Wheel(
    "onnxruntime-gpu",
    "1.23.2",
    {"onnxruntime/__init__.py": 'def get_available_providers():\n    return ["CUDAExecutionProvider"]\n'},
)
WHEELS = (ONNXRUNTIME,)


def add(served: str, folder: str) -> str:
    """A copy of what is served, with the wheels that stand in for others; its path, below ``folder``."""
    copy = f"{folder}/served"
    shutil.copytree(served, copy, copy_function=_link)
    for wheel in WHEELS:
        _write(f"{copy}/wheels", wheel)
    return copy


def _link(source: str, target: str) -> None:
    try:
        os.link(source, target)
    except OSError:  # another file system
        shutil.copyfile(source, target)


def _write(folder: str, wheel: Wheel) -> None:
    stem = f"{wheel.name.replace('-', '_')}-{wheel.version}"
    about = f"{stem}.dist-info"
    files = {
        **wheel.modules,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {wheel.name}\nVersion: {wheel.version}\n",
        f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: linkspan\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_digest(text)},{len(text.encode())}\n" for path, text in files.items())
    with zipfile.ZipFile(f"{folder}/{stem}-py3-none-any.whl", "w") as archive:
        for path, text in {**files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n"}.items():
            archive.writestr(path, text)


def _digest(text: str) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(text.encode()).digest()).rstrip(b"=").decode()
