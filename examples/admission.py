"""Judges a pod by its images with linkspan as a library, as an admission check of Kubernetes' would.

    python examples/admission.py [--from registry:] [--policy POLICY.toml] [--driver 535 --gpu T4] <REVIEW.json

REVIEW.json is an AdmissionReview of a pod (admission.k8s.io/v1); the answer is printed. Each image is read from
where --from says, by its name. One that cannot be read is refused, with the reason.
"""

import argparse
import json
import sys
from typing import Any

import linkspan


def main() -> int:
    """Read a review, and print the answer."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--from", dest="place", default="registry:")
    parser.add_argument("--policy", type=argparse.FileType("rb"))
    parser.add_argument("--driver", default="")
    parser.add_argument("--gpu", action="append", default=[])
    asked = parser.parse_args()
    policy = linkspan.image_policy(asked.policy.read(), asked.policy.name) if asked.policy else None
    target = linkspan.image_target(asked.driver, asked.gpu)
    request = json.load(sys.stdin)["request"]
    decisions = {name: decide(asked.place + name, target, policy) for name in images(request["object"]["spec"])}
    json.dump(answer(request["uid"], decisions), sys.stdout, indent=2)
    return 0


def images(spec: dict[str, Any]) -> list[str]:
    """The images of a pod, each once."""
    kinds = ("initContainers", "containers", "ephemeralContainers")
    return list(dict.fromkeys(container["image"] for kind in kinds for container in spec.get(kind) or ()))


def decide(
    source: str, target: linkspan.ImageTarget, policy: linkspan.ImagePolicy | None
) -> tuple[bool, str, tuple[str, ...]]:
    """Whether an image may run, why, and what is wrong with the policy."""
    try:
        found = linkspan.check_image(linkspan.open_image(source), target)
    except linkspan.LinkspanError as error:
        return False, error.message, ()
    decision = linkspan.admit(found.findings, "error", policy, unread=found.refused)
    return decision.admitted, decision.reason, decision.notes


def answer(uid: str, decisions: dict[str, tuple[bool, str, tuple[str, ...]]]) -> dict[str, Any]:
    """The AdmissionReview that the API server waits for."""
    refused = [f"{name}: {reason}" for name, (admitted, reason, _) in decisions.items() if not admitted]
    status = {"status": {"code": 403, "message": "; ".join(refused)}} if refused else {}
    warnings = sorted({note for _, _, notes in decisions.values() for note in notes})
    response = {"uid": uid, "allowed": not refused, **status, **({"warnings": warnings} if warnings else {})}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}


if __name__ == "__main__":
    try:
        sys.exit(main())
    except linkspan.LinkspanError as error:
        sys.exit(f"admission: {error}")
