"""Compiled kernels never outlive the code that they were compiled from, in whatever file that stands."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

import etf_pipeline
from etf_pipeline.kernel_cache import VARIABLE, kernel_version, use_own_folder

KERNEL = "from numba import njit\nfrom {package}.constants import RATE\n\n@njit(cache=True)\ndef earn(x):\n    return x * RATE\n"


@pytest.fixture
def package(tmp_path: Path) -> Path:
    """A package whose kernel uses a constant of another file, and a file that no kernel uses."""
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / "__init__.py").touch()
    (folder / "kernels.py").write_text(KERNEL.format(package="tiny"))
    (folder / "constants.py").write_text("RATE = 2.0\n")
    (folder / "other.py").write_text("COLOUR = 'red'\n")
    return folder


def test_the_version_follows_what_kernels_use_and_nothing_else(package: Path) -> None:
    before = kernel_version(package)
    (package / "other.py").write_text("COLOUR = 'blue'\n")
    assert kernel_version(package) == before
    (package / "constants.py").write_text("RATE = 3.0\n")
    assert kernel_version(package) != before


def test_a_constant_changed_in_another_file_reaches_the_compiled_kernel(package: Path) -> None:
    def earned() -> float:
        environment = {**os.environ, "PYTHONPATH": f"{package.parent}{os.pathsep}{Path(etf_pipeline.__file__).parents[1]}"}
        environment |= {
            VARIABLE: str(package.parent / "cache"),
            "PYTHONDONTWRITEBYTECODE": "1",
        }  # byte code is told apart by seconds
        use_own_folder(environment, package)
        code = "from tiny.kernels import earn; print(earn(1.0))"
        done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
        return float(done.stdout)

    assert earned() == 2.0
    (package / "constants.py").write_text("RATE = 3.0\n")
    assert earned() == 3.0


def test_child_processes_keep_the_folder(package: Path, tmp_path: Path) -> None:
    environment = {VARIABLE: str(tmp_path / "mine")}
    use_own_folder(environment, package)
    once = environment[VARIABLE]
    use_own_folder(environment, package)
    assert environment[VARIABLE] == once
    assert Path(once).parent == tmp_path / "mine"


def test_it_costs_an_import_next_to_nothing() -> None:
    folder = Path(etf_pipeline.__file__).parent
    seconds = []
    for _ in range(5):
        start = time.process_time()
        kernel_version(folder)
        seconds.append(time.process_time() - start)
    assert min(seconds) < 0.05
