"""``linkspan config``: the settings in force and where each came from."""

import json
import os
from collections.abc import Iterator
from typing import Annotated, NamedTuple

import typer

from linkspan.cli import output
from linkspan.formats import toolkit_config
from linkspan.formats.toolkit_config import Key, ToolkitConfig

app = typer.Typer(help="Show the settings in force and where each came from.", no_args_is_help=True)

File = Annotated[str, typer.Option("--config", metavar="FILE", help="Read this file instead of the one in force.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print JSON.")]


class Setting(NamedTuple):
    """A setting, and where it stands: FILE:LINE, or ``default``."""

    key: str
    value: object
    source: str


@app.command()
def show(config: File = "", as_json: AsJson = False) -> None:
    """Show every setting, and the line or the default it came from."""
    path = config or toolkit_config.config_path(os.environ)[0]
    text = _read(path, required=bool(config))
    settings = list(_settings(text or "", path))
    unknown = list(_unknown(text or "", path))
    if as_json:
        output.show_json(
            {
                "path": path,
                "exists": text is not None,
                "settings": {key: {"value": value, "from": source} for key, value, source in settings},
                "unknown": unknown,
            }
        )
        return
    typer.echo(f"# {path}{'' if text is not None else ' (absent: all defaults)'}")
    typer.echo("\n".join(_as_toml(settings)))
    for place in unknown:
        output.warn(f"{place} is no setting that linkspan knows: it is kept and has no effect")


@app.command()
def path(as_json: AsJson = False) -> None:
    """Show which file is read, and why this one."""
    place, named = toolkit_config.config_path(os.environ)
    exists = os.path.exists(place)
    if as_json:
        output.show_json({"path": place, "exists": exists, "named_by_environment": named})
        return
    typer.echo(place)
    if not exists:
        output.warn("this file does not exist, so the defaults hold")


def _read(path: str, *, required: bool) -> str | None:
    """The file's text; None where nothing stands there and nothing has to."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except FileNotFoundError:
        if required:
            raise
        return None
    toolkit_config.parse(data, path)
    return data.decode()


def _settings(text: str, path: str) -> Iterator[Setting]:
    lines = toolkit_config.lines(text)
    for key, value in toolkit_config.settings(toolkit_config.parse(text, path)):
        source = f"{path}:{lines[key]}" if key in lines else "default"
        yield Setting(".".join(key), value, source)


def _unknown(text: str, path: str) -> Iterator[str]:
    """The keys and tables of the file that are none of ours, with their places."""
    known = [key for key, _ in toolkit_config.settings(ToolkitConfig())]
    for key, line in toolkit_config.lines(text).items():
        if not any(_is_prefix(key, setting) for setting in known):
            yield f"{path}:{line}: {'.'.join(key)}"


def _is_prefix(key: Key, setting: Key) -> bool:
    return setting[: len(key)] == key


def _as_toml(settings: list[Setting]) -> Iterator[str]:
    """The settings as a file that means the same, with the line that each came from as a comment."""
    table = ""
    for key, value, source in settings:
        holder, _, name = key.rpartition(".")
        if holder != table:
            yield f"\n[{holder}]"
        table = holder
        comment = "" if source == "default" else f"  # line {source.rpartition(':')[2]}"
        yield f"{'#' if source == 'default' else ''}{name} = {_toml(value)}{comment}"


def _toml(value: object) -> str:
    """A value as TOML: JSON's spelling of booleans, strings and lists of strings is TOML, too."""
    return json.dumps(value, ensure_ascii=False)
