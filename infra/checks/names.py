"""Every name in a Bicep file is declared, and what is declared for use inside the file is used.

Scopes are kept as far as the grammar allows: a loop's variables within the loop, a lambda's within the
argument that it stands in (see `bicep`). A name that is declared in a resource's body counts everywhere.
"""

from __future__ import annotations

from collections.abc import Iterator

from tree_sitter import Node

from infra.checks.bicep import BicepFile, below, callee, line, parts, text
from infra.checks.project import Project
from infra.checks.results import Finding, Result, result

_NAMESPACES = {"az", "sys"}
_DECLARES = {
    "parameter_declaration",
    "variable_declaration",
    "resource_declaration",
    "module_declaration",
    "output_declaration",
    "type_declaration",
    "user_defined_function",
    "metadata_declaration",
    "assert_statement",
    "parameter",  # of a function
    "object_property",
}
# learn.microsoft.com/azure/azure-resource-manager/bicep/bicep-functions
_FUNCTIONS = {
    "any", "array", "base64", "base64ToJson", "base64ToString", "bool", "buildUri", "cidrHost",
    "cidrSubnet", "coalesce", "concat", "contains", "dataUri", "dataUriToString", "dateTimeAdd",
    "dateTimeFromEpoch", "dateTimeToEpoch", "deployer", "deployment", "empty", "endsWith",
    "environment", "extensionResourceId", "fail", "filter", "first", "flatten", "format", "groupBy",
    "guid", "indexOf", "int", "intersection", "items", "join", "json", "last", "lastIndexOf", "length",
    "loadFileAsBase64", "loadJsonContent", "loadTextContent", "loadYamlContent", "managementGroup",
    "managementGroupResourceId", "map", "mapValues", "max", "min", "nameof", "newGuid", "objectKeys",
    "padLeft", "parseCidr", "parseUri", "pickZones", "range", "readEnvironmentVariable", "reduce",
    "reference", "replace", "resourceGroup", "resourceId", "shallowMerge", "skip", "sort", "split",
    "startsWith", "string", "subscription", "subscriptionResourceId", "substring", "take", "tenant",
    "tenantResourceId", "toLogicalZone", "toLogicalZones", "toLower", "toObject", "toPhysicalZone",
    "toPhysicalZones", "toUpper", "trim", "union", "uniqueString", "uri", "uriComponent",
    "uriComponentToString", "utcNow",
}  # fmt: skip
_DECORATORS = {
    "allowed", "batchSize", "description", "discriminator", "export", "maxLength", "maxValue",
    "metadata", "minLength", "minValue", "onlyIfNotExists", "retryOn", "sealed", "secure", "waitUntil",
}  # fmt: skip


def check(project: Project) -> Result:
    """Look for names that nobody declares, and for parameters and variables that nobody uses."""
    findings: list[Finding] = []
    for file in project.parsed.values():
        uses = list(_uses(file.root, frozenset()))
        findings += [*_undefined(file, uses), *_unknown_calls(file), *_unused(file, uses), *_twice(file)]
    names = sum(len(_declared(file)) for file in project.parsed.values())
    return result("names", f"{names} names in {len(project.parsed)} Bicep files", findings)


def _declared(file: BicepFile) -> set[str]:
    imported = {
        text(name)
        for node in below(file.root)
        if node.type == "import_functionality"
        for name in parts(node)
        if name.type == "identifier"
    }
    return {
        *file.parameters,
        *file.variables,
        *file.resources,
        *file.modules,
        *file.types,
        *file.functions,
        *imported,
    }


def _undefined(file: BicepFile, uses: list[tuple[Node, frozenset[str]]]) -> Iterator[Finding]:
    known = _declared(file) | _NAMESPACES
    for name, local in uses:
        if text(name) not in known | local:
            advice = "declare it, or correct its spelling (case counts)"
            yield Finding(file.name, line(name), f"nothing here is named {text(name)!r}", advice)


def _unused(file: BicepFile, uses: list[tuple[Node, frozenset[str]]]) -> Iterator[Finding]:
    used = {text(name) for name, _ in uses}
    for kind, declared in (("parameter", file.parameters), ("variable", file.variables)):
        for name, declaration in declared.items():
            if name not in used:
                found = f"the {kind} {name!r} is not used"
                yield Finding(file.name, line(declaration.node), found, "remove it, or use it")


def _twice(file: BicepFile) -> Iterator[Finding]:
    first: dict[str, int] = {}
    for node in parts(file.root):
        if node.type not in _DECLARES - {"output_declaration", "metadata_declaration"}:
            continue
        name = text(next(part for part in parts(node) if part.type == "identifier"))
        if first.setdefault(name, line(node)) != line(node):
            found = f"{name!r} is declared in line {first[name]} already"
            yield Finding(file.name, line(node), found, "give one of them another name")


def _unknown_calls(file: BicepFile) -> Iterator[Finding]:
    for name in _called(file.root):
        is_decorator = name.parent is not None and _is_decorator(name.parent)
        known = _DECORATORS if is_decorator else _FUNCTIONS | _declared(file)
        # `listKeys` and its like are named by each resource provider.
        if text(name) not in known and (is_decorator or not text(name).startswith("list")):
            advice = "correct its spelling (case counts), or declare it with `func`"
            yield Finding(file.name, line(name), f"Bicep has no function {text(name)!r}", advice)


def _is_decorator(call: Node) -> bool:
    return call.parent is not None and call.parent.type == "decorator"


def _called(root: Node) -> Iterator[Node]:
    """Yield the name of every function that is called."""
    for node in below(root):
        if node.type == "call_expression":
            name = callee(node)
            if name.type == "identifier":
                yield name
        elif node.type == "identifier" and _is_torn(node):
            yield node


def _is_torn(name: Node) -> bool:
    """Whether a name in an array is that of a function whose arguments are parsed as the next element."""
    after = name.next_named_sibling
    if after is None or name.parent is None or name.parent.type != "array":
        return False
    return after.start_byte == name.end_byte and text(after).startswith("(")


def _uses(
    node: Node, local: frozenset[str], called: frozenset[int] = frozenset()
) -> Iterator[tuple[Node, frozenset[str]]]:
    """Yield every identifier that refers to something, and the names that hold only there; no functions."""
    if node.type == "call_expression":
        called |= {callee(node).id}
    if node.type in ("for_statement", "user_defined_function", "lambda_expression"):
        local |= bound(node)
    for child in _referring(node):
        within = local | bound_by_lambdas(child) if node.type == "arguments" else local
        if child.type != "identifier":
            yield from _uses(child, within, called)
        elif not _is_torn(child) and child.id not in called:
            yield child, within


def _referring(node: Node) -> list[Node]:
    """Return the parts of a node that may refer to something, without those that give a name."""
    found = parts(node)
    if node.type == "import_functionality":
        return []
    if node.type == "call_expression" and found[0].type == "identifier":
        return found[1:]
    if node.type == "lambda_expression":
        return found[1:]
    if node.type == "for_statement":
        return [part for part in found if part.type != "for_loop_parameters"][_is_plain(node) :]
    if node.type == "resource_expression":  # `outer::inner`
        return found[:1]
    if node.type in _DECLARES and found and found[0].type in ("identifier", "property_identifier"):
        return found[1:]
    return found


def _is_plain(loop: Node) -> bool:
    """Whether a loop has its one variable without parentheses."""
    return loop.child_by_field_name("initializer") is not None


def bound(node: Node) -> frozenset[str]:
    """Return the names that a loop, a lambda or a function gives to what it goes through."""
    if node.type == "for_statement":
        plain = node.child_by_field_name("initializer")
        if plain is not None:
            return frozenset({text(plain)})
        head = next(part for part in parts(node) if part.type == "for_loop_parameters")
        return frozenset(text(part) for part in parts(head))
    if node.type == "lambda_expression":
        head = parts(node)[0]
        return frozenset(text(name) for name in ([head] if head.type == "identifier" else parts(head)))
    return frozenset(text(parts(each)[0]) for each in below(node) if each.type == "parameter" and parts(each))


def bound_by_lambdas(argument: Node) -> frozenset[str]:
    """Return what the lambdas of one argument bind, those of the calls within left out."""
    if argument.type == "arguments":
        return frozenset()
    own = bound(argument) if argument.type == "lambda_expression" else frozenset()
    return own.union(*(bound_by_lambdas(child) for child in parts(argument)))
