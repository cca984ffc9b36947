"""Which histories were released under which version: whoever upgrades from it has instances like these.

    python -m tests.histories.released      # part of a release, after CHANGELOG.md has its section

They stay as they are, and replay, for as long as `defaultVersion` in host.json stays the same.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).parent.parent.parent
STORED = Path(__file__).parent
LIST = STORED / "released.txt"  # a line is: version, orchestration, SHA-256 of its history
_RELEASE = re.compile(r"^## \[?v?\d", re.MULTILINE)

Digests = Mapping[str, str]


def main() -> None:
    """Note the histories as they are as released under the version of host.json."""
    known = released(LIST.read_text())
    known[current_version()] = stored()
    lines = (f"{version} {name} {digest}" for version in known for name, digest in known[version].items())
    LIST.write_text("".join(f"{line}\n" for line in sorted(lines)))


def current_version() -> str:
    """Return the version under which instances begin now."""
    version: str = json.loads((ROOT / "host.json").read_text())["extensions"]["durableTask"]["defaultVersion"]
    return version


def stored() -> dict[str, str]:
    """Return the digest of each stored history, by the name of its orchestration."""
    return {path.stem: hashlib.sha256(path.read_bytes()).hexdigest() for path in STORED.glob("*.json")}


def released(text: str) -> dict[str, dict[str, str]]:
    """Read the list: digests by orchestration, by version."""
    found: dict[str, dict[str, str]] = {}
    for line in text.splitlines():
        version, name, digest = line.split()
        found.setdefault(version, {})[name] = digest
    return found


def faults(changelog: str, known: Mapping[str, Digests], version: str, now: Digests) -> Iterator[str]:
    """Say what a release would break for who upgrades to it."""
    if _RELEASE.search(changelog) and not known:
        yield "there is a release, and its histories are not noted: python -m tests.histories.released"
    for name, digest in known.get(version, {}).items():
        if now.get(name) != digest:
            yield (
                f"{name} was released under version {version} with another history: put that one back, or "
                "raise defaultVersion in host.json and record all anew (python -m tests.histories.record)"
            )


if __name__ == "__main__":
    main()
