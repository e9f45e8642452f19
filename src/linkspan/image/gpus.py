"""GPUs by the names that people give them, to their compute capability, by NVIDIA's list of CUDA GPUs."""

import re

_BY_NAME = {
    "12.1": "GB10 Spark",
    "12.0": "RTXPRO6000 RTXPRO5000 RTXPRO4500 RTXPRO4000 RTXPRO2000 RTX5090 RTX5080 RTX5070 RTX5060 RTX5050",
    "11.0": "Thor",
    "10.3": "B300 GB300",
    "10.0": "B200 GB200",
    "9.0": "H100 H200 H800 H20 GH200",
    "8.9": "L4 L40 L40S L20 L2 RTX6000Ada RTX5000Ada RTX4500Ada RTX4000Ada RTX2000Ada RTX4090 RTX4080 RTX4070 RTX4060",
    "8.7": "Orin",
    "8.6": "A40 A10 A10G A16 A2 RTXA6000 RTXA5000 RTXA4500 RTXA4000 RTXA2000 RTX3090 RTX3080 RTX3070 RTX3060",
    "8.0": "A100 A30 A800",
    "7.5": "T4 TITANRTX QuadroRTX8000 QuadroRTX6000 RTX2080 RTX2070 RTX2060 GTX1660 GTX1650",
    "7.2": "Xavier",
    "7.0": "V100 V100S TITANV GV100",
    "6.2": "TX2",
    "6.1": "P40 P4 GTX1080 GTX1070 GTX1060",
    "6.0": "P100 GP100",
    "5.2": "M60 M40 GTX980 GTX970",
}
_KNOWN = {name.lower(): capability for capability, names in _BY_NAME.items() for name in names.split()}
_NUMBER = re.compile(r"(?:sm_?)?([0-9]{1,2})\.?([0-9])a?")
_BESIDE = re.compile(
    r"nvidia|tesla|geforce|jetson|dgx|agx|nx|nano|ti|super|d|sxm\d?|pcie|nvl|\d+gb|hbm\d\w?|laptop|gpu|generation"
    r"|blackwell|server|workstation|edition"
)
"""Words of a GPU's name that its architecture does not depend on."""


def capability(name: str) -> str:
    """The compute capability of a GPU, ``7.5`` for ``T4``, ``Tesla T4``, ``sm_75`` or ``7.5``; empty if not known."""
    plain = name.strip().lower()
    if found := _NUMBER.fullmatch(plain):
        return f"{found[1]}.{found[2]}"
    words = [word for word in re.split(r"[\s_-]+", plain) if word]
    return _KNOWN.get("".join(words), "") or _KNOWN.get("".join(one for one in words if not _BESIDE.fullmatch(one)), "")


def names() -> str:
    """Some names that are known, for those who gave another."""
    return "T4, V100, A100, L4, H100, B200, RTX 4090"
