"""Which files of an image are the application's: neither the distribution's libraries, nor a driver's, nor stubs."""

import re

from linkspan.image import driver
from linkspan.image.model import Entry

_SYSTEM = re.compile(r"(/usr)?/lib(32|64)?/([a-z0-9_]+-linux-gnu[a-z0-9]*/)?[^/]+")


def is_application(entry: Entry) -> bool:
    """True for a program or library of the application, or of a framework that it brings."""
    # The distribution's libraries need each other whatever the image is for; driver, stubs and compat are not its own.
    system = _SYSTEM.fullmatch(entry.path) and ".so" in entry.name
    ours = driver.is_library(entry) or driver.is_program(entry) or driver.is_compat(entry) or driver.is_stub(entry)
    return not (system or ours)
