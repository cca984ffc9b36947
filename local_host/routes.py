"""Route templates of HTTP triggers, as ASP.NET reads them.

    restore-points/{id}      files/{*path}      pages/{number:int?}      {kind:alpha}/{name=all}

Text ignores case. Constraints: int, long, bool, guid, alpha, decimal, double, float, datetime, length,
minlength, maxlength, min, max, range, regex, required. Which function is tried first does not depend on how
much a template says: see http_triggers.py.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from urllib.parse import unquote

Check = Callable[[str], bool]


class RouteError(ValueError):
    """A route template that cannot be read."""


@dataclass(frozen=True)
class Route:
    """A parsed template; `match` gives the values of its parameters."""

    template: str
    _pattern: re.Pattern[str]
    _checks: dict[str, list[Check]]
    _defaults: dict[str, str]

    @classmethod
    def parse(cls, template: str) -> Route:
        """Read a template. Raises RouteError for a constraint that ASP.NET does not know."""
        checks: dict[str, list[Check]] = {}
        defaults: dict[str, str] = {}
        pattern = "".join(_segment(part, checks, defaults) for part in _segments(template))
        return cls(template, re.compile(pattern + "/?", re.IGNORECASE), checks, defaults)

    def match(self, path: str) -> dict[str, str] | None:
        """Match a path, still percent-encoded and without the prefix; None if it does not fit."""
        found = self._pattern.fullmatch("/" + path.strip("/") if path.strip("/") else "")
        if found is None:
            return None
        given = {name: unquote(value) for name, value in found.groupdict().items() if value}
        values = {**self._defaults, **given}
        if all(
            check(values[name]) for name, checks in self._checks.items() if name in values for check in checks
        ):
            return values
        return None


_PARAMETER = re.compile(r"\{(\*{0,2})(\w+)((?::(?:[^{}():=?]|\((?:[^()]|\([^()]*\))*\))+)*)(=[^}?]*)?(\?)?\}")


def _segments(template: str) -> list[str]:
    """Split at slashes that are outside braces, for a regex constraint may hold some."""
    return re.findall(r"(?:[^/{]|\{(?:[^{}]|\{[^{}]*\})*\})+", template)


def _segment(text: str, checks: dict[str, list[Check]], defaults: dict[str, str]) -> str:
    whole = _PARAMETER.fullmatch(text)
    if whole is not None:
        group = _group(whole, checks, defaults)
        if whole[1]:
            return f"(?:/{group})?"
        return f"(?:/{group})?" if whole[5] or whole[4] else f"/{group}"
    pattern, position = "/", 0
    for parameter in _PARAMETER.finditer(text):
        pattern += re.escape(text[position : parameter.start()]) + _group(parameter, checks, defaults)
        position = parameter.end()
    rest = text[position:]
    if "{" in rest or "}" in rest:
        raise RouteError(f"The route segment '{text}' cannot be read.")
    return pattern + re.escape(rest)


def _group(parameter: re.Match[str], checks: dict[str, list[Check]], defaults: dict[str, str]) -> str:
    star, name, constraints, default, _ = parameter.groups()
    checks[name] = [
        _check(text) for text in re.findall(r":((?:[^:()]|\((?:[^()]|\([^()]*\))*\))+)", constraints)
    ]
    if default:
        defaults[name] = default[1:]
    return f"(?P<{name}>.*)" if star else f"(?P<{name}>[^/]+?)"


def _check(text: str) -> Check:
    name, _, argument = text.partition("(")
    maker = _CONSTRAINTS.get(name.lower())
    if maker is None:
        raise RouteError(f"The route constraint '{text}' is not known.")
    return maker(argument[:-1] if argument else "")


def _parses(parse: Callable[[str], object]) -> Callable[[str], Check]:
    def check(value: str) -> bool:
        try:
            parse(value)
        except ValueError:
            return False
        return True

    return lambda argument: check


def _integer(low: int, high: int) -> Callable[[str], Check]:
    return lambda argument: lambda value: bool(re.fullmatch(r"[+-]?\d+", value)) and low <= int(value) <= high


def _number_at(argument: str, index: int) -> int:
    return int(argument.split(",")[index])


def _length(argument: str) -> Check:
    low, high = _number_at(argument, 0), _number_at(argument, -1)
    return lambda value: low <= len(value) <= high


def _range(argument: str) -> Check:
    low, high = _number_at(argument, 0), _number_at(argument, -1)
    return lambda value: bool(re.fullmatch(r"[+-]?\d+", value)) and low <= int(value) <= high


def _at_least(argument: str) -> Check:
    return lambda value: bool(re.fullmatch(r"[+-]?\d+", value)) and int(value) >= int(argument)


def _at_most(argument: str) -> Check:
    return lambda value: bool(re.fullmatch(r"[+-]?\d+", value)) and int(value) <= int(argument)


def _regex(argument: str) -> Check:
    expression = re.compile(
        argument.replace("{{", "{").replace("}}", "}").replace("\\\\", "\\"), re.IGNORECASE
    )
    return lambda value: expression.search(value) is not None


_CONSTRAINTS: dict[str, Callable[[str], Check]] = {
    "int": _integer(-(2**31), 2**31 - 1),
    "long": _integer(-(2**63), 2**63 - 1),
    "bool": lambda argument: lambda value: value.lower() in ("true", "false"),
    "guid": _parses(uuid.UUID),
    "alpha": lambda argument: lambda value: bool(re.fullmatch(r"[a-zA-Z]*", value)),
    "decimal": _parses(float),
    "double": _parses(float),
    "float": _parses(float),
    "datetime": _parses(datetime.fromisoformat),
    "length": _length,
    "minlength": lambda argument: lambda value: len(value) >= int(argument),
    "maxlength": lambda argument: lambda value: len(value) <= int(argument),
    "min": _at_least,
    "max": _at_most,
    "range": _range,
    "regex": _regex,
    "required": lambda argument: bool,
}
