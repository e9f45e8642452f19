"""Chains for the tests of the pictures: one that holds, one that is broken, one whose names are hostile."""

import msgspec

from linkspan.check.model import Evidence, Finding, Remedy, Report, Unanswered
from linkspan.explain.chain import Box, Chain

LIBRARIES = "/usr/lib/x86_64-linux-gnu"
HOLDS = Chain(
    subject="container trainer (docker, 3f8c1a…)",
    verdict="Every link from python3 to the two H100s holds.",
    works=True,
    boxes=(
        Box(
            key="application",
            title="python3 train.py",
            side="container",
            state="holds",
            path="/usr/bin/python3.11",
            owner="image layer 5 of 7",
        ),
        Box(
            key="framework",
            title="PyTorch",
            version="2.4.1+cu121",
            side="container",
            state="holds",
            path="/usr/local/lib/python3.11/site-packages/torch/lib/libtorch_cuda.so",
            owner="image layer 6 of 7",
        ),
        Box(
            key="cuda",
            title="CUDA runtime",
            version="12.1.105",
            side="container",
            state="holds",
            path="/usr/local/cuda-12.1/targets/x86_64-linux/lib/libcudart.so.12.1.105",
            owner="image layer 3 of 7",
        ),
        Box(
            key="bridge",
            title="linkspan-runtime",
            version="0.9.0",
            side="bridge",
            state="holds",
            path="/usr/bin/linkspan-runtime",
            owner="host package linkspan",
            detail="asked for GPUs 0 and 2 by NVIDIA_VISIBLE_DEVICES",
            evidence=(
                Evidence(
                    subject="/run/containers/3f8c1a/config.json",
                    field="process.env",
                    value="NVIDIA_VISIBLE_DEVICES=0,2",
                ),
            ),
        ),
        Box(
            key="libcuda",
            title="libcuda.so.1",
            version="550.163.01",
            side="host",
            state="holds",
            path=f"{LIBRARIES}/libcuda.so.550.163.01",
            owner="host, mounted read-only",
            evidence=(
                Evidence(
                    subject="/proc/4711/mountinfo",
                    field="libcuda.so.550.163.01",
                    value="ro,nosuid,nodev on ext4 /dev/nvme0n1p2",
                ),
            ),
        ),
        Box(
            key="driver",
            title="NVIDIA kernel module",
            version="550.163.01",
            side="host",
            state="holds",
            path="/proc/driver/nvidia/version",
            owner="host",
            evidence=(
                Evidence(
                    subject="/proc/driver/nvidia/version",
                    field="NVRM version",
                    value="NVIDIA UNIX x86_64 Kernel Module  550.163.01",
                ),
            ),
        ),
        Box(
            key="gpu",
            title="2 × H100 80GB HBM3",
            side="host",
            state="holds",
            path="/dev/nvidia0, /dev/nvidia2",
            owner="host, device rule c 195:* rw",
        ),
    ),
)
BROKEN_BOX = msgspec.structs.replace(
    HOLDS.boxes[4],
    state="broken",
    version="535.183.01",
    path=f"{LIBRARIES}/libcuda.so.535.183.01",
    owner="image layer 4 of 7",
    detail="the image brings a libcuda of its own, of driver 535.183.01; the kernel module is 550.163.01",
    finding="I-DRIVER-2",
    remedy=Remedy(
        text="Take the driver’s libraries out of the image; they come from the host when the container starts.",
        commands=(
            "docker exec trainer sh -c 'ls -l /usr/lib/x86_64-linux-gnu/libcuda.so*'",
            "sed -i '/libnvidia-compute-535/d' Dockerfile && docker build -t registry.example/team/trainer:2024-11 .",
        ),
    ),
    evidence=(
        Evidence(
            subject="/proc/4711/maps",
            field="libcuda",
            value=f"7f2a1c000000-7f2a1d400000 r-xp {LIBRARIES}/libcuda.so.535.183.01",
        ),
        Evidence(subject=f"{LIBRARIES}/libcuda.so.1", field="symlink", value="libcuda.so.535.183.01"),
        Evidence(subject="/proc/driver/nvidia/version", field="NVRM version", value="550.163.01"),
    ),
)


def _broken() -> Chain:
    unreached = (msgspec.structs.replace(box, state="not reached") for box in HOLDS.boxes[:3])
    boxes = (*unreached, HOLDS.boxes[3], BROKEN_BOX, *HOLDS.boxes[5:])
    verdict = (
        "CUDA fails in trainer, because the image brings a libcuda of its own, which does not fit the host’s driver."
    )
    return msgspec.structs.replace(HOLDS, boxes=boxes, works=False, verdict=verdict)


BROKEN = _broken()

FINDING = Finding(
    id="D-DRIVER-1",
    title="driver and kernel module are of different versions",
    link="version",
    severity="critical",
    horizon="now",
    cause="the kernel module is 535.183.01, the libraries are 550.163.01",
    symptoms=("Failed to initialize NVML: Driver/library version mismatch",),
    why="The libraries were updated while the kernel module of the version before is still loaded.",
    evidence=(
        Evidence(subject="/proc/driver/nvidia/version", field="NVRM version", value="535.183.01"),
        Evidence(subject=f"{LIBRARIES}/libcuda.so.550.163.01", field="name", value="550.163.01"),
    ),
    remedy=Remedy(
        text="Reboot, or stop all users of the GPUs and load the module anew.", commands=("systemctl reboot",)
    ),
    links=("https://github.com/NVIDIA/nvidia-container-toolkit/issues/394",),
)
REPORT = Report(
    findings=(
        FINDING,
        msgspec.structs.replace(
            FINDING,
            id="C-CDI-3",
            title="the CDI spec is older than the driver",
            link="bridge",
            severity="warning",
            horizon="later",
            about="/etc/cdi/nvidia.yaml",
            cause="/etc/cdi/nvidia.yaml names files of 535.183.01",
            symptoms=(),
            links=(),
            remedy=Remedy(text="Write it anew.", commands=("linkspan cdi refresh",)),
        ),
        msgspec.structs.replace(
            FINDING,
            id="S-DOCKER-1",
            title="containers may choose their GPUs by variable",
            link="engine-config",
            severity="warning",
            horizon="insecure",
            about="docker",
            cause="accept-nvidia-visible-devices-envvar-when-unprivileged is true",
            symptoms=(),
            links=(),
            remedy=Remedy(text="Let only mounts choose."),
        ),
    ),
    unanswered=(Unanswered(id="E-PODMAN-2", reason="podman info did not answer within 5 seconds"),),
    held={"pci": "8 × 10de:2330", "module": "nvidia, nvidia_uvm, nvidia_modeset are loaded"},
)

NASTY = (
    "<script>document.title='taken'</script>",
    "\"><img src=x onerror=document.title='taken'>",
    "' onmouseover='document.title=1",
    "</style></title><!-- ]]> --><b>bold</b>&lt;&#60;",
    "\x1b[31mred\x1b]0;title\x07\r\x00\x9b2J",
    "gpj.\u202etxt.\u2066exe\u200f\u200d\ufeff",
    "\udcff\ud800 \U000e0041 \uffff",
    "javascript:alert(1)",
    "x" * 10_000,
    "שלום مرحبا " * 30,
)
"""Names as a hostile image could have them."""


def hostile(number: int) -> Box:
    """A box in which every text is nasty, each field in its own way."""

    def name(place: int) -> str:
        return NASTY[(number + place) % len(NASTY)]

    return Box(
        key="libcuda",
        title=name(0),
        version=name(1),
        path=f"/opt/{name(2)}",
        owner=name(3),
        detail=name(4),
        finding=name(5),
        side=("container", "bridge", "host")[min(number // 4, 2)],  # type: ignore[arg-type]
        state=("broken", "doubtful", "not reached", "unknown")[number % 4],  # type: ignore[arg-type]
        remedy=Remedy(text=name(6), commands=(name(7), name(8), name(9), name(0))),
        evidence=(Evidence(subject=name(1), field=name(2), value=name(3)), Evidence(subject=name(8), value=name(8))),
    )


HOSTILE = Chain(
    subject=NASTY[1], verdict=" ".join(NASTY), works=None, boxes=tuple(hostile(n) for n in range(len(NASTY)))
)
HOSTILE_REPORT = Report(
    looked_at=NASTY[0],
    findings=tuple(
        msgspec.structs.replace(
            FINDING, id=name, title=name, cause=name, about=name, why=name, symptoms=(name,), links=(name,)
        )
        for name in NASTY
    ),
    unanswered=(Unanswered(id=NASTY[0], reason=NASTY[1]),),
    held={NASTY[0]: NASTY[1], "pci": NASTY[8]},
)
