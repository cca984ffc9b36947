"""Installs the app's libraries for the machine image of Azure Functions, wherever this runs."""

from __future__ import annotations

import platform
import shutil
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from infra.package.byte_code import compile_all
from infra.package.contents import ROOT

PYTHON = f"{sys.version_info.major}.{sys.version_info.minor}"
"""The version that the libraries are for: byte code and compiled modules are those of this interpreter."""
IMAGE_GLIBC = (2, 31)
"""The C library of the oldest image there is, that of Python 3.11 (Debian 11)."""
_IMAGE = ("manylinux2014_x86_64", "manylinux_2_28_x86_64")
"""What such an image can run; a build for the machine's own, newer C library would not start there
(azure-functions-python-worker#1651: "GLIBC_2.33 not found", and no function is found)."""


def fits_the_image() -> bool:
    """Tell whether this machine can run what the image can, so that the very same files are tested here."""
    is_glibc = platform.libc_ver()[0] == "glibc"
    return (platform.system(), platform.machine(), is_glibc) == ("Linux", "x86_64", True)


def install(directory: Path, requirements: Path = ROOT / "requirements.txt") -> None:
    """Install what the requirements ask for into the directory, whose old content goes.

    The versions are those of the running environment, where it has them: those that the tests ran with. On
    other machines than Linux with glibc on x86-64, the libraries are those of the machine: good for the
    tests, not for Azure.
    Raises subprocess.CalledProcessError if pip finds no fitting builds; pip has said which.
    """
    directory.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=directory.parent) as fresh:
        target, constraints = Path(fresh) / "libraries", Path(fresh) / "constraints.txt"
        constraints.write_text(_run("list", "--format=freeze", "--exclude-editable"))
        _run(
            *("install", "--quiet", "--no-compile", "--target", str(target), *_builds()),
            *("--constraint", str(constraints), "--requirement", str(requirements)),
        )
        shutil.rmtree(target / "bin", ignore_errors=True)  # commands for a shell
        compile_all(target)
        shutil.rmtree(directory, ignore_errors=True)
        target.rename(directory)


def _builds() -> list[str]:
    if not fits_the_image():
        return []
    image = [f"--platform={name}" for name in _IMAGE]
    return [*image, "--implementation=cp", f"--python-version={PYTHON}", "--only-binary=:all:"]


def _run(*arguments: str) -> str:
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", *arguments]
    return subprocess.run(pip, check=True, stdout=subprocess.PIPE, text=True).stdout
