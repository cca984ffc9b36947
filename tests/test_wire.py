"""What crosses the durable boundary comes back as it was: every request and result, through real JSON."""

from __future__ import annotations

import importlib
import json
import pkgutil
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import activities
import orchestrators
from durable import Done, from_wire, to_wire
from durable.outcomes import done, outcome
from durable.registration import STEPS as REGISTERED
from tests.domain.samples import available_point
from tests.wire_values import values_of

OURS = (activities, orchestrators)


def steps() -> dict[str, Any]:
    """All steps by name; they are registered when their modules are imported."""
    for package in OURS:
        for module in pkgutil.iter_modules(package.__path__):
            importlib.import_module(f"{package.__name__}.{module.name}")
    names = tuple(package.__name__ for package in OURS)
    return {step.name: step for step in REGISTERED.values() if step.function.__module__.startswith(names)}


STEPS = steps()


def through_json(kind: Any, value: Any) -> Any:
    return from_wire(kind, json.loads(json.dumps(to_wire(value), allow_nan=False)))


def test_the_steps_of_the_app_are_known():
    assert {"backup_vm", "replicate_disk", "restore", "begin_snapshot", "queue_copies"} <= set(STEPS)


@pytest.mark.parametrize("name", sorted(STEPS))
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_request_comes_back_as_it_was_sent(name, data):
    kind = STEPS[name].request_type
    value = data.draw(values_of(kind))
    assert through_json(kind, value) == value


@pytest.mark.parametrize("name", sorted(STEPS))
@settings(max_examples=10, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(data=st.data())
def test_every_result_comes_back_as_it_was_returned(name, data):
    step = STEPS[name]
    value = data.draw(values_of(step.result_type))
    sent = json.loads(json.dumps(done(step.result_type, value), allow_nan=False))
    assert outcome(step.result_type, sent) == Done(value)


def test_a_request_with_a_field_missing_is_refused():
    wire = to_wire(available_point())
    del wire["slot"]
    with pytest.raises(ValueError, match="slot"):
        from_wire(type(available_point()), wire)
