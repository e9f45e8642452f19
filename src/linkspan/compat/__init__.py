"""Programs of NVIDIA's Container Toolkit by their own names, with the arguments, outputs and exit codes that they have.

They are translations: arguments in, the same facts, plan and emit as every other path, the expected output out. Which
files and nodes belong to a container is decided in ``plan`` and nowhere here.
"""

FOLLOWED = "1.20.0"
"""The version of the toolkit whose behaviour these programs have, for scripts that compare it."""
