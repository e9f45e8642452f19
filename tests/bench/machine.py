"""What a measurement was taken on, as far as it matters to a reader elsewhere; no names of hosts or folders."""

import os
import platform
import re
import shutil
import subprocess


def describe(driver_files: str) -> dict[str, str]:
    """Property to value, in the order of printing."""
    return {
        "processor": f"{_processor()}, {os.cpu_count()} visible",
        "kernel": platform.release().partition("-")[0],
        "Python of the start path": _first_line("/usr/bin/python3", "--version"),
        "runc": _first_line("runc", "--version").removeprefix("runc version "),
        "driver files": driver_files,
    }


def _processor() -> str:
    with open("/proc/cpuinfo", encoding="utf-8") as file:
        found = re.search(r"model name\s*: (.+)", file.read())
    return found[1] if found else platform.machine()


def _first_line(program: str, option: str) -> str:
    if not shutil.which(program):
        return "none"
    done = subprocess.run([program, option], capture_output=True, text=True, timeout=20, check=False)
    return done.stdout.partition("\n")[0]
