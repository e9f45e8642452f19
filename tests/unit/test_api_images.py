"""The image checker as a library: what the command says, as values."""

import datetime
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

import linkspan
from tests.unit.image import writer
from tests.unit.image.registry_server import PASSWORD, USER, Content, serving
from tests.unit.plan import hosts

LAYERS = [
    writer.layer({"etc/os-release": "ID=debian\n", "usr/lib/libcuda.so.550.54.14": "x" * 5000}, command="RUN driver"),
]
RUN = {"Env": ["PATH=/usr/bin"], "User": "1000", "Labels": {"org.opencontainers.image.title": "app"}}
POLICY = """
[[rule]]
id = "I-BOUNDARY-1"
severity = "off"
reason = "ticket 4711"
expires = 2027-03-01
"""
BEFORE, AFTER = datetime.date(2027, 2, 28), datetime.date(2027, 3, 1)


@pytest.fixture
def layout(tmp_path: Path) -> str:
    return writer.write_layout(str(tmp_path / "bad"), LAYERS, **RUN)


@pytest.fixture
def image(layout: str) -> linkspan.Image:
    return linkspan.open_image(layout)


def test_a_check_is_what_the_command_prints(layout: str, image: linkspan.Image) -> None:
    argv = [sys.executable, "-m", "linkspan", "image", "check", layout, "--json", "--no-cache", "--driver", "535"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False, timeout=60, stdin=subprocess.DEVNULL)
    printed = json.loads(done.stdout)
    assert printed.pop("exit_code") == done.returncode == 1
    found = linkspan.check_image(image, linkspan.image_target("535"))
    assert linkspan.as_document(found) == printed
    assert msgspec.convert(linkspan.as_document(found), linkspan.Judged) == found


def test_an_image_is_admitted_as_long_as_the_policy_says(image: linkspan.Image) -> None:
    rules = linkspan.image_policy(POLICY)
    found = linkspan.check_image(image)
    assert linkspan.admit(found.findings).reason.startswith("I-BOUNDARY-1: libraries of the driver are in the image")
    assert linkspan.admit(found.findings, rules=rules, today=BEFORE).admitted
    refused = linkspan.admit(found.findings, rules=rules, today=AFTER)
    assert not refused.admitted
    document = json.loads(json.dumps(linkspan.as_document(refused)))
    assert msgspec.convert(document, linkspan.Admission) == refused
    assert linkspan.check_image(image, rules=rules, today=BEFORE).silenced
    assert not linkspan.check_image(image, rules=rules, today=AFTER).silenced


@pytest.mark.parametrize("auth", ["basic", "bearer"])
def test_a_registry_is_opened_with_the_credentials_given(image: linkspan.Image, auth: str) -> None:
    content = Content()
    files, manifest = writer.blobs(LAYERS, **RUN)
    for data in files.values():
        content.put(data)
    content.manifests["1"], content.auth = manifest, auth
    with serving(content) as host:
        name, plain = f"registry:{host}/app:1", [f"http://{host}"]
        with pytest.raises(linkspan.LinkspanError):
            linkspan.open_image(name, insecure=plain, env={})
        known = {host: (USER, PASSWORD)}
        opened = linkspan.open_image(name, insecure=plain, credentials=known, env={})
        mirrors = {"registry.example": host}
        mirrored = linkspan.open_image(
            "registry:registry.example/app:1", insecure=plain, mirrors=mirrors, credentials=known, env={}
        )
    assert opened.entries == mirrored.entries == image.entries


def test_what_was_read_is_kept_where_that_is_wanted(layout: str, image: linkspan.Image, tmp_path: Path) -> None:
    assert linkspan.open_image(layout, cache=str(tmp_path / "kept")).entries == image.entries
    assert list((tmp_path / "kept").rglob("*"))


def test_a_host_is_a_target_by_its_facts(image: linkspan.Image) -> None:
    facts = hosts.h100x8()
    target = linkspan.image_target(facts=facts)
    assert linkspan.check_image(image, target).target.driver == facts.driver.version


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        (lambda: linkspan.open_image("/nowhere"), "no file or folder /nowhere"),
        (lambda: linkspan.open_image("registry:UPPER"), "no name of an image"),
        (lambda: linkspan.open_image("/", platform="arm64"), "arm64 is no platform"),
        (lambda: linkspan.image_target("new"), "no version"),
        (lambda: linkspan.image_target("535", facts=hosts.h100x8()), "a whole host"),
        (lambda: linkspan.image_policy("[[rule]]\nid = 1"), "policy:2"),
        (lambda: linkspan.admit([], "bad"), "bad is no severity"),  # type: ignore[arg-type]
    ],
)
def test_what_cannot_be_done_is_one_sentence(call: Any, sentence: str) -> None:
    with pytest.raises(linkspan.LinkspanError, match=sentence) as error:
        call()
    assert "\n" not in str(error.value)


def test_the_other_half_of_the_library_loads_no_rules_for_images() -> None:
    loaded = "[one for one in sys.modules if one.startswith('linkspan.image')]"
    code = f"import sys, linkspan; linkspan.devices; print({loaded}); linkspan.admit; print(len({loaded}) > 3)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.split() == ["[]", "True"]


def review(*images: str) -> str:
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    return json.dumps({"request": {"uid": "4711", "object": {"spec": {"containers": containers}}}})


def ask(place: Path, *images: str, options: tuple[str, ...] = ()) -> dict[str, Any]:
    argv = [sys.executable, os.path.abspath("examples/admission.py"), f"--from={place}/", *options]
    done = subprocess.run(argv, input=review(*images), capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    assert (answer["kind"], answer["response"]["uid"]) == ("AdmissionReview", "4711")
    found: dict[str, Any] = answer["response"]
    return found


def test_the_example_admits_a_pod_by_its_images(layout: str, tmp_path: Path) -> None:
    writer.write_layout(str(tmp_path / "good"), [writer.layer({"etc/os-release": "ID=debian\n"})], **RUN)
    assert ask(tmp_path, "good") == {"uid": "4711", "allowed": True}
    refused = ask(tmp_path, "good", "bad", "none")
    assert not refused["allowed"]
    assert refused["status"]["message"].startswith("bad: I-BOUNDARY-1: libraries of the driver")
    assert "none: there is no file or folder" in refused["status"]["message"]


def test_the_example_follows_a_policy_and_tells_what_expired(layout: str, tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(POLICY.replace("2027", "2999"))
    options = (f"--policy={tmp_path}/rules.toml",)
    assert ask(tmp_path, "bad", options=options)["allowed"]
    (tmp_path / "rules.toml").write_text(POLICY.replace("2027", "2020"))
    refused = ask(tmp_path, "bad", options=options)
    assert not refused["allowed"]
    assert "expired on 2020-03-01" in refused["warnings"][0]
