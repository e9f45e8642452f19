"""``linkspan sim``: make, hurt and remove simulated GPU hosts."""

from typing import Annotated, cast, get_args

import msgspec
import typer

from linkspan.cli import output
from linkspan.errors import RequestError
from linkspan.sim import create as sim
from linkspan.sim import failing
from linkspan.sim import faults as fault_list
from linkspan.sim import models as model_list
from linkspan.sim.create import SimHost
from linkspan.sim.engine_side import ENGINES
from linkspan.sim.spec import Layout, SimSpec

app = typer.Typer(help="Make and remove simulated GPU hosts.", no_args_is_help=True)

Root = Annotated[str, typer.Argument(metavar="DIR", help="The root of the simulated host.", show_default=False)]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]
LAYOUTS: tuple[str, ...] = get_args(Layout)


@app.command()
def create(
    root: Root,
    *,
    gpus: Annotated[int, typer.Option(metavar="N", help="How many GPUs.")] = 1,
    model: Annotated[str, typer.Option(metavar="NAME", help="The GPUs' model; see 'linkspan sim models'.")] = "H100",
    driver: Annotated[
        str, typer.Option(metavar="VERSION", help="The driver's version; by default one that suits the model.")
    ] = "",
    mig: Annotated[
        list[str] | None, typer.Option(metavar="PROFILE,...", help="Cut GPUs with MIG; one profile fills each.")
    ] = None,
    mig_on: Annotated[str, typer.Option(metavar="N,...", help="Cut only the GPUs of these indices.")] = "",
    layout: Annotated[
        str, typer.Option(metavar="NAME", help=f"Whose folders the driver is in: {', '.join(LAYOUTS)}.")
    ] = "debian",
    fault: Annotated[
        list[str] | None, typer.Option(metavar="FAULT", help="Break something; see 'linkspan sim faults'.")
    ] = None,
    onto: Annotated[bool, typer.Option("--onto", help="DIR holds the files of a real driver: keep them.")] = False,
    compat32: Annotated[bool, typer.Option("--compat32", help="With the 32-bit libraries.")] = False,
    shuffled_minors: Annotated[
        bool, typer.Option("--shuffled-minors", help="GPU indices do not follow the nodes' numbers.")
    ] = False,
    open_modules: Annotated[bool, typer.Option("--open-modules", help="The open kernel modules.")] = False,
    drm: Annotated[bool, typer.Option("--drm", help="With DRM nodes.")] = False,
    gds: Annotated[bool, typer.Option("--gds", help="With GPUDirect Storage.")] = False,
    gdrcopy: Annotated[bool, typer.Option("--gdrcopy", help="With GDRCopy.")] = False,
    infiniband: Annotated[bool, typer.Option("--infiniband", help="With InfiniBand nodes.")] = False,
    sockets: Annotated[bool, typer.Option("--sockets", help="With the socket of nvidia-persistenced.")] = False,
    imex_channels: Annotated[int, typer.Option(metavar="N", help="How many IMEX channels.")] = 0,
    nvswitches: Annotated[int, typer.Option(metavar="N", help="How many NVSwitches.")] = 0,
    engine: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help=f"With a container engine: {', '.join(ENGINES)}.")
    ] = None,
    failure: Annotated[
        str,
        typer.Option(metavar="ID", help="A host that fails in this way, whatever else is said; see 'sim failures'."),
    ] = "",
    as_json: AsJson = False,
) -> None:
    """Make a simulated GPU host at DIR; every command takes it as --driver-root DIR."""
    if failure:
        _show(failing.create_failing(root, failure), as_json)
        return
    if layout not in LAYOUTS:
        raise RequestError(f"no layout {layout}", hint=f"the known ones are {', '.join(LAYOUTS)}")
    spec = SimSpec(
        gpus=gpus,
        model=model,
        driver=driver,
        mig=_split(mig or []),
        mig_on=tuple(_index(number) for number in _split([mig_on])),
        layout=cast("Layout", layout),
        compat32=compat32,
        shuffled_minors=shuffled_minors,
        open_modules=open_modules,
        drm=drm,
        gds=gds,
        gdrcopy=gdrcopy,
        infiniband=infiniband,
        sockets=sockets,
        imex_channels=imex_channels,
        nvswitches=nvswitches,
        faults=_split(fault or []),
        engines=_split(engine or []),
    )
    _show(sim.create(root, spec, onto=onto), as_json)


def _split(lists: list[str]) -> tuple[str, ...]:
    return tuple(part.strip() for text in lists for part in text.split(",") if part.strip())


def _index(number: str) -> int:
    if not (number.isdecimal() and len(number) < 4):
        raise RequestError(f"{number!r} is not the index of a GPU", hint="write --mig-on 0,1")
    return int(number)


def _show(host: SimHost, as_json: bool) -> None:
    spec = host.spec
    if as_json:
        output.show_json({"root": host.root, "spec": msgspec.to_builtins(spec), "paths": host.paths()})
        return
    faults = f", with {', '.join(spec.faults)}" if spec.faults else ""
    if spec.layout == "tegra":
        typer.echo(f"{host.root}: a Jetson board{faults}")
        return
    typer.echo(f"{host.root}: {spec.gpus} x {spec.gpu_model.name}, driver {spec.driver_version}{faults}")


@app.command()
def inject(
    root: Root,
    fault: Annotated[str, typer.Argument(metavar="FAULT", help="See 'linkspan sim faults'.", show_default=False)],
    as_json: AsJson = False,
) -> None:
    """Break something on a simulated host."""
    _show(sim.inject(root, fault), as_json)


@app.command()
def remove(root: Root) -> None:
    """Take a simulated host away; any other folder is refused."""
    typer.echo(f"{sim.remove(root).root}: removed")


@app.command()
def faults(as_json: AsJson = False) -> None:
    """List what can be broken."""
    rows = {name + "[=N]" * fault.of_a_gpu: fault.summary for name, fault in fault_list.FAULTS.items()}
    if as_json:
        output.show_json(rows)
    else:
        output.show(output.table(("fault", "what is wrong"), rows.items()))


@app.command()
def failures(as_json: AsJson = False) -> None:
    """List the failure modes that a whole host can be made with."""
    rows = {name: failure.summary for name, failure in failing.all_failures().items()}
    if as_json:
        output.show_json(rows)
    else:
        output.show(output.table(("failure", "what happened"), rows.items()))


@app.command()
def models(as_json: AsJson = False) -> None:
    """List the GPU models, and the profiles that MIG can cut them into."""
    if as_json:
        rows = {name: [profile.name for profile in model.profiles] for name, model in model_list.MODELS.items()}
        output.show_json(rows)
        return
    cells = [
        (name, model.name, f"{model.memory_mib} MiB", ", ".join(profile.name for profile in model.profiles))
        for name, model in model_list.MODELS.items()
    ]
    output.show(output.table(("model", "name", "memory", "MIG profiles"), cells))
