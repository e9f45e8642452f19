"""The kernel takes signed modules alone, and the driver's is not signed with a key that it knows."""

from collections.abc import Iterator

from linkspan.check.driver_module import LOCKDOWN, SECURE_BOOT, held_by_nouveau, on_disk, secured_by, unserved
from linkspan.check.kernel_messages import newest
from linkspan.check.model import Evidence, Found, Remedy
from linkspan.check.registry import Rule
from linkspan.check.scene import Scene

_WHY = {SECURE_BOOT: "Secure Boot is on", LOCKDOWN: "the kernel is locked down"}
_MESSAGE = r"key was rejected|unsigned module|unavailable key|Lockdown: .*module"
_KEYS = ("/var/lib/dkms/mok.pub", "/var/lib/shim-signed/mok/MOK.der", "/etc/pki/akmods/certs/public_key.der")
"""Where DKMS, Ubuntu and akmods keep the certificate of the key that they sign with."""


def _look(scene: Scene) -> Iterator[Found]:
    path, field, value = secured_by(scene)
    module = on_disk(scene, scene.kernel)
    if not path or not module or not unserved(scene) or held_by_nouveau(scene):
        return
    said = newest(scene, _MESSAGE)
    key = next((key for key in _KEYS if scene.eyes.exists(key)), "")
    yield Found(
        cause=f"{_WHY.get(path, 'the kernel takes signed modules only')}, and the module nvidia, which is on disk, was "
        "not loaded",
        evidence=(
            Evidence(subject=path, field=field, value=value),
            Evidence(subject=module),
            Evidence(subject="/proc/modules", field="nvidia", value="not there"),
            *((said,) if said else ()),
        ),
        remedy=Remedy(
            text=f"enrol the key in {key}, by which the module is signed, and confirm that on the next start's screen"
            if key
            else "install a driver whose modules the distribution has signed, or switch Secure Boot off",
            commands=(f"mokutil --import {key}",) if key and scene.has("mokutil") else (),
        ),
    )


RULE = Rule(id="D-DRIVER-13", link="module", severity="error", look=_look)
