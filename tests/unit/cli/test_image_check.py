"""``linkspan image check`` as a person and as a program use it; the image is given, the rules are the tests' own."""

import html
import json
import re
from xml.etree import ElementTree

import pytest

from linkspan.cli.main import run
from linkspan.errors import FormatError
from linkspan.facts import snapshot
from linkspan.facts.model import Driver, Gpu, HostFacts
from linkspan.image import elsewhere, registry
from linkspan.image.model import Image
from tests.unit.image import images as made
from tests.unit.image import ruled


@pytest.fixture(autouse=True)
def images(monkeypatch) -> dict[str, Image]:
    """The images that can be opened."""
    known = {
        "bad": ruled.image("/a.bad", "/b.tmp", odd="1"),
        "odd": ruled.image(odd="1"),
        "good": ruled.image("/a"),
        "hostile": ruled.image("/\x1b[2J\n::error::x\u202e.bad", source="\x1b]0;x"),
    }

    def opened(reference: str, *_: object) -> Image:
        if reference not in known:
            raise FormatError(f"{reference} is no image", hint="name another")
        return known[reference]

    monkeypatch.setattr(registry, "all_rules", lambda: ruled.RULES)
    monkeypatch.setattr(elsewhere, "open_any", opened)
    monkeypatch.setenv("COLUMNS", "100")
    return known


def test_findings_are_told_by_severity_with_layer_reason_and_fix(capsys):
    assert run(["image", "check", "bad"]) == 1
    said = capsys.readouterr().out
    assert said.index("Errors\nI-T-1") < said.index("Warnings\nI-T-2") < said.index("Worth knowing\nI-T-3")
    for part in ("/a.bad is bad", "Bad files do harm.", "RUN rm /a.bad", "1  COPY . /app", "1.0 KB", "2.5 MB"):
        assert part in said
    assert "1 finding at or above error" in said


def test_an_image_with_nothing_wrong_is_clean(capsys):
    assert run(["image", "check", "good"]) == 0
    assert "clean" in capsys.readouterr().out


@pytest.mark.parametrize(("limit", "code"), [("critical", 0), ("error", 0), ("warning", 0), ("info", 1)])
def test_the_exit_code_is_by_severity(limit, code):
    assert run(["image", "check", "odd", "--fail-on", limit]) == code


def test_what_cannot_be_read_ends_with_a_code_of_its_own(capsys):
    assert run(["image", "check", "none"]) == 3
    said = capsys.readouterr().err
    assert "linkspan: none is no image" in said
    assert "hint: name another" in said


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--fail-on", "bad"], "--fail-on is 'bad', not one of critical, error, warning, info"),
        (["--driver", "new"], 'the driver "new" is no version'),
        (["--gpu", "T4,T5"], 'the GPU "T5" is not known here'),
        (["--driver", "535", "--target", "x"], "leave out --driver and --gpu"),
        (["--json", "--github"], "choose one"),
        (["--sarif", "-", "--junit", "-"], "choose one"),
    ],
)
def test_wrong_usage_is_told(options, message, capsys):
    assert run(["image", "check", "bad", *options]) == 2
    assert message in capsys.readouterr().err


def test_json_is_the_whole_check(capsys):
    assert run(["image", "check", "bad", "--json", "--driver", "535", "--gpu", "T4"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["source"], told["exit_code"]) == ("shop/app:1", 1)
    assert told["target"] == {"driver": "535", "gpus": ["T4"], "capabilities": ["7.5"]}
    assert told["findings"][0]["layer_command"] == "COPY . /app"
    assert told["findings"][2]["cause"] == "ODD is 1 on driver 535"


def test_saved_facts_are_a_target(tmp_path, capsys):
    gpu = Gpu(index=0, minor=0, uuid="GPU-1", name="NVIDIA L4", pci_bus_id="0", compute_capability="8.9")
    snapshot.save(HostFacts(driver=Driver(version="550.54.14"), gpus=(gpu,)), str(tmp_path / "facts.json"))
    assert run(["image", "check", "odd", "--json", "--target", str(tmp_path / "facts.json")]) == 0
    told = json.loads(capsys.readouterr().out)["target"]
    assert told == {"driver": "550.54.14", "gpus": ["NVIDIA L4"], "capabilities": ["8.9"]}


@pytest.mark.parametrize("option", ["--target", "--policy", "--baseline"])
def test_a_file_that_cannot_be_read_ends_with_3(option, tmp_path, capsys):
    assert run(["image", "check", "bad", option, str(tmp_path / "none")]) == 3
    assert "no such file" in capsys.readouterr().err


def test_a_policy_that_cannot_be_followed_is_wrong_usage(tmp_path, capsys):
    (tmp_path / "p.toml").write_text("[[rule]]\nid = 'I-T-1'\n")
    assert run(["image", "check", "bad", "--policy", str(tmp_path / "p.toml")]) == 2
    assert "p.toml:1: object missing required field" in capsys.readouterr().err


def test_a_policy_switches_off_and_says_so(tmp_path, capsys):
    entry = "[[rule]]\nid = '{}'\nseverity = 'off'\nreason = 'ticket 1'\nexpires = {}\n"
    (tmp_path / "p.toml").write_text(entry.format("I-T-1", "9999-01-01") + entry.format("I-T-3", "2020-01-01"))
    assert run(["image", "check", "bad", "--policy", str(tmp_path / "p.toml")]) == 0
    said = capsys.readouterr()
    assert "Switched off by the policy\nI-T-1  /a.bad is bad\n  until 9999-01-01: ticket 1" in said.out
    assert "I-T-3  an odd variable" in said.out
    assert "p.toml:6: the entry for I-T-3 expired on 2020-01-01" in said.err


def test_a_baseline_tells_new_from_known(tmp_path, images, capsys):
    kept = str(tmp_path / "b.json")
    assert run(["image", "check", "bad", "--write-baseline", kept]) == 0
    assert run(["image", "check", "bad", "--baseline", kept, "--fail-on", "info"]) == 0
    assert "Known before\nI-T-1" in capsys.readouterr().out
    images["bad"] = ruled.image("/a.bad", "/new.bad")
    assert run(["image", "check", "bad", "--baseline", kept]) == 1
    assert "1 finding at or above error; 1 finding known before" in capsys.readouterr().out


def test_reports_are_written_beside_the_text(tmp_path, capsys):
    files = {name: str(tmp_path / name) for name in ("sarif", "junit", "html")}
    options = [word for name, path in files.items() for word in (f"--{name}", path)]
    assert run(["image", "check", "bad", *options]) == 1
    assert json.loads((tmp_path / "sarif").read_text())["version"] == "2.1.0"
    assert ElementTree.parse(files["junit"]).getroot().get("failures") == "1"
    assert "1 finding at or above error" in (tmp_path / "html").read_text()
    assert "Errors" in capsys.readouterr().out


def test_a_report_may_go_to_a_device_and_not_in_place_of_a_folder(tmp_path, capsys):
    assert run(["image", "check", "good", "--sarif", "/dev/null", "--junit", "/dev/null"]) == 0
    assert run(["image", "check", "good", "--sarif", str(tmp_path)]) == 2
    assert run(["image", "check", "good", "--html", str(tmp_path / "none" / "x")]) == 3
    assert "is a folder" in capsys.readouterr().err


def test_a_report_may_be_printed_instead(capsys):
    assert run(["image", "check", "bad", "--sarif", "-"]) == 1
    assert len(json.loads(capsys.readouterr().out)["runs"][0]["results"]) == 3


def test_annotations_are_printed_for_a_workflow(capsys):
    assert run(["image", "check", "bad", "--github"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::notice"]


def test_names_of_strangers_do_not_reach_the_terminal(capsys):
    assert run(["image", "check", "hostile"]) == 1
    said = capsys.readouterr().out
    assert not [sign for sign in ("\x1b", "\u202e", "\n::") if sign in said]
    assert "\\x1b[2J\\n::error::x\\u202e.bad" in said


def test_a_dockerfile_is_judged_with_its_lines(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nRUN apt-get install -y nvidia-driver-535\nUSER 1\n")
    assert run(["image", "check", "Dockerfile", "--sarif", "log", "--junit", "cases"]) == 1
    assert "DF-DRIVER-1" in (said := capsys.readouterr().out)
    assert "Dockerfile:2" in said
    (result,) = (one for one in _results("log") if one["ruleId"] == "DF-DRIVER-1")
    place = result["locations"][0]["physicalLocation"]
    assert (place["artifactLocation"]["uri"], place["region"]) == ("Dockerfile", {"startLine": 2})
    assert ElementTree.parse("cases").getroot().get("failures") == "1"
    assert run(["image", "check", "Dockerfile", "--github"]) == 1
    assert "::error file=Dockerfile,line=2,title=DF-DRIVER-1" in capsys.readouterr().out


def _results(path: str) -> list:
    with open(path, encoding="utf-8") as file:
        return json.load(file)["runs"][0]["results"]


def test_what_is_known_of_a_dockerfile_is_known_by_its_words(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nRUN apt-get install -y nvidia-driver-535\nUSER 1\n")
    assert run(["image", "check", "Dockerfile", "--write-baseline", "known"]) == 0
    assert run(["image", "check", "Dockerfile", "--baseline", "known"]) == 0
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nRUN apt-get install -y nvidia-driver-550\nUSER 1\n")
    assert run(["image", "check", "Dockerfile", "--baseline", "known"]) == 1
    assert "nvidia-driver-550" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("options", "message"),
    [(["--platform", "arm64"], "--platform is 'arm64'"), (["--mirror", "docker.io"], "--mirror is 'docker.io'")],
)
def test_a_way_to_an_image_that_cannot_be_followed_is_told(options, message, capsys):
    assert run(["image", "check", "bad", *options]) == 2
    assert message in capsys.readouterr().err


def test_of_many_findings_of_a_rule_some_are_shown(images, capsys):
    images["bad"] = ruled.image(*(f"/{number}.bad" for number in range(9)))
    assert run(["image", "check", "bad"]) == 1
    said = capsys.readouterr().out
    assert said.count("is bad") == 6
    assert "and 3 more findings of this rule" in said
    assert said.count("Bad files do harm.") == 1


@pytest.mark.parametrize(
    ("driver", "told"),
    [
        ("550", "runs   natively: CUDA 12.4, driver 550 runs CUDA up to 12.4"),
        ("535", "runs   by minor version compatibility: CUDA 12.4,"),
        ("470", "runs   not there: CUDA 12.4, driver 470 runs CUDA up to 11.4"),
    ],
)
def test_whether_it_runs_there_is_told(driver, told, images, capsys):
    images["cuda"] = made.image(made.cudart("12.4.127"))
    run(["image", "check", "cuda", "--driver", driver])
    assert told in capsys.readouterr().out
    run(["image", "check", "cuda", "--driver", driver, "--json"])
    assert json.loads(capsys.readouterr().out)["runs"]["cuda"] == "12.4"


FOUR = {
    "natively": (made.cudart("12.2.140"),),
    "by minor version compatibility": (made.cudart("12.8.90"),),
    "by the compatibility package": (made.cudart("12.4.127"), made.compat()),
    "not": (made.cudart("13.0.96"),),
}


@pytest.mark.parametrize("way", FOUR)
def test_text_json_and_page_agree_on_whether_it_runs_there(way, images, capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    images["x"] = made.image(*FOUR[way])
    where = ("--driver", "535.104.05", "--gpu", "T4", "--fail-on", "critical")
    run(["image", "check", "x", *where, "--html", str(tmp_path / "page.html")])
    line = next(one for one in capsys.readouterr().out.splitlines() if one.startswith("runs"))
    run(["image", "check", "x", *where, "--json"])
    told = json.loads(capsys.readouterr().out)
    page = html.unescape(re.sub("<[^>]+>", "", (tmp_path / "page.html").read_text()))
    assert told["runs"]["way"] == way
    assert told["runs"]["why"] in line
    assert line.removeprefix("runs").strip() in page
    assert told["exit_code"] == run(["image", "check", "x", *where])


def test_without_a_driver_it_says_in_a_sentence_what_is_known(images, capsys, monkeypatch):
    monkeypatch.setenv("COLUMNS", "300")
    images["cuda"] = made.image(made.cudart("12.4.127"))
    run(["image", "check", "cuda", "--gpu", "T4"])
    said = capsys.readouterr().out
    assert "runs   where the driver is new enough: CUDA 12.4, it runs natively from driver 550 on" in said


def test_what_it_holds_is_told_with_versions(images, capsys):
    wheels = [made.wheel(name, version) for name, version in (("torch", "2.4.0"), ("nvidia-cudnn-cu12", "9.1"))]
    images["stack"] = made.image(made.cudart("12.4.127"), *wheels)
    run(["image", "check", "stack"])
    assert "holds  CUDA 12.4.127, cuDNN 9.1, PyTorch 2.4.0" in capsys.readouterr().out
    run(["image", "check", "stack", "--json"])
    assert {one["key"] for one in json.loads(capsys.readouterr().out)["parts"]} == {"cudart", "cudnn", "torch"}


def test_a_dockerfile_says_that_it_is_judged_without_a_target(tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "Dockerfile").write_text("FROM debian:12\nUSER 1\n")
    assert run(["image", "check", "Dockerfile", "--driver", "535"]) == 0
    assert "--driver, --gpu and --target are about images" in capsys.readouterr().err
    assert run(["image", "check", "Dockerfile"]) == 0
    assert capsys.readouterr().err == ""


def test_a_target_that_is_no_saved_host_keeps_the_name_of_json(tmp_path, capsys):
    (tmp_path / "x").write_text("nothing")
    assert run(["image", "check", "good", "--target", str(tmp_path / "x")]) == 3
    assert "not a saved host: JSON is malformed" in capsys.readouterr().err


def test_what_gitlab_takes_is_printed_too(capsys):
    assert run(["image", "check", "bad", "--code-quality", "-"]) == 1
    issues = json.loads(capsys.readouterr().out)
    assert [one["severity"] for one in issues] == ["critical", "minor", "info"]
    assert issues[0]["location"]["path"] == "a.bad"
