"""What the Python worker checks when it loads a function; a function that fails here fails in Azure, too.

The rules and the texts are those of the worker's `functions.Registry.add_indexed_function`
(azure-functions-python- worker, read at commit 7e6acf36). They matter because they are strict in places that
surprise: `X | None`, `Optional` and `list[int]` are refused as annotations of bound parameters, `List[int]`
is not.
"""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable as AbstractCallable
from typing import Any, ClassVar, Generic, Union

from azure.functions import meta

_untyped_meta: Any = meta
_NOT_GENERIC = (Union, tuple, ClassVar, AbstractCallable)


class FunctionLoadError(RuntimeError):
    """The worker would refuse to load this function."""

    def __init__(self, function_name: str, problem: str) -> None:
        super().__init__(f"cannot load the {function_name} function: {problem}")


def needs_context(name: str, function: typing.Callable[..., Any], bindings: list[Any]) -> bool:
    """Check a function's parameters against its bindings; tell whether it wants the context.

    Raises FunctionLoadError with the worker's words.
    """
    parameters = dict(inspect.signature(function).parameters)
    annotations = _annotations(name, function)
    bound = {binding.name: binding for binding in bindings if binding.name != "$return"}
    wants_context = "context" in parameters and "context" not in bound
    if wants_context:
        parameters.pop("context")
        _check_context(name, annotations)
    _check_names(name, set(parameters), set(bound))
    for parameter in parameters:
        if parameter in annotations:
            _check_annotation(name, bound[parameter], annotations[parameter])
    if any(binding.name == "$return" for binding in bindings) and "return" in annotations:
        _check_return(name, annotations["return"])
    return wants_context


def _converter(kind: str) -> Any:
    """The converter that azure-functions has for a kind of binding."""
    return _untyped_meta.get_binding_registry().get(kind)


def _annotations(name: str, function: typing.Callable[..., Any]) -> dict[str, Any]:
    try:
        return typing.get_type_hints(function)
    except Exception as error:
        raise FunctionLoadError(name, f"its annotations cannot be resolved: {error}") from error


def _check_context(name: str, annotations: dict[str, Any]) -> None:
    annotation = annotations.get("context")
    if "context" in annotations and getattr(annotation, "__name__", "") != "Context":
        raise FunctionLoadError(
            name,
            f'the "context" parameter is expected to be of type azure.functions.Context, got {annotation!r}. '
            "An orchestrator's context_name must be 'context'",
        )


def _check_names(name: str, parameters: set[str], bound: set[str]) -> None:
    if parameters - bound:
        raise FunctionLoadError(
            name,
            "the following parameters are declared in Python but not in function.json: "
            f"{parameters - bound!r}. Bound are {sorted(bound)}: give each parameter the name of its binding",
        )
    if bound - parameters:
        raise FunctionLoadError(
            name,
            "the following parameters are declared in function.json but not in Python: "
            f"{bound - parameters!r}. An orchestrator's context_name must be 'context'",
        )


def _check_annotation(name: str, binding: Any, annotation: Any) -> None:
    if not isinstance(annotation, type) and not _is_generic(annotation):
        raise FunctionLoadError(
            name,
            f"binding {binding.name} has invalid non-type annotation {annotation!r}. The worker takes plain "
            "classes and typing.List and the like, but no Optional, no X | None and no list[...]",
        )
    kind = "generic" if annotation in (str, bytes) and not _has_implicit_output(binding) else binding.type
    converter = _converter(kind)
    try:
        # What has no converter is a generic binding to the worker: text or bytes.
        fits = (
            converter.check_input_type_annotation(annotation)
            if converter
            else issubclass(annotation, str | bytes)
        )
    except TypeError:
        fits = False  # a generic where the converter wants a class
    if not fits:
        raise FunctionLoadError(
            name,
            f'type of {binding.name} binding in function.json "{binding.type}" does not match its Python '
            f'annotation "{getattr(annotation, "__name__", annotation)}"',
        )


def _has_implicit_output(binding: Any) -> bool:
    converter = _converter(binding.type)
    return bool(converter is not None and getattr(converter, "has_implicit_output", bool)())


def _check_return(name: str, annotation: Any) -> None:
    """The only explicit output that is run here is the HTTP response."""
    if not isinstance(annotation, type):
        raise FunctionLoadError(name, f"has invalid non-type return annotation {annotation!r}")
    if not _converter("http").check_output_type_annotation(annotation):
        raise FunctionLoadError(
            name,
            f'Python return annotation "{annotation.__name__}" does not match binding type "http"',
        )


def _is_generic(annotation: Any) -> bool:
    """typing_inspect.is_generic_type of the worker: true for List[int], not for list[int], Optional."""
    if isinstance(annotation, type):
        return issubclass(annotation, Generic)
    alias = isinstance(annotation, typing._GenericAlias | typing._SpecialGenericAlias)  # type: ignore[attr-defined]  # private, as in the worker
    return alias and annotation.__origin__ not in _NOT_GENERIC
