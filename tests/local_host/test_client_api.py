"""The Durable HTTP API, by plain HTTP."""

import json
from datetime import timedelta

import pytest

from tests.local_host.client import call

RPC = "/durabletask"


@pytest.fixture
def api(story):
    def ask(method, path, body=None, headers=None):
        return call(method, f"{story.url}{RPC}{path}", body, headers)

    return ask


def test_a_start_answers_with_the_addresses_of_the_instance(story, api):
    answer = api("POST", "/orchestrators/echo/one", {"a": 1})
    assert (answer.status, answer.json["id"], answer.headers["Retry-After"]) == (202, "one", "10")
    assert answer.headers["Location"] == answer.json["statusQueryGetUri"]
    status = call("GET", answer.json["statusQueryGetUri"])
    assert (status.status, status.headers["Retry-After"]) == (202, "5")
    assert call("POST", answer.json["sendEventPostUri"].format(eventName="say"), "yes").status == 202
    story.settle()
    status = call("GET", answer.json["statusQueryGetUri"])
    assert (status.status, status.json["output"], status.json["input"]) == (200, [{"a": 1}, "yes"], {"a": 1})
    assert call("DELETE", answer.json["purgeHistoryDeleteUri"]).json == {"instancesDeleted": 1}
    assert call("GET", answer.json["statusQueryGetUri"]).status == 404


def test_the_web_hooks_want_the_system_key(story):
    address = f"{story.url}/runtime/webhooks/durabletask/instances"
    assert call("GET", address).status == 401
    assert call("GET", f"{address}?code={story.keys.function}").status == 401
    assert call("GET", f"{address}?code={story.keys.durable}").status == 200


@pytest.mark.parametrize(
    ("path", "problem"),
    [
        ("/orchestrators/missing", "The function 'missing' doesn't exist"),
        ("/orchestrators/echo/@a@b", "must not start with @"),
        ("/orchestrators/echo/" + "x" * 257, "must not exceed 256"),
    ],
)
def test_a_wrong_start_is_400_with_the_reason(api, path, problem):
    answer = api("POST", path, {})
    assert answer.status == 400
    assert problem in answer.json["ExceptionMessage"]


def test_a_body_that_is_no_json_is_400(api):
    assert api("POST", "/orchestrators/echo", b"{").json["Message"] == "Invalid JSON content"


def test_an_id_in_use_is_409_until_its_instance_has_ended(story, api):
    assert api("POST", "/orchestrators/echo/one", {}).status == 202
    again = api("POST", "/orchestrators/echo/one", {})
    assert again.status == 409
    assert "already exists" in again.json["Message"]
    api("POST", "/instances/one/terminate?reason=over")
    story.settle()
    assert api("POST", "/orchestrators/echo/one", {"new": 1}).status == 202
    story.settle()
    assert api("GET", "/instances/one").json["input"] == {"new": 1}


@pytest.mark.parametrize(
    "path",
    ["raiseEvent/e", "terminate", "suspend", "resume", "rewind"],
)
def test_what_is_not_there_is_404_and_what_has_ended_410(story, api, path):
    assert api("POST", f"/instances/none/{path}", {}).status == 404
    api("POST", "/orchestrators/adder/done", json.dumps([1, 2]))
    story.settle()
    expected = 412 if path == "rewind" else 410
    assert api("POST", f"/instances/done/{path}", {}).status == expected


def test_rewind_of_a_failed_instance_is_501(story, api):
    api("POST", "/orchestrators/rounds/bad", {})
    story.settle()
    assert api("GET", "/instances/bad").json["runtimeStatus"] == "Failed"
    assert api("POST", "/instances/bad/rewind").status == 501
    assert api("GET", "/instances/bad?returnInternalServerErrorOnFailure=true").status == 500


def test_events_must_be_json(story, api):
    api("POST", "/orchestrators/echo/one", {})
    assert api("POST", "/instances/one/raiseEvent/say", {}, {"Content-Type": "text/plain"}).status == 400
    assert api("POST", "/instances/one/raiseEvent/say", b"{").status == 400


def test_a_suspended_instance_parks_events_until_it_is_resumed(story, api):
    api("POST", "/orchestrators/echo/one", {})
    story.settle()
    assert api("POST", "/instances/one/suspend?reason=pause").status == 202
    story.settle()
    assert api("GET", "/instances/one").json["runtimeStatus"] == "Suspended"
    assert api("POST", "/instances/one/suspend").status == 500
    api("POST", "/instances/one/raiseEvent/say", 5)
    story.settle()
    assert api("GET", "/instances/one").json["runtimeStatus"] == "Suspended"
    api("POST", "/instances/one/resume?reason=go")
    story.settle()
    assert api("GET", "/instances/one").json["output"] == [{}, 5]


def test_a_terminated_instance_has_the_reason_as_output(story, api):
    api("POST", "/orchestrators/echo/one", {})
    story.settle()
    api("POST", "/instances/one/terminate?reason=no%20more")
    story.settle()
    status = api("GET", "/instances/one").json
    assert (status["runtimeStatus"], status["output"]) == ("Terminated", "no more")


def test_a_suspended_instance_can_be_terminated(story, api):
    api("POST", "/orchestrators/echo/one", {})
    story.settle()
    api("POST", "/instances/one/suspend")
    story.settle()
    api("POST", "/instances/one/terminate?reason=x")
    story.settle()
    assert api("GET", "/instances/one").json["runtimeStatus"] == "Terminated"


def test_restart_runs_the_same_input_again(story, api):
    api("POST", "/orchestrators/adder/sum", json.dumps([1, 2]))
    story.settle()
    fresh = api("POST", "/instances/sum/restart").json["id"]
    assert fresh != "sum"
    assert api("POST", "/instances/sum/restart?restartWithNewInstanceId=false").json["id"] == "sum"
    story.settle()
    assert api("GET", f"/instances/{fresh}").json["output"] == 3
    assert api("POST", "/instances/none/restart").status == 400


def start_several(story, api):
    """Five that end and two that wait, a day apart."""
    for number in range(7):
        name, given = ("adder", json.dumps([number])) if number < 5 else ("echo", {})
        api("POST", f"/orchestrators/{name}/job-{number}", given)
        story.settle()
        story.clock.advance(timedelta(days=1))


def ids(answer):
    return [item["instanceId"] for item in answer.json]


def test_instances_are_listed_by_status_time_and_prefix(story, api):
    start_several(story, api)
    assert ids(api("GET", "/instances/?runtimeStatus=Running")) == ["job-5", "job-6"]
    assert len(ids(api("GET", "/instances/?runtimeStatus=Running,Completed"))) == 7
    assert ids(api("GET", "/instances/?createdTimeFrom=2026-03-06T00:00:00Z")) == ["job-5", "job-6"]
    window = "createdTimeFrom=2026-03-02T00:00:00.000000Z&createdTimeTo=2026-03-03T00:00:00Z"
    assert ids(api("GET", f"/instances/?{window}")) == ["job-1", "job-2"]
    assert ids(api("GET", "/instances/?instanceIdPrefix=job-6")) == ["job-6"]
    assert api("GET", "/instances/?instanceIdPrefix=job-6").json[0]["input"] is None


def test_lists_come_in_pages(story, api):
    start_several(story, api)
    seen, token = [], ""
    for _ in range(3):
        page = api("GET", "/instances?top=3", headers={"x-ms-continuation-token": token} if token else None)
        seen.append(ids(page))
        token = page.headers["x-ms-continuation-token"]
    assert [len(page) for page in seen] == [3, 3, 1]
    assert [name for page in seen for name in page] == [f"job-{n}" for n in range(7)]
    assert token == ""


def test_purging_by_filter_takes_what_is_chosen(story, api):
    start_several(story, api)
    assert api("DELETE", "/instances/?runtimeStatus=Completed").status == 400
    window = "createdTimeFrom=2026-03-01T00:00:00Z&createdTimeTo=2026-03-03T00:00:00Z&runtimeStatus=Completed"
    assert api("DELETE", f"/instances/?{window}").json == {"instancesDeleted": 3}
    assert api("DELETE", f"/instances/?{window}").status == 404
    assert len(ids(api("GET", "/instances"))) == 4


def test_history_is_shown_on_request(story, api):
    api("POST", "/orchestrators/adder/sum", json.dumps([1, 2]))
    story.settle()
    shown = api("GET", "/instances/sum?showHistory=true&showHistoryOutput=true").json["historyEvents"]
    assert [item["EventType"] for item in shown] == [
        "ExecutionStarted",
        "TaskCompleted",
        "ExecutionCompleted",
    ]
    assert (shown[1]["FunctionName"], shown[1]["Result"]) == ("add", 3)
    assert "historyEvents" not in api("GET", "/instances/sum").json
    bare = api("GET", "/instances/sum?showHistory=true&showInput=false").json["historyEvents"]
    assert not any("Result" in item or "Input" in item for item in bare)


def test_a_start_may_wait_for_the_end(story, api):
    answer = api("POST", "/orchestrators/adder?timeout=10&pollingInterval=0.01", json.dumps([2, 3]))
    assert (answer.status, answer.json) == (200, 5)
    assert api("POST", "/orchestrators/echo?timeout=0.05&pollingInterval=0.01", {}).status == 202


def test_entities_by_http(story, api):
    assert api("GET", "/entities/counter/k").status == 404
    assert api("POST", "/entities/counter/k?op=add", "5").status == 202
    story.settle()
    assert api("POST", "/entities/Counter/k?op=add", "2").status == 202
    story.settle()
    assert api("GET", "/entities/counter/k").json == 7
    listed = api("GET", "/entities/counter").json
    assert [(item["entityId"], item["state"]) for item in listed] == [({"name": "counter", "key": "k"}, 7)]
    assert api("DELETE", "/entities/counter/k").status == 202
    story.settle()
    assert api("GET", "/entities/counter/k").status == 404
    assert api("POST", "/entities/missing/k?op=add").status == 400


def test_an_orchestration_calls_and_signals_an_entity(story):
    instance = story.start_orchestration("counts", instance_id="c")
    story.settle()
    assert story.status(instance)["output"] == [42, "no"]
