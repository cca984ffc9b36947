"""An app is deployed under another version while instances are under way."""

from __future__ import annotations

import threading
from datetime import timedelta
from itertools import pairwise

import azure.durable_functions as df
import pytest

from local_host.app import describe_app
from local_host.determinism import check_history
from local_host.history import EventType
from local_host.host import LocalHost
from local_host.host_files import HostSettings
from local_host.versions import FailureStrategy, MatchStrategy, Versions
from tests.local_host.client import call
from tests.local_host.conftest import START

MISMATCH = "VersionMismatch: Orchestration version did not comply with Worker Versioning"
HOUR = timedelta(hours=1)
STRICT_REJECT = (MatchStrategy.STRICT, FailureStrategy.REJECT)


@pytest.fixture
def app():
    app = df.DFApp()
    add_orchestrators(app)
    add_activities(app)
    return app


def add_orchestrators(app):
    @app.orchestration_trigger(context_name="context")
    def waits(context):
        yield context.call_activity("note", "before")
        yield context.create_timer(START + HOUR)
        yield context.call_activity("note", "after")
        return context.version

    @app.orchestration_trigger(context_name="context")
    def rounds(context):
        left = int(context.get_input())
        yield context.create_timer(context.current_utc_datetime + HOUR)
        if left:
            context.continue_as_new(left - 1)
            return None
        return context.version

    @app.orchestration_trigger(context_name="context")
    def parent(context):
        told = context.get_input()
        try:
            child = yield context.call_sub_orchestrator("waits", instance_id="child", version=told)
        except Exception as failure:
            child = str(failure)
        return [context.version, child]

    @app.orchestration_trigger(context_name="context")
    def two_at_once(context):
        yield context.task_all([context.call_activity("note", "quick"), context.call_activity("slow", 1)])


def add_activities(app):
    app.done = []
    app.hold = threading.Event()
    app.is_begun = threading.Event()

    @app.activity_trigger(input_name="what")
    def note(what: str) -> str:
        app.done.append(what)
        return what

    @app.activity_trigger(input_name="number")
    def slow(number: int) -> int:
        app.is_begun.set()
        app.hold.wait(20)
        app.done.append("slow")
        return number


@pytest.fixture
def deploy(app, run):
    """Run the app under a version, instead of the host that ran before."""
    hosts: list[LocalHost] = []

    def deployed(version, match=MatchStrategy.STRICT, failure=FailureStrategy.FAIL):
        for host in hosts:
            host.stop()
        settings = HostSettings(versions=Versions(version, match, failure))
        hosts.append(run(describe_app(app, settings=settings)))
        return hosts[-1]

    return deployed


def ended(host, instance):
    status = host.status(instance)
    return status["runtimeStatus"], status["output"]


def kinds(host, instance):
    return [EventType(event["EventType"]) for event in host.history(instance)]


def test_an_instance_of_another_version_fails_when_something_arrives_for_it_and_not_before(deploy, app):
    host = deploy("1")
    host.start_orchestration("waits", instance_id="old")
    host.settle()

    host = deploy("2")
    host.run_until(START + HOUR - timedelta(seconds=1))
    assert ended(host, "old") == ("Running", None)  # nobody has looked at it
    host.run_until(START + HOUR)
    assert ended(host, "old") == ("Failed", MISMATCH)
    assert app.done == ["before"]  # no step of it is done by code that does not fit
    assert kinds(host, "old")[-4:] == [
        EventType.ORCHESTRATOR_STARTED,
        EventType.TIMER_FIRED,
        EventType.EXECUTION_COMPLETED,
        EventType.ORCHESTRATOR_COMPLETED,
    ]
    assert host.history("old")[-2]["FailureDetails"]["ErrorType"] == "VersionMismatch"
    assert check_history(host.app, host.history("old")) == []


def test_an_instance_that_was_started_and_not_begun_fails_too(deploy, app):
    host = deploy("1")
    host.stop()
    host = deploy("2")
    answer = call("POST", f"{host.url}/durabletask/orchestrators/waits/early?version=1")
    assert answer.status == 202
    host.settle()
    assert ended(host, "early") == ("Failed", MISMATCH)
    assert app.done == []


def test_what_fails_can_be_started_anew_under_its_id_and_has_the_version_of_the_host_then(deploy):
    host = deploy("1")
    host.start_orchestration("waits", instance_id="one")
    host.settle()
    host = deploy("2")
    host.run_until(START + HOUR)
    host.start_orchestration("waits", instance_id="one")
    host.run_until(START + 3 * HOUR)
    assert ended(host, "one") == ("Completed", "2")


def test_an_external_event_makes_the_mismatch_seen(deploy):
    host = deploy("1")
    host.start_orchestration("waits", instance_id="old")
    host.settle()
    host = deploy("2")
    host.raise_event("old", "anything")
    host.settle()
    assert ended(host, "old") == ("Failed", MISMATCH)


def test_activities_that_are_under_way_run_to_their_end_though_nobody_waits_for_them(deploy, app):
    host = deploy("1")
    host.start_orchestration("two_at_once", instance_id="old")
    assert app.is_begun.wait(20)
    host = deploy("2")
    app.hold.set()
    host.settle()
    assert ended(host, "old") == ("Failed", MISMATCH)
    assert "slow" in app.done


def test_continue_as_new_keeps_the_version_that_the_instance_began_under(deploy):
    host = deploy("1")
    host.start_orchestration("rounds", 1, "ends")
    host.start_orchestration("rounds", 3, "goes on")
    host.run_until(START + 2 * HOUR)
    assert ended(host, "ends") == ("Completed", "1")
    host = deploy("2")
    host.run_until(START + 3 * HOUR)
    assert ended(host, "goes on") == ("Failed", MISMATCH)


def test_a_sub_orchestration_has_the_version_of_the_host_or_the_one_it_is_given(deploy):
    host = deploy("2", MatchStrategy.CURRENT_OR_OLDER)
    host.start_orchestration("parent", None, "plain")
    host.run_until(START + HOUR)
    assert ended(host, "plain") == ("Completed", ["2", "2"])
    host.start_orchestration("parent", "1", "given")
    host.run_until(START + 2 * HOUR)
    assert ended(host, "given") == ("Completed", ["2", "1"])


def test_a_parent_is_told_that_its_child_failed_but_not_why(deploy):
    host = deploy("2")
    host.start_orchestration("parent", "3", "parent")
    host.settle()
    assert ended(host, "child") == ("Failed", MISMATCH)
    assert ended(host, "parent") == ("Completed", ["2", "None \n None"])


def test_parent_and_child_fail_each_when_something_arrives_for_it(deploy):
    host = deploy("1")
    host.start_orchestration("parent", None, "parent")
    host.settle()
    host = deploy("2")
    host.run_until(START + HOUR - timedelta(seconds=1))
    assert ended(host, "parent") == ended(host, "child") == ("Running", None)
    host.run_until(START + HOUR)
    assert ended(host, "parent") == ended(host, "child") == ("Failed", MISMATCH)


def test_a_rejected_instance_waits_and_goes_on_where_it_was_under_its_own_version(deploy, app):
    host = deploy("1")
    host.start_orchestration("waits", instance_id="old")
    host.settle()
    host = deploy("2", *STRICT_REJECT)
    host.run_until(START + 5 * HOUR)
    host.terminate("old", "by hand")
    host.run_until(START + 6 * HOUR)
    assert ended(host, "old") == ("Running", None)
    assert app.done == ["before"]

    host = deploy("1")
    host.run_until(START + 6 * HOUR + timedelta(minutes=10))
    assert ended(host, "old")[0] == "Terminated"


def test_a_rejected_message_comes_again_after_longer_and_longer_pauses(deploy, clock, caplog):
    host = deploy("1")
    host.start_orchestration("waits", instance_id="old")
    host.settle()
    host = deploy("2", *STRICT_REJECT)
    host.run_until(START + HOUR - timedelta(seconds=1))
    caplog.clear()
    seen = []
    while clock.now() < START + HOUR + timedelta(minutes=28):
        host.run_until(clock.now() + timedelta(seconds=1))
        if caplog.records:
            seen.append((clock.now() - START - HOUR).total_seconds())
            caplog.clear()
    assert seen[0] == 0
    assert [later - earlier for earlier, later in pairwise(seen)] == [2, 4, 8, 16, 32, 64, 128, 256, 512, 600]


def test_a_rejected_instance_that_was_kept_completes_under_its_own_version(deploy, app):
    host = deploy("1")
    host.start_orchestration("waits", instance_id="old")
    host.settle()
    host = deploy("2", *STRICT_REJECT)
    host.run_until(START + 5 * HOUR)
    host = deploy("1")
    host.run_until(START + 5 * HOUR + timedelta(minutes=10))
    assert ended(host, "old") == ("Completed", "1")
    assert app.done == ["before", "after"]
