"""How programs of a CUDA version run on a driver."""

import pytest

from linkspan.check.cuda_fit import fit


@pytest.mark.parametrize(
    ("wanted", "driver", "compat", "way"),
    [
        ("12.4.127", "550.163.01", "", "natively"),
        ("11.8", "550.163.01", "", "natively"),
        ("12.8", "550.163.01", "", "by minor version compatibility"),
        ("12.8", "550.163.01", "570.124.06", "by the compatibility package"),
        ("13.0", "550.163.01", "", "not"),
        ("13.0", "550.163.01", "580.65.06", "by the compatibility package"),
        ("12.4", "470.256.02", "", "not"),
        ("12.4", "", "", "unknown"),
        ("nonsense", "550.163.01", "", "unknown"),
    ],
)
def test_how_a_cuda_runs_on_a_driver(wanted, driver, compat, way):
    found = fit(wanted, driver, compat)
    assert found.way == way
    assert found.why
