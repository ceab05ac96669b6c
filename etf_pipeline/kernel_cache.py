"""Where compiled kernels are kept: a folder of their own for every version of their code.

numba compiles a kernel anew when its own file changes, and not when a kernel or constant that it uses from another file does: it
would go on with the old machine code [1]_. So the folder's name is a hash of every file that holds kernels, and of what these
import from the project.

References
----------
.. [1] numba manual, "Notes on caching": "Cache invalidation fails to recognize changes in functions defined in a different file."
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import subprocess
import sys
from collections.abc import MutableMapping
from pathlib import Path

VARIABLE = "NUMBA_CACHE_DIR"
KERNEL = "njit("
_IMPORT = re.compile(r"^from (\w+[\w.]*) import (\([^)]*\)|.*)$", re.MULTILINE)


def use_own_folder(environment: MutableMapping[str, str], package: Path) -> None:
    """Let numba, which need not be imported yet, keep the package's kernels by their version.

    Parameters
    ----------
    environment : mapping
        The process's variables. A folder that is set there already is where the versions' folders go; child processes
        inherit the answer and keep it.
    package : Path
        Folder of the package.
    """
    name = f"kernels-{kernel_version(package)}"
    base = Path(environment.get(VARIABLE) or _default(package))
    folder = base if base.name == name else base / name
    environment[VARIABLE] = str(folder)
    if "numba" in sys.modules:  # somebody imported it first, and it has read the variable
        sys.modules["numba"].config.CACHE_DIR = str(folder)


def compile_elsewhere(module: str, function: str) -> None:
    """Let another process compile a module's kernels once, so that every process runs the machine code from the cache.

    Parameters
    ----------
    module, function : str
        The function without arguments that uses each kernel once.

    Notes
    -----
    Where the compiler may reorder sums, it inlines and orders them differently in the process that compiles than in the code that
    it keeps: fits differed by 1e-11 between a machine's first run and all later ones. Where nothing can be kept, nothing is done.
    """
    from numba import config

    folder = getattr(config, "CACHE_DIR", "")
    if not folder:
        return
    done = Path(folder) / f"{module}.compiled"
    if done.exists():
        return
    subprocess.run([sys.executable, "-c", f"from {module} import {function}; {function}()"], check=True)
    with contextlib.suppress(OSError):
        done.touch()


def kernel_version(package: Path) -> str:
    """Sixteen hexadecimal digits of all files with kernels and everything that they import from the package."""
    texts = {".".join(path.relative_to(package.parent).with_suffix("").parts): path for path in package.rglob("*.py")}
    read = {name: path.read_text(encoding="utf-8") for name, path in texts.items()}
    waiting, seen = [name for name, text in read.items() if KERNEL in text], set[str]()
    while waiting:
        name = waiting.pop()
        if name not in seen:
            seen.add(name)
            waiting += [module for module in _imported(read[name]) if module in read]
    digest = hashlib.sha256("\0".join(f"{name}\n{read[name]}" for name in sorted(seen)).encode())
    return digest.hexdigest()[:16]


def _imported(text: str) -> list[str]:
    found = []
    for module, names in _IMPORT.findall(text):
        found += [module, *(f"{module}.{name}" for name in re.findall(r"\w+", names))]
    return found


def _default(package: Path) -> Path:
    """Beside the code's own byte code, or among the user's caches where that may not be written."""
    beside = package / "__pycache__"
    return beside if os.access(beside if beside.exists() else package, os.W_OK) else Path.home() / ".cache" / package.name
