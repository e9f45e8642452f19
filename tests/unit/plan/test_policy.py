import pytest

from linkspan.formats.toolkit_config import parse
from linkspan.plan.model import Policy
from linkspan.plan.policy import policy_of


def policy(text):
    return policy_of(parse(text, "config.toml"))


def test_the_defaults_of_file_and_policy_agree():
    assert policy("") == Policy()


def test_every_switch_reaches_the_policy():
    text = """
disable-require = true
swarm-resource = "DOCKER_RESOURCE_GPU, OTHER,"
accept-nvidia-visible-devices-envvar-when-unprivileged = false
accept-nvidia-visible-devices-as-volume-mounts = true
supported-driver-capabilities = "utility,compute"
[nvidia-container-runtime]
mode = "cdi"
[nvidia-container-runtime.modes.cdi]
default-kind = "example.com/gpu"
annotation-prefixes = ["a/"]
[nvidia-container-runtime.modes.legacy]
cuda-compat-mode = "mount"
[features]
ignore-imex-channel-requests = true
no-additional-gids-for-device-nodes = true
"""
    assert policy(text) == Policy(
        mode="cdi",
        default_kind="example.com/gpu",
        annotation_prefixes=("a/",),
        swarm_resources=("DOCKER_RESOURCE_GPU", "OTHER"),
        env_when_unprivileged=False,
        volume_mounts=True,
        supported_capabilities=("compute", "utility"),
        disable_require=True,
        ignore_imex=True,
        cuda_compat_mode="mount",
        additional_gids=False,
    )


def test_all_is_every_capability():
    assert policy('supported-driver-capabilities = "all"').supported_capabilities == Policy().supported_capabilities


HOOK = '[nvidia-container-runtime.modes.legacy]\ncuda-compat-mode = "hook"\n'


@pytest.mark.parametrize(
    ("text", "mode"),
    [
        (HOOK, "hook"),
        (HOOK + "[features]\ndisable-cuda-compat-lib-hook = true", "disabled"),
        ("[features]\ndisable-cuda-compat-lib-hook = true", "ldconfig"),
        ('[nvidia-container-runtime.modes.jit-cdi]\nnvcdi-disable-hooks = ["enable-cuda-compat"]', "disabled"),
        ('[nvidia-container-runtime.modes.jit-cdi]\nnvcdi-disable-hooks = ["all"]', "disabled"),
    ],
)
def test_compatibility_libraries_stay_off_where_their_hook_is_switched_off(text, mode):
    assert policy(text).cuda_compat_mode == mode
