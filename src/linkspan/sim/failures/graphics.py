"""Failures of graphics and video: vendor files, capabilities, programs that are not there."""

from linkspan.sim.failing import Failure
from linkspan.sim.guests import ALL_GPUS, COMPUTE, GRAPHICS, LIBRARIES, UTILITY, gpu_container, kept_by_docker, library
from linkspan.sim.machine import RECENTLY, Machine
from linkspan.sim.processes import container_id, process

_NOT_FOUND = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
    'unable to start container process: error during container init: exec: "nvidia-smi": executable file not found in '
    "$PATH: unknown"
)


def _hook_brings_no_vendor_files(machine: Machine) -> None:
    env = {"NVIDIA_DRIVER_CAPABILITIES": "all"}
    loaders = {f"{LIBRARIES}/{name}": library(name) for name in ("libEGL.so.1", "libX11.so.6", "libXext.so.6")}
    gpu_container(machine, 4101, env=env, stems=(*COMPUTE, *UTILITY, *GRAPHICS), files=loaders)
    kept_by_docker(machine, 4101, "render", env=env, requests=[ALL_GPUS], running=True)


def _mount_and_link_at_one_path(machine: Machine) -> None:
    path = "/etc/vulkan/icd.d/nvidia_icd.json"
    mount = {"hostPath": path, "containerPath": path, "options": ["ro", "nosuid", "nodev", "rbind", "rprivate"]}
    args = [
        "nvidia-cdi-hook",
        "create-symlinks",
        "--link",
        f"/usr/lib/aarch64-linux-gnu/nvidia/nvidia_icd.json::{path}",
    ]
    hook = {"hookName": "createContainer", "path": "/usr/local/bin/nvidia-cdi-hook", "args": args}

    def add(document: dict[str, dict[str, list[object]]]) -> None:
        document["containerEdits"].setdefault("mounts", []).append(mount)
        document["containerEdits"].setdefault("hooks", []).append(hook)

    machine.write(path, '{"ICD": {"library_path": "libGLX_nvidia.so.0"}}\n')
    machine.edit_json("/var/run/cdi/nvidia.json", add)


def _utility_not_granted(machine: Machine) -> None:
    env = {"NVIDIA_VISIBLE_DEVICES": "all", "NVIDIA_DRIVER_CAPABILITIES": "compute"}
    kept_by_docker(machine, 4103, "smi", error=_NOT_FOUND, env=env, requests=[ALL_GPUS])


def _video_not_granted(machine: Machine) -> None:
    gpu_container(machine, 4104, argv=("/jellyfin/jellyfin", "--datadir", "/config"))
    inside = f"/system.slice/docker-{container_id(4104)}.scope"
    argv = ["/usr/lib/jellyfin-ffmpeg/ffmpeg", "-hwaccel", "cuda", "-i", "film.mkv", "-c:v", "h264_nvenc", "out.mp4"]
    machine.put(
        process(
            *(4105, argv),
            parent=4104,
            cgroup=inside,
            root=f"/var/lib/sim-containers/{container_id(4104)}",
            namespaces={"mnt": 4026532000 + 4104},
        ),
        RECENTLY,
    )


FAILURES = {
    "D-GRAPHICS-1": Failure("--gpus went through the hook, which brings no vendor files", _hook_brings_no_vendor_files),
    "D-GRAPHICS-2": Failure("a spec mounts a file and links it, too", _mount_and_link_at_one_path),
    "D-GRAPHICS-3": Failure("nvidia-smi was to run without the capability for it", _utility_not_granted),
    "D-GRAPHICS-4": Failure("ffmpeg encodes on the GPU without the capability for it", _video_not_granted),
}
