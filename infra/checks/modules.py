"""Modules fit those who deploy them: they exist, get what they need, and give what is read of them."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from tree_sitter import Node

from infra.checks.bicep import BicepFile, Declaration, below, entries, line, literal, parts, text
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

MAIN, PARAMETERS = "infra/main.bicep", "infra/main.parameters.json"
# What a literal can be given for, by the type that a parameter is declared with.
_LITERALS = {"string": "string", "number": "int", "boolean": "bool", "object": "object", "array": "array"}


def check(project: Project) -> Result:
    """Look at every module that is deployed, and at the parameters that the first file is given."""
    findings: list[Finding] = []
    count = 0
    for path, file in project.parsed.items():
        count += len(file.modules)
        for module in file.modules.values():
            findings += _module(project, file, module, (path.parent / module.of).resolve())
        findings += _outputs(project, path, file)
    findings += _parameters_of_main(project)
    findings += _forgotten(project)
    return result("modules", f"{count} modules", findings)


def _module(project: Project, file: BicepFile, module: Declaration, path: Path) -> Iterator[Finding]:
    if path not in project.bicep:
        advice = "name a file that is there"
        yield Finding(file.name, line(module.node), f"there is no module file {module.of!r}", advice)
    elif module.body is None:
        yield Finding(file.name, line(module.node), f"module {module.name!r} has no body", "write `= {…}`")
    elif path in project.parsed:
        yield from _given(file, module, module.body, project.parsed[path])


def _given(file: BicepFile, module: Declaration, body: Node, callee: BicepFile) -> Iterator[Finding]:
    members = entries(body)
    if "params" in members and members["params"][1].type != "object":
        found = f"the parameters of module {module.name!r} cannot be read here"
        yield Finding(file.name, line(members["params"][0]), found, "write them out as an object")
        return
    given = entries(members["params"][1]) if "params" in members else {}
    for name, (entry, value) in given.items():
        if name not in callee.parameters:
            known = ", ".join(callee.parameters) or "none"
            found = f"{callee.name} has no parameter {name!r}"
            yield Finding(file.name, line(entry), found, f"remove it or correct its name; it has: {known}")
        else:
            yield from _literal(file, callee, callee.parameters[name], value)
    for name, parameter in callee.parameters.items():
        if name not in given and not parameter.is_optional:
            found = f"module {module.name!r} is not given the parameter {name!r} of {callee.name}"
            yield Finding(file.name, line(module.node), found, "give it, or let it have a default there")


def _literal(file: BicepFile, callee: BicepFile, parameter: Declaration, value: Node) -> Iterator[Finding]:
    """Compare what is given as it stands with the type of a parameter; what is computed is not judged."""
    given, wanted = _LITERALS.get(value.type), parameter.kind.rstrip("?").removesuffix("[]")
    if parameter.kind.rstrip("?").endswith("[]"):
        wanted = "array"
    if given and wanted in _LITERALS.values() and given != wanted:
        found = f"parameter {parameter.name!r} of {callee.name} is {parameter.kind}, and {given} is given"
        yield Finding(file.name, line(value), found, f"give it {wanted}")


def _outputs(project: Project, path: Path, file: BicepFile) -> Iterator[Finding]:
    """Look at `module.outputs.name` and `module[0].outputs.name`, wherever it stands."""
    for node in below(file.root):
        module = file.modules.get(_module_read(node))
        callee = project.parsed.get((path.parent / module.of).resolve()) if module else None
        if module is None or callee is None:
            continue
        name = text(parts(node)[1])
        if name not in callee.outputs:
            found = f"{callee.name} has no output {name!r}"
            known = ", ".join(callee.outputs) or "none"
            yield Finding(file.name, line(node), found, f"read another, or write it there; it has: {known}")


def _module_read(node: Node) -> str:
    """Return the name before `.outputs.` if that is what a node reads, else an empty text."""
    if node.type != "member_expression" or parts(node)[0].type != "member_expression":
        return ""
    of, member = parts(parts(node)[0])[:2]
    if of.type == "subscript_expression":
        of = parts(of)[0]
    return text(of) if of.type == "identifier" and text(member) == "outputs" else ""


def _parameters_of_main(project: Project) -> Iterator[Finding]:
    main = project.parsed.get(project.root / MAIN)
    if main is None:
        return
    try:
        given = project.json(PARAMETERS)["parameters"]
    except (OSError, ValueError, KeyError, TypeError) as trouble:
        found = f"the parameters cannot be read: {type(trouble).__name__}"
        yield Finding(PARAMETERS, 1, found, 'write {"parameters": {"name": {"value": …}}}')
        return
    for name in given:
        if name not in main.parameters:
            at = project.line_of(PARAMETERS, f'"{name}"')
            yield Finding(
                PARAMETERS, at, f"{MAIN} has no parameter {name!r}", "remove it or correct its name"
            )
    for name, parameter in main.parameters.items():
        if name not in given and not parameter.is_optional:
            found = f"the parameter {name!r} has neither a default nor a value in {PARAMETERS}"
            yield Finding(MAIN, line(parameter.node), found, "give it one")


def _forgotten(project: Project) -> Iterator[Finding]:
    """A module file that nobody deploys is read by nobody either."""
    deployed = {
        (path.parent / each).resolve()
        for path, file in project.parsed.items()
        for each in [*(module.of for module in file.modules.values()), *_imported(file)]
    }
    for path, file in project.bicep.items():
        if path.resolve() not in deployed and file.name != MAIN:
            yield Finding(
                file.name, 1, "no other file deploys this one", "remove it, or deploy it as a module"
            )


def _imported(file: BicepFile) -> Iterator[str]:
    for node in below(file.root):
        if node.type == "import_functionality":
            yield literal(parts(node)[-1]) or ""
