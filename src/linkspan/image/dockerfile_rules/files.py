"""Files that are put into the image: from the net without a check, secrets, and models."""

import re
from collections.abc import Iterator

from linkspan.image.dockerfile import Instruction
from linkspan.image.dockerfile_model import DockerfileRule, Fault, Subject, on_cuda

_URL = re.compile(r"(https?|ftp)://")
_PRIVATE = re.compile(
    r"(^|/)(\.env|\.netrc|\.pypirc|\.npmrc|id_(rsa|ed25519|ecdsa)|\.git-credentials|\.huggingface/token|kaggle\.json"
    r"|\.aws/credentials|\.docker/config\.json)$"
)
_WEIGHTS = re.compile(r"\.(safetensors|gguf|ggml|ckpt|pth|nemo|engine|plan)\b|pytorch_model.*\.bin\b", re.IGNORECASE)
_DOWNLOADS = re.compile(r"snapshot_download|huggingface-cli download|\bhf download\b|\.from_pretrained\(|ollama pull")


def _sources(instruction: Instruction) -> tuple[str, ...]:
    if instruction.keyword not in ("ADD", "COPY"):
        return ()
    return (instruction.words or tuple(instruction.value.split()))[:-1]


def _unchecked(subject: Subject) -> Iterator[Fault]:
    for stage in subject.needed:
        for step in stage.steps:
            one = step.instruction
            remote = [word for word in _sources(one) if _URL.match(word)]
            if one.keyword == "ADD" and remote and not one.flag("checksum"):
                yield Fault(
                    one.line_of(remote[0]), f"nothing checks {remote[0][:80]}", "write ADD --checksum=sha256:… URL"
                )


def _private(subject: Subject) -> Iterator[Fault]:
    for stage in subject.needed:
        for step in stage.steps:
            for word in _sources(step.instruction):
                if _PRIVATE.search(word.rstrip("/")):
                    fix = "take it out, and mount it where it is needed: RUN --mount=type=secret,id=…"
                    yield Fault(step.instruction.line_of(word), f"{word} holds secrets, and becomes a layer", fix)


def _weights(subject: Subject) -> Iterator[Fault]:
    fix = "mount the model when the container starts, or keep it in an artifact of its own"
    for step in subject.steps:
        for word in _sources(step.instruction):
            if _WEIGHTS.search(word):
                yield Fault(step.instruction.line_of(word), f"{word} is a model", fix)
    for run in subject.runs:
        found = _DOWNLOADS.search(run.text)
        fetched = any(command.program in ("wget", "curl") and _WEIGHTS.search(command.text) for command in run.commands)
        if found or fetched:
            line = run.instruction.line_of(found[0] if found else "")
            yield Fault(line, "a model is downloaded into the image", fix)


RULES = (
    DockerfileRule(
        *("DF-FILES-1", "a download is not checked", "info"),
        *("What the address gives next time may be something else.", _unchecked),
        bad=on_cuda("ADD https://example.com/lib.tar.gz /opt/"),
        good=on_cuda("ADD --checksum=sha256:0123 https://example.com/lib.tar.gz /opt/"),
    ),
    DockerfileRule(
        *("DF-SECRET-2", "a file with secrets is copied", "error"),
        *("A layer keeps it, also where a later one removes it.", _private),
        bad=on_cuda("COPY .env /opt/"),
        good=on_cuda("COPY app.env.example /opt/"),
    ),
    DockerfileRule(
        *("DF-FILES-2", "a model is in the image", "warning"),
        *(
            "Every change of the program moves its gigabytes again, and its licence goes where the image goes.",
            _weights,
        ),
        bad=on_cuda("COPY model.safetensors /opt/"),
        good=on_cuda("VOLUME /models"),
    ),
)
