"""The commands of ``nvidia-ctk``, with their flags where those are few."""

from collections.abc import Sequence

from linkspan._version import __version__
from linkspan.compat import FOLLOWED, commands, ctk_cdi, ctk_config, ctk_runtime, ctk_system
from linkspan.compat.commands import Command

VERSION = f"NVIDIA Container Toolkit CLI version v{FOLLOWED}\nlinkspan version {__version__}"

TREE = Command(
    "nvidia-ctk",
    "tools to configure the NVIDIA Container Toolkit",
    children=(
        Command("hook", "the hooks of CDI specs; 'nvidia-cdi-hook --help' lists them"),
        Command("runtime", "commands for container runtimes", children=(ctk_runtime.CONFIGURE,)),
        Command("info", "information about the system"),
        Command(
            "cdi",
            "work with the Container Device Interface",
            children=(
                ctk_cdi.GENERATE,
                Command("transform", "apply a transform to a CDI specification", children=(ctk_cdi.ROOT,)),
                ctk_cdi.LIST,
            ),
        ),
        Command("system", "tasks on the system", children=(ctk_system.CREATE_NODES, ctk_system.CREATE_LINKS)),
        ctk_config.CONFIG,
    ),
)


def run(argv: Sequence[str]) -> int:
    """Run one command line; its exit code."""
    return commands.run(TREE, VERSION, argv)
