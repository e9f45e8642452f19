"""What tests of rules share tells what it found, as tests do."""

import pytest

pytest.register_assert_rewrite("tests.unit.image.rules.cases")
