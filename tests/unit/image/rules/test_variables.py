"""Rules on the variables of an image's configuration."""

import pytest

from linkspan.image.model import Entry, Layer
from tests.unit.image.images import file, image, library, link, program, wheel
from tests.unit.image.rules.cases import Case, ask, ids, judge

_CUDART = library("/usr/local/cuda-12.4/targets/x86_64-linux/lib/libcudart.so.12.4.127", soname="libcudart.so.12")
_APP = library("/app/bin/render", "libcudart.so.12")
_ALL = "NVIDIA_VISIBLE_DEVICES=all"
_CAPABILITIES = "NVIDIA_DRIVER_CAPABILITIES="
_TOKEN = "hf_" + "Zq3" * 12


def _needs(soname: str, path: str = "/app/bin/tool") -> Entry:
    return library(path, soname, "libc.so.6")


def _loader(path: str):
    return image(env=(f"LD_LIBRARY_PATH={path}",))


CASES = (
    Case("I-VARIABLES-1", image(_APP), image(_APP, env=(_ALL,))),
    Case("I-VARIABLES-2", image(env=("NVIDIA_VISIBLE_DEVICES=0,1",)), image(env=(_ALL,))),
    Case("I-VARIABLES-3", image(env=(f"{_CAPABILITIES}compute,none",)), image(env=(f"{_CAPABILITIES}compute,all",))),
    Case(
        "I-VARIABLES-4",
        image(env=(f"{_CAPABILITIES}compute, graphics",)),
        image(env=(f"{_CAPABILITIES}compute,graphics",)),
    ),
    Case("I-VARIABLES-5", image(_APP, env=(f"{_CAPABILITIES}utility",)), image(env=(f"{_CAPABILITIES}utility",))),
    Case(
        "I-VARIABLES-6",
        image(_needs("libnvcuvid.so.1"), env=(f"{_CAPABILITIES}compute,utility",)),
        image(_needs("libnvcuvid.so.1"), env=(f"{_CAPABILITIES}compute,video",)),
    ),
    Case(
        "I-VARIABLES-7",
        image(_needs("libvulkan.so.1"), env=(_ALL,)),
        image(
            _needs("libGL.so.1"),
            _needs("libEGL.so.1", "/usr/lib/x86_64-linux-gnu/libgtk-3.so.0"),
            _needs("libGLX.so.0", "/usr/lib64/libGL.so.1.7.0"),
            env=(_ALL,),
        ),
    ),
    Case(
        "I-VARIABLES-8",
        image(_needs("libnvidia-ml.so.1"), env=(f"{_CAPABILITIES}compute",)),
        image(_needs("libnvidia-ml.so.1")),
    ),
    Case(
        "I-VARIABLES-9",
        image(library("/app/old", "libcuda.so.1", machine=3, bits=32)),
        image(_needs("libcuda.so.1"), library("/app/x", "libc.so.6", machine=3, bits=32)),
    ),
    Case("I-VARIABLES-10", image(env=(f"{_CAPABILITIES}all",)), image(env=(f"{_CAPABILITIES}compute,utility",))),
    Case(
        "I-VARIABLES-11",
        image(env=("NVIDIA_REQUIRE_CUDA=cuda is 12.4",)),
        image(env=("NVIDIA_REQUIRE_CUDA=cuda>=12.4 brand=tesla,driver>=470,driver<471", "NVIDIA_REQUIRE_JETPACK=x y")),
    ),
    Case(
        "I-VARIABLES-12",
        image(_CUDART, env=("NVIDIA_REQUIRE_CUDA=cuda>=12.8",)),
        image(_CUDART, env=("NVIDIA_REQUIRE_CUDA=cuda>=12.0 brand=tesla,driver>=470,driver<471",)),
    ),
    Case("I-VARIABLES-13", image(_CUDART), image(_CUDART, env=("NVIDIA_REQUIRE_CUDA=cuda>=12.4",))),
    Case("I-VARIABLES-14", image(env=("NVIDIA_DISABLE_REQUIRE=true",)), image(env=("NVIDIA_DISABLE_REQUIRE=0",))),
    Case(
        "I-VARIABLES-15",
        _loader("/usr/local/cuda/lib64/stubs:/usr/local/cuda/lib64"),
        image(env=("LIBRARY_PATH=/usr/local/cuda/lib64/stubs", "LD_LIBRARY_PATH=/opt/mystubs")),
    ),
    Case("I-VARIABLES-16", _loader("/usr/local/cuda/compat:/app/lib"), _loader("/opt/compat:/usr/local/cuda/lib64")),
    Case("I-VARIABLES-17", _loader("/app/lib:"), image(env=("LD_LIBRARY_PATH=",))),
    Case(
        "I-VARIABLES-18",
        image(env=("LD_PRELOAD=/usr/lib/libjemalloc.so.2",)),
        image(
            file("/usr/lib/libjemalloc.so.2.1"),
            link("/usr/lib/libjemalloc.so.2", "libjemalloc.so.2.1"),
            env=("LD_PRELOAD=/usr/lib/libjemalloc.so.2 $EXTRA",),
        ),
    ),
    Case("I-VARIABLES-19", image(env=("CUDA_VISIBLE_DEVICES=0",)), image(env=("CUDA_DEVICE_ORDER=PCI_BUS_ID",))),
    Case(
        "I-VARIABLES-20",
        image(env=("HF_TOKEN=secret-words",)),
        image(
            env=(
                *("TOKENIZERS_PARALLELISM=false", "MAX_TOKEN=4096", "HF_TOKEN=", "API_KEY=$API_KEY", "PATH=/bin"),
                *("DB_PASSWORD=/run/secrets/db", "DB_PASSWORD_FILE=/run/secrets/db", "WANDB_API_KEY=<your key>"),
            )
        ),
    ),
    Case(
        "I-VARIABLES-21",
        image(layers=(Layer(number=0, command=f"RUN |1 HF_TOKEN={_TOKEN} /bin/sh -c ./fetch"),)),
        image(
            layers=(Layer(number=0, command='RUN /bin/sh -c HF_TOKEN="$(cat /run/secrets/hf)" ./fetch --token=abc'),)
        ),
    ),
    Case("I-VARIABLES-22", image(env=("CUDA_LAUNCH_BLOCKING=1",)), image(env=("CUDA_LAUNCH_BLOCKING=0",))),
    Case(
        "I-VARIABLES-23",
        image(_CUDART, env=("CUDA_VERSION=11.8.0",)),
        image(_CUDART, env=("CUDA_VERSION=12.4.1",)),
    ),
)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.rule)
def test_a_rule_on_variables_tells_its_fault_from_what_only_looks_like_it(case: Case):
    judge(case)


def test_every_rule_on_variables_has_its_fixtures():
    assert {case.rule for case in CASES} == ids("variables")


def test_an_image_of_before_the_requirement_gets_its_gpus_and_everything_of_the_driver():
    legacy = image(_APP, _needs("libnvcuvid.so.1"), env=("CUDA_VERSION=9.0.176",))
    assert not ask("I-VARIABLES-1", legacy)
    assert not ask("I-VARIABLES-6", legacy)


def test_an_image_without_gpus_need_not_ask_for_any():
    assert not ask("I-VARIABLES-1", image(program("/usr/bin/python3"), wheel("numpy", "2.0.0")))


@pytest.mark.parametrize(
    ("value", "word"), [("void", "turns"), ("", "turns"), ("none", "turns"), ("GPU-6a96", "names"), ("0", "names")]
)
def test_an_image_that_chooses_gpus_is_told_what_it_does(value: str, word: str):
    (finding,) = ask("I-VARIABLES-2", image(env=(f"NVIDIA_VISIBLE_DEVICES={value}",)))
    assert f" {word} " in finding.cause


def test_a_capability_in_capitals_is_mended_to_the_one_that_was_meant():
    (finding,) = ask("I-VARIABLES-3", image(env=(f"{_CAPABILITIES}Compute,video",)))
    assert finding.fix == "ENV NVIDIA_DRIVER_CAPABILITIES=compute,video"


def test_the_mended_capabilities_keep_those_that_were_there():
    (finding,) = ask("I-VARIABLES-6", image(_needs("libnvidia-encode.so.1"), env=(f"{_CAPABILITIES}compute",)))
    assert finding.fix == "ENV NVIDIA_DRIVER_CAPABILITIES=compute,video"
    assert finding.paths == ("/app/bin/tool",)


def test_a_package_that_opens_the_decoder_by_hand_wants_video_too():
    assert ask("I-VARIABLES-6", image(wheel("PyNvVideoCodec", "1.0.2")))


def test_who_only_may_draw_is_told_in_passing():
    (finding,) = ask("I-VARIABLES-7", image(_needs("libEGL.so.1"), env=(_ALL,)))
    assert finding.severity == "info"


def test_a_requirement_of_an_older_major_lets_hosts_through_that_cannot_run_the_image():
    (finding,) = ask("I-VARIABLES-12", image(_CUDART, env=("NVIDIA_REQUIRE_CUDA=cuda>=11.8",)))
    assert finding.severity == "error"
    assert finding.fix.startswith("ENV NVIDIA_REQUIRE_CUDA='cuda>=12.4'")


def test_the_cuda_of_a_wheel_is_known_by_its_package():
    site = "/usr/local/lib/python3.12/site-packages"
    runtime = library(f"{site}/nvidia/cuda_runtime/lib/libcudart.so.12", soname="libcudart.so.12")
    other = image(
        runtime, wheel("nvidia_cuda_runtime_cu12", "12.6.77", site=site), env=("NVIDIA_REQUIRE_CUDA=cuda>=12.8",)
    )
    assert "holds CUDA 12.6" in ask("I-VARIABLES-12", other)[0].cause


def test_the_cuda_of_a_library_without_a_version_is_that_of_its_folder():
    copied = library("/usr/local/cuda-13.0/lib/libcudart.so.13", soname="libcudart.so.13")
    (finding,) = ask("I-VARIABLES-12", image(copied, env=("NVIDIA_REQUIRE_CUDA=cuda>=12.4",)))
    assert "holds CUDA 13.0" in finding.cause


def test_a_compatibility_folder_counts_where_there_is_a_library_in_it():
    env = ("LD_LIBRARY_PATH=/usr/local/cuda/compat/lib",)
    cuda = link("/usr/local/cuda", "cuda-12.4")
    there = library("/usr/local/cuda-12.4/compat/lib/libcuda.so.1", soname="libcuda.so.1")
    assert ask("I-VARIABLES-16", image(cuda, there, env=env))
    assert not ask("I-VARIABLES-16", image(cuda, env=env))


def test_a_program_of_the_driver_is_no_application_that_needs_something():
    smi = library("/usr/bin/nvidia-debugdump", "libnvidia-ml.so.1")
    assert not ask("I-VARIABLES-8", image(smi, env=(f"{_CAPABILITIES}compute",)))


def test_a_preloaded_part_of_the_driver_is_refused_by_name():
    (finding,) = ask("I-VARIABLES-18", image(env=("LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libcuda.so.1",)))
    assert "differs from host to host" in finding.cause


@pytest.mark.parametrize(("value", "severity"), [("-1", "error"), ("", "error"), ("0", "warning")])
def test_hiding_every_gpu_is_worse_than_choosing_one(value: str, severity: str):
    (finding,) = ask("I-VARIABLES-19", image(env=(f"CUDA_VISIBLE_DEVICES={value}",)))
    assert finding.severity == severity


@pytest.mark.parametrize(
    "entry",
    [
        f"SOMETHING={_TOKEN}",
        "AWS_SECRET_ACCESS_KEY=abcdefgh",
        "INDEX=https://me:hunter2hunter2@host/simple",
        "ngc_api_key=kkkk4711",
    ],
)
def test_a_secret_is_found_by_name_or_shape_and_never_repeated(entry: str):
    (finding,) = ask("I-VARIABLES-20", image(env=(entry,)))
    value = entry.partition("=")[2]
    assert value not in repr(finding)


def test_a_secret_of_the_history_is_not_repeated_by_its_command():
    layers = (Layer(number=0, command=f"RUN curl -H 'Authorization: Bearer {_TOKEN}' https://host/"),)
    (finding,) = ask("I-VARIABLES-21", image(file("/a"), layers=layers))
    assert _TOKEN not in repr(finding)
    assert "layer 0 has a token" in finding.cause
