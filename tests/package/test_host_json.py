"""host.json keeps what the app rests on in Azure, where a wrong line may show only on the day it matters."""

from __future__ import annotations

import json
import re
from datetime import timedelta

import pytest

from infra.package.contents import ROOT
from local_host.host_files import HostSettings
from local_host.versions import FailureStrategy, MatchStrategy, Versions
from triggers.release import PREFIX

SAMPLED_TYPES = {"Dependency", "Event", "Exception", "PageView", "Request", "Trace"}


@pytest.fixture(scope="module")
def host():
    return json.loads((ROOT / "host.json").read_text())


@pytest.fixture(scope="module")
def durable(host):
    return host["extensions"]["durableTask"]


def test_no_line_of_the_log_is_left_out_by_sampling(host):
    """Events are lines of the log: an alert whose line is sampled away never fires."""
    sampling = host["logging"]["applicationInsights"]["samplingSettings"]
    excluded = set(sampling["excludedTypes"].split(";"))
    assert excluded >= {"Trace", "Exception", "Request"}
    assert excluded <= SAMPLED_TYPES, "a misspelt type excludes nothing"


def test_the_level_of_the_log_lets_every_event_through(host):
    """The heartbeat is written at Information; what a function writes is of category Function.<name>.User."""
    levels = host["logging"]["logLevel"]
    heard = {name for name, level in levels.items() if level in ("Trace", "Debug", "Information")}
    assert "Function" in heard
    assert not [name for name in levels if name.startswith("Function.") and name not in heard]
    assert "Host.Results" in heard, "without it, Application Insights has no requests"


def test_the_hub_has_a_literal_name(durable):
    """The scale controller reads host.json alone: a %setting% there, and nothing wakes the app."""
    assert re.fullmatch(r"[A-Za-z][A-Za-z0-9]{2,44}", durable["hubName"])


def test_no_setting_of_the_extension_hangs_on_the_environment(durable):
    assert "%" not in json.dumps(durable)


def test_the_app_is_never_alone_with_work_that_waits_for_the_poll(durable):
    """On Flex, an idle app is woken by these polls: ten seconds at most."""
    interval = durable["storageProvider"]["maxQueuePollingInterval"]
    hours, minutes, seconds = map(int, interval.split(":"))
    assert timedelta() < timedelta(hours=hours, minutes=minutes, seconds=seconds) <= timedelta(seconds=10)


def test_activities_cannot_take_the_threads_of_orchestrators(durable):
    """Both run in the worker's threads, 16 of them (PYTHON_THREADPOOL_THREAD_COUNT), as do requests."""
    activities = durable["maxConcurrentActivityFunctions"]
    orchestrators = durable["maxConcurrentOrchestratorFunctions"]
    assert activities + orchestrators < 16


def test_what_an_orchestration_is_given_is_not_logged(durable):
    assert durable["tracing"]["traceInputsAndOutputs"] is False


def test_a_running_orchestration_is_never_replayed_by_another_version(durable):
    assert durable["defaultVersion"]
    assert durable["versionMatchStrategy"] == "Strict"
    assert durable["versionFailureStrategy"] == "Fail"


def test_the_bundle_has_the_extension_that_these_settings_need(host):
    """Versions of orchestrations need bundle 4.30 at least, and 5 may be another contract."""
    bundle = host["extensionBundle"]
    assert bundle["id"] == "Microsoft.Azure.Functions.ExtensionBundle"
    least, below = re.fullmatch(r"\[([\d.]+), ([\d.]+)\)", bundle["version"]).groups()
    assert (4, 30) <= tuple(map(int, least.split("."))) < (5,)
    assert below == "5.0.0"


def test_a_step_has_longer_than_any_step_takes_and_less_than_for_ever(host):
    hours, minutes, seconds = map(int, host["functionTimeout"].split(":"))
    assert timedelta(minutes=5) <= timedelta(hours=hours, minutes=minutes, seconds=seconds)
    assert timedelta(hours=hours, minutes=minutes, seconds=seconds) <= timedelta(minutes=30)


def test_the_local_host_reads_the_same_file(host, durable):
    settings = HostSettings.read(ROOT)
    assert f"/{settings.route_prefix}" == PREFIX
    assert settings.task_hub == durable["hubName"]
    assert settings.concurrent_activities == durable["maxConcurrentActivityFunctions"]
    assert settings.versions == Versions(
        durable["defaultVersion"],
        MatchStrategy(durable["versionMatchStrategy"]),
        FailureStrategy(durable["versionFailureStrategy"]),
    )
