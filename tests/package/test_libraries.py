"""The libraries of the package start on the machine image of Azure Functions."""

from __future__ import annotations

import pytest

from infra.package import c_library
from infra.package.libraries import IMAGE_GLIBC, PYTHON, fits_the_image
from tests.package.conftest import LIBRARIES

pytestmark = pytest.mark.skipif(
    not fits_the_image(),
    reason="the libraries of this machine are not those of the image (Linux, x86-64, glibc)",
)


def test_no_compiled_library_needs_a_newer_c_library_than_the_image_has(libraries):
    needs = {path.name: c_library.needed(path) for path in c_library.shared_libraries(libraries)}
    assert {name: version for name, version in needs.items() if version > IMAGE_GLIBC} == {}
    assert max(needs.values()) > (0, 0), (
        "no compiled library names a version: this test has looked at nothing"
    )


def test_every_compiled_library_is_for_this_version_of_python(libraries):
    names = [path.name for path in c_library.shared_libraries(libraries)]
    tag = "cpython-" + PYTHON.replace(".", "")
    assert names
    assert [name for name in names if tag not in name and ".abi3." not in name] == []


def test_only_what_the_app_requires_is_installed():
    tools = {"pytest", "mypy", "ruff", "hypothesis", "pathspec", "pip", "setuptools"}
    assert not tools & {path.name for path in LIBRARIES.iterdir()}


@pytest.mark.parametrize(
    ("content", "needs"),
    [
        (b"\0GLIBC_2.2.5\0GLIBC_2.17\0", (2, 17)),
        (b"\0GLIBC_2.34\0GLIBC_2.4\0", (2, 34)),
        (b"\0GLIBCXX_3.4.29\0", (0, 0)),  # C++'s own, which is another library
    ],
)
def test_the_newest_version_that_is_named_counts(tmp_path, content, needs):
    (tmp_path / "module.so").write_bytes(b"\x7fELF" + content)
    assert c_library.needed(tmp_path / "module.so") == needs
    assert list(c_library.shared_libraries(tmp_path)) == [tmp_path / "module.so"]
