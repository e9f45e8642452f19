"""Images that containerd has, exported by its own ``ctr`` into a private file.

Its names are whole ones, ``docker.io/library/app:1``, in namespaces: ``k8s.io`` has the images of pods, ``default``
those of ``ctr`` and nerdctl. CONTAINERD_NAMESPACE and CONTAINERD_ADDRESS count as they do for ``ctr``.
"""

import contextlib
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from itertools import product

from linkspan.errors import HostError, KernelError, RequestError
from linkspan.image import reference
from linkspan.image.daemons import EXPORT_S, need
from linkspan.kernel import process
from linkspan.plan.wording import listed

NAMESPACES = ("k8s.io", "default")
"""Where an image is looked for when nobody says where."""
_LOCAL = "--local"
# Without --local, ctr of containerd 2.1 may end before the end of the archive has arrived. Docker's manifest.json is of
# no use here, and making it fails where the index of an image names what is not there.
_OPTIONS = (_LOCAL, "--skip-manifest-json")
_UNKNOWN = ("not defined: -local", f'image "{_LOCAL}": not found')
"""How ctr of containerd 1.7 and that of 1.6, which takes it for an image, say that they do not know --local."""
_NEEDED = ("HOME", "PATH", "CONTAINERD_ADDRESS")


@contextlib.contextmanager
def export(name: str, env: Mapping[str, str], platform: str = "") -> Iterator[str]:
    """The path of an archive with an image of containerd's, gone afterwards.

    ``platform`` is the one of several that is exported, ``linux/arm64``; empty for that of this machine. Raises
    RequestError for what is no name, HostError with the reason of ``ctr``.
    """
    if name.startswith("-"):  # it would be an option
        raise RequestError(f"{name} is no name of an image", hint="ctr images ls prints them", subject=name)
    need("ctr", name, env)
    namespaces = (env["CONTAINERD_NAMESPACE"],) if env.get("CONTAINERD_NAMESPACE") else NAMESPACES
    with tempfile.TemporaryDirectory(prefix="linkspan-image-") as folder:
        path = f"{folder}/image.tar"
        for namespace, spelling in product(namespaces, _spellings(name)):
            if _exported(namespace, spelling, path, env, platform):
                break
        else:
            raise HostError(
                f"containerd has no image {name} in the namespace {listed(namespaces, 'or')}",
                hint="ctr --namespace=k8s.io images ls prints them; CONTAINERD_NAMESPACE names another namespace",
                subject=name,
            )
        yield path


def _spellings(name: str) -> list[str]:
    """The name as it is, and as containerd writes it."""
    with contextlib.suppress(RequestError):
        return list(dict.fromkeys((name, str(reference.parse(name)))))
    return [name]


def _exported(namespace: str, name: str, path: str, env: Mapping[str, str], platform: str) -> bool:
    """Export an image; False where this namespace has none of that name."""
    wanted = [f"--platform={platform}"] if platform else []
    try:
        _ctr(namespace, ["images", "export", *_OPTIONS, *wanted, path, name], env)
    except KernelError as error:
        if f'"{name}": not found' in error.message:
            return False
        raise HostError(
            f"containerd does not give the image {name}: {error.message}",
            hint="it must run, and its socket is root's; CONTAINERD_ADDRESS names another one",
            subject=name,
        ) from error
    return True


def _ctr(namespace: str, command: Sequence[str], env: Mapping[str, str]) -> None:
    """Run ``ctr``, whichever it is: only that of containerd 2 knows ``--local``, and only that needs it."""
    own = {key: env[key] for key in _NEEDED if key in env}
    argv = ["ctr", f"--namespace={namespace}", *command]
    try:
        process.run(argv, env=own, timeout_s=EXPORT_S)
    except KernelError as error:
        if not any(words in error.message for words in _UNKNOWN):
            raise
        process.run([one for one in argv if one != _LOCAL], env=own, timeout_s=EXPORT_S)
