"""The steps that follow the driver: its services and nodes, an engine, and the bridge."""

from linkspan.check import registry, run, verdict
from linkspan.check.daemons import Engine
from linkspan.check.distribution import packages
from linkspan.check.package_names import Purpose
from linkspan.setup.look import Look
from linkspan.setup.model import Step
from linkspan.setup.way import Way, install, missing, taken_back

SOCKETS = ("/run/nvidia-persistenced/socket", "/var/run/nvidia-persistenced/socket")
UMAD_FILE = "/etc/modules-load.d/linkspan-fabric.conf"
SPEC = "/var/run/cdi/nvidia.yaml"
_USUAL_ENGINE: dict[str, Purpose] = {"rhel": "podman", "fedora": "podman"}
"""What a family has as its own; the others have Docker."""


def fabric_manager(look: Look, way: Way | None) -> Step | None:
    """Fabric Manager in exactly the driver's version; None on a host without an NVSwitch.

    Another version refuses to start (https://docs.nvidia.com/datacenter/tesla/fabric-manager-user-guide/).
    """
    if not look.has_switch or way is None:
        return None
    version = look.scene.packages.get(way.fabric_package, "").partition("-")[0]
    runs = bool(look.scene.processes.named("nv-fabricmanager"))
    fits = version == look.loaded_version or not look.knows_packages  # it does not run beside another version
    state = f"Fabric Manager {version or 'is not installed'}" + (
        f" {'runs' if runs else 'does not run'}" * bool(version)
    )
    return Step(
        key="fabric-manager",
        title="Fabric Manager, for the NVSwitches",
        why="CUDA waits for it on such hosts, and it has to be of exactly the driver's version",
        check=f"nv-fabricmanager runs, and {way.fabric_package} is of the driver's version",
        found=f"{state}; the driver is {look.loaded_version or 'not loaded'}",
        done=runs and fits,
        commands=(*_subnet_manager(look), *way.fabric, *_service(look, "nvidia-fabricmanager", "restart")),
        verify="nv-fabricmanager runs in that version",
        undo=(
            *_stop(look, "nvidia-fabricmanager"),
            *((f"rm -f {UMAD_FILE}",) if look.has_nvlink5 else ()),
            *taken_back(look, () if version else (way.fabric_package,)),
        ),
    )


def _subnet_manager(look: Look) -> tuple[str, ...]:
    """What Fabric Manager needs to reach the switches of NVLink 5: a subnet manager, and the kernel's door for it."""
    if not look.has_nvlink5:
        return ()
    return (install(look, ["nvlsm"]), rf"printf 'ib_umad\n' | tee {UMAD_FILE} >/dev/null", "modprobe ib_umad")


def persistence(look: Look, way: Way | None) -> Step | None:
    """The daemon that keeps the driver awake; None where a display does that."""
    if look.has_display:
        return None
    there = next((path for path in SOCKETS if look.eyes.exists(path)), "")
    package = _apart(way, way.persistence if way else "")
    lacking = missing(look, [package]) if package else ()
    return Step(
        key="persistence",
        title="the persistence daemon",
        why="without a display the driver shuts the GPUs down after each program, and starts them for each",
        check=f"{SOCKETS[0]} is there",
        found=f"{there} is there" if there else "no daemon listens",
        done=bool(there),
        commands=(*((install(look, lacking),) if lacking else ()), *_service(look, "nvidia-persistenced", "start")),
        verify=f"{SOCKETS[0]} is there",
        undo=(*_stop(look, "nvidia-persistenced"), *taken_back(look, lacking)),
    )


def nodes(look: Look, way: Way | None) -> Step:
    """The device nodes of the GPUs."""
    wanted = ("/dev/nvidiactl", "/dev/nvidia0", "/dev/nvidia-uvm")
    lacking = [path for path in wanted if look.eyes.status(path) is None]
    package = _apart(way, way.nodes if way and not look.scene.has("nvidia-modprobe") else "")
    numbers = " ".join(f"-c {minor}" for minor in range(len(look.products)))
    return Step(
        key="nodes",
        title="the device nodes",
        why="they are made when the driver is first used, and containers are given what is there",
        check=f"{', '.join(wanted)}: there",
        found=f"not there: {', '.join(lacking)}" if lacking else "they are there",
        done=not lacking,
        commands=(*((install(look, [package]),) if package else ()), f"nvidia-modprobe -u {numbers}"),
        verify="the nodes are there",
        undo=taken_back(look, missing(look, [package]) if package else ()),
    )


def _apart(way: Way | None, package: str) -> str:
    """The package, unless the driver brings it."""
    return "" if way and package in way.driver else package


def engine(look: Look) -> Step:
    """A container engine."""
    found = look.scene.engines
    purpose = usual(look)
    names = packages(look.distribution, purpose)
    started = _service(look, purpose, "start") if purpose != "podman" else ()
    return Step(
        key="engine",
        title="a container engine",
        why="it starts the containers",
        check="Docker, Podman, containerd or CRI-O is installed",
        found=f"{', '.join(dict.fromkeys(one.title for one in found))}: there" if found else "none is installed",
        done=bool(found),
        commands=(install(look, names), *started) if names else (),
        verify="its program is there",
        undo=taken_back(look, names),
    )


def usual(look: Look) -> Purpose:
    """The engine that is installed where there is none."""
    return _USUAL_ENGINE.get(look.distribution.family, "docker")


def bridge(look: Look) -> Step:
    """The programs of the start path."""
    there = look.scene.find("linkspan-runtime")
    return Step(
        key="linkspan",
        title="linkspan's programs",
        why="engines start them to give a container its GPUs",
        check="linkspan-runtime is on the PATH of the system",
        found=f"{there} is there" if there else "it is not there",
        done=bool(there),
        commands=("linkspan install",),
        verify="linkspan-runtime is there",
        undo=("linkspan uninstall",),
    )


def spec(look: Look) -> Step:
    """The CDI spec."""
    found = look.scene.specs.of_kind()
    return Step(
        key="cdi",
        title="the CDI spec",
        why="it tells engines what belongs to each GPU",
        check="a spec of nvidia.com/gpu is in /etc/cdi or /var/run/cdi",
        found=f"{found[0].path} is there" if found else "there is none",
        done=bool(found),
        commands=("linkspan cdi refresh",),
        verify="the spec is there",
        undo=(f"rm -f {SPEC}",),
    )


def configure(look: Look) -> Step:
    """The engines' configuration."""
    engines = [one for one in look.scene.engines if not one.rootless]
    lacking = [one.rancher or one.kind for one in engines if not _runtime(one)]
    names = dict.fromkeys(lacking if engines else [usual(look)])
    told = [f"{one.title} starts {_runtime(one)}" for one in engines if _runtime(one)]
    told += [f"{name} has no runtime nvidia" for name in names]
    return Step(
        key="configure",
        title="the engines' configuration",
        why="with the runtime and CDI in it, '--gpus', '--runtime' and '--device' all work",
        check="each engine's configuration has a runtime nvidia",
        found="; ".join(told),
        done=not names,
        commands=tuple(f"linkspan engine configure {name} --restart" for name in names),
        verify="the configuration has the runtime",
        undo=tuple(f"linkspan engine unconfigure {name} --restart" for name in names),
    )


def _runtime(one: Engine) -> str:
    return one.view.runtimes.get("nvidia", "")


def doctor(look: Look, before: list[Step]) -> Step:
    """The proof: the doctor finds nothing. It is asked where all else is done."""
    waits = next((step.title for step in before if not step.done), "")
    problem = "" if waits else _first_finding(look)
    return Step(
        key="doctor",
        title="the doctor's word",
        why="each step by itself proves less than all of them together",
        check="linkspan doctor finds no broken link",
        found=f"first comes: {waits}" if waits else problem or "it finds nothing broken",
        done=not waits and not problem,
        commands=("linkspan doctor",),
        verify="it ends with 0",
    )


def _first_finding(look: Look) -> str:
    report = run.examine(look.scene.root, registry.all_rules()).report
    return next((finding.cause for finding in verdict.first(report)), "")


def _service(look: Look, unit: str, verb: str) -> tuple[str, ...]:
    if look.scene.has("systemctl"):
        return (f"systemctl enable {unit}", f"systemctl {verb} {unit}")
    return (f"service {unit} {verb}",)


def _stop(look: Look, unit: str) -> tuple[str, ...]:
    return (f"systemctl disable --now {unit}",) if look.scene.has("systemctl") else (f"service {unit} stop",)
