"""host.json: what Azure would refuse is refused here, what matters here is kept, the rest is left alone."""

from __future__ import annotations

import json
from threading import Barrier

import azure.durable_functions as df
import pytest

from local_host.app import describe_app
from local_host.host_files import HostFileError, HostSettings


def read(directory, durable=None, **rest):
    document = {"version": "2.0", "extensions": {"durableTask": durable or {}}, **rest}
    (directory / "host.json").write_text(json.dumps(document))
    return HostSettings.read(directory)


@pytest.mark.parametrize(
    ("durable", "refusal"),
    [
        # No activity would ever run, and whoever waits for one would wait for ever.
        ({"maxConcurrentActivityFunctions": 0}, "maxConcurrentActivityFunctions is 0"),
        ({"maxConcurrentActivityFunctions": "many"}, "maxConcurrentActivityFunctions is 'many'"),
        ({"maxConcurrentOrchestratorFunctions": -1}, "maxConcurrentOrchestratorFunctions is -1"),
        ({"maxConcurrentEntityFunctions": True}, "maxConcurrentEntityFunctions is True"),
        ({"hubName": "tide-mark"}, "hubName is 'tide-mark'"),  # no name of a table
        ({"hubName": "2tide"}, "hubName is '2tide'"),
        ({"hubName": "no"}, "hubName is 'no'"),
        ({"storageProvider": {"partitionCount": 17}}, "partitionCount is 17; it must be from 1 to 16"),
        ({"storageProvider": {"partitionCount": 0}}, "partitionCount is 0"),
        ({"storageProvider": {"controlQueueBufferThreshold": 1001}}, "from 1 to 1000"),
        ({"storageProvider": {"maxQueuePollingInterval": "00:00:00"}}, "maxQueuePollingInterval is"),
        ({"storageProvider": {"maxQueuePollingInterval": "10 s"}}, "it must be a time such as 00:00:10"),
    ],
)
def test_what_the_extension_refuses_in_azure_is_refused_here(tmp_path, durable, refusal):
    with pytest.raises(HostFileError, match=refusal):
        read(tmp_path, durable)


def test_all_that_is_wrong_is_said_at_once(tmp_path):
    with pytest.raises(HostFileError, match=r"version is '3.0'.*hubName is 'x'.*partitionCount is 99"):
        read(tmp_path, {"hubName": "x", "storageProvider": {"partitionCount": 99}}, version="3.0")


@pytest.mark.parametrize("text", ['{"extensions": {}}', '{"version": ""}', '{"version": "3.0"}'])
def test_a_file_without_the_one_version_there_is_is_refused(tmp_path, text):
    (tmp_path / "host.json").write_text(text)
    with pytest.raises(HostFileError, match=r'version is .*; it must be "2.0"'):
        HostSettings.read(tmp_path)


def test_without_a_file_or_with_an_empty_one_all_is_at_its_default(tmp_path):
    assert HostSettings.read(tmp_path) == HostSettings()
    (tmp_path / "host.json").write_text("{}")
    assert HostSettings.read(tmp_path) == HostSettings()


@pytest.mark.parametrize(
    "durable",
    [
        # Other providers have rules of their own.
        {"hubName": "default-hub", "storageProvider": {"type": "azureManaged"}},
        {"storageProvider": {"type": "Netherite", "partitionCount": 32}},
        # .NET takes numbers as text.
        {"maxConcurrentActivityFunctions": "3", "storageProvider": {"partitionCount": "8"}},
        {"storageProvider": {"type": "AzureStorage", "maxQueuePollingInterval": "00:00:02.5"}},
        {"tracing": {"version": "V2"}, "notASetting": 1},
    ],
)
def test_what_azure_takes_is_taken(tmp_path, durable):
    assert read(tmp_path, durable, logging={"logLevel": {"default": "Warning"}}, functionTimeout="00:01:00")


def test_as_many_activities_run_side_by_side_as_host_json_says(tmp_path, run):
    settings = read(tmp_path, {"maxConcurrentActivityFunctions": 3})
    app = df.DFApp()
    running, most = [], []
    all_three = Barrier(3, timeout=20)

    @app.activity_trigger(input_name="n")
    def meet(n: int) -> None:
        running.append(n)
        most.append(len(running))
        all_three.wait()  # two alone would wait for ever
        running.remove(n)

    @app.orchestration_trigger(context_name="context")
    def fan(context):
        yield context.task_all([context.call_activity("meet", n) for n in range(6)])

    host = run(describe_app(app, settings=settings), workers=None)
    instance = host.start_orchestration("fan")
    host.settle()
    assert host.status(instance)["runtimeStatus"] == "Completed"
    assert max(most) == 3
