import os
import subprocess
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__)))))


def test_the_page_of_rules_for_dockerfiles_is_what_the_rules_say():
    done = subprocess.run(
        [sys.executable, f"{ROOT}/.ci/dockerfile-rules"], capture_output=True, text=True, timeout=60, check=True
    )
    with open(f"{ROOT}/docs/reference/dockerfile-rules.md", encoding="utf-8") as file:
        assert file.read() == done.stdout, "run 'make docs'"
