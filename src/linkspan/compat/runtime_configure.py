"""What ``nvidia-ctk runtime configure`` asks for, and who does it."""

from linkspan.errors import LinkspanError
from linkspan.facts.model import Model


class Options(Model, frozen=True, kw_only=True):
    """The flags, as they were given; an empty text is the default of the engine that is configured.

    ``drop_in`` is None where the flag was not given, since giving it empty means something else.
    """

    runtime: str = "docker"
    config: str = ""
    drop_in: str | None = None
    config_source: str = "file"
    executable_path: str = ""
    config_mode: str = "config-file"
    oci_hook_path: str = ""
    runtime_name: str = "nvidia"
    runtime_path: str = ""
    runtime_hook_path: str = "/usr/bin/nvidia-container-runtime-hook"
    set_as_default: bool = False
    cdi: bool = False
    dry_run: bool = False


def run(options: Options) -> None:
    """Let an engine know the runtime. Raises LinkspanError where that cannot be done."""
    raise LinkspanError(
        f"this linkspan cannot configure {options.runtime} yet",
        hint=f"run 'linkspan engine configure {options.runtime}' instead",
    )
