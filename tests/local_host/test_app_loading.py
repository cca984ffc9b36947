"""Loading a function app: what the Python worker takes, and what it refuses."""

import json
import os
import sys
from typing import List, Optional  # noqa: UP035  # the worker tells List[int] from list[int]

import azure.durable_functions as df
import azure.functions as func
import pytest

import clock as clock_of_the_host
from local_host.app import describe_app, load_app
from local_host.host_files import HostFileError, HostSettings
from local_host.imports import AppImportError
from local_host.worker_checks import FunctionLoadError
from tests.local_host.client import call
from tests.local_host.conftest import APPS


def test_each_app_gets_its_own_modules_and_the_host_keeps_its_own(run):
    one = run(APPS / "clash_one", "one.sqlite")
    two = run(APPS / "clash_two", "two.sqlite")
    assert call("GET", f"{one.url}/api/who").text == "one clock of one"
    assert call("GET", f"{two.url}/api/who").text == "two clock of two"
    assert sys.modules["clock"] is clock_of_the_host


def test_an_app_below_another_one_has_its_own_modules(tmp_path):
    for directory, name in ((tmp_path, "outer"), (tmp_path / "apps" / "inner", "inner")):
        directory.mkdir(parents=True, exist_ok=True)
        (directory / "settings.py").write_text(f"NAME = {name!r}")
        (directory / "function_app.py").write_text(
            "import azure.functions as f\nimport settings\napp = f.FunctionApp()\n"
            "app.function_name(settings.NAME)(app.timer_trigger(schedule='0 0 0 * * *', "
            "arg_name='t')(lambda t: t))"
        )
    names = [load_app(place).timers[0].name for place in (tmp_path / "apps" / "inner", tmp_path)]
    assert names == ["inner", "outer"]


def test_an_app_that_cannot_be_imported_says_why():
    with pytest.raises(
        AppImportError, match=r"broken/function_app.py cannot be imported: RuntimeError: policies"
    ):
        load_app(APPS / "broken")


def test_a_directory_without_an_app_says_so(tmp_path):
    with pytest.raises(AppImportError, match=r"There is no function_app\.py"):
        load_app(tmp_path)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x = 1", "has no FunctionApp or DFApp"),
        (
            "import azure.functions as f\na = f.FunctionApp()\nb = f.FunctionApp()",
            "has 2 apps; the worker accepts exactly one",
        ),
    ],
)
def test_exactly_one_app_is_wanted(tmp_path, text, problem):
    (tmp_path / "function_app.py").write_text(text)
    with pytest.raises(AppImportError, match=problem):
        load_app(tmp_path)


def test_an_app_with_blueprints_loads_twice_and_runs(run):
    load_app(APPS / "blueprints")
    host = run(APPS / "blueprints")
    assert call("GET", f"{host.url}/api/hello?code={host.keys.function}&name=you").text == "Hello, you"
    started = call("GET", f"{host.url}/api/chain?code={host.keys.function}").json
    host.settle()
    assert host.status(started["id"])["output"] == ["Hello Tokyo!", "Hello London!"]


LENIENT_HOST_JSON = """{
  // where the functions are
  "version": "2.0",
  "extensions": {
    "http": { "routePrefix": "/v1/" }, /* not api */
    "durableTask": { "hubName": "%HUB_OF_TEST%", },
  },
}"""


def test_settings_and_host_json_may_hold_comments(tmp_path, monkeypatch):
    for name in ("HUB_OF_TEST", "URL_OF_TEST"):
        monkeypatch.setenv(name, "")  # so that the value is gone after the test
        monkeypatch.delenv(name)
    (tmp_path / "host.json").write_text(LENIENT_HOST_JSON)
    (tmp_path / "local.settings.json").write_text(
        '{"Values": {"HUB_OF_TEST": "HubOfTest", "URL_OF_TEST": "http://hub"}} // local'
    )
    (tmp_path / "function_app.py").write_text("import azure.functions as f\napp = f.FunctionApp()")
    settings = load_app(tmp_path).settings
    assert (settings.route_prefix, settings.task_hub) == ("v1", "HubOfTest")
    assert os.environ["URL_OF_TEST"] == "http://hub"  # its slashes begin no comment


def test_the_environment_goes_before_local_settings(tmp_path, monkeypatch):
    monkeypatch.setenv("HUB_OF_TEST", "kept")
    (tmp_path / "host.json").write_text(LENIENT_HOST_JSON)
    (tmp_path / "local.settings.json").write_text('{"Values": {"HUB_OF_TEST": "other"}}')
    (tmp_path / "function_app.py").write_text("import azure.functions as f\napp = f.FunctionApp()")
    assert load_app(tmp_path).settings.task_hub == "kept"


def test_text_behind_host_json_is_ignored_with_a_warning(tmp_path, caplog):
    (tmp_path / "host.json").write_text('{"version": "2.0", "extensions": {"http": {"routePrefix": "x"}}}}')
    assert HostSettings.read(tmp_path).route_prefix == "x"
    assert "text behind its JSON document" in caplog.text


def test_a_wrong_host_json_is_refused(tmp_path):
    (tmp_path / "host.json").write_text('{"version": }')
    with pytest.raises(HostFileError, match=r"host.json is not valid JSON"):
        HostSettings.read(tmp_path)


def activity_app(annotation):
    app = df.DFApp()

    def work(given):
        return given

    work.__annotations__["given"] = annotation
    app.activity_trigger(input_name="given")(work)
    return app


OLD_LIST, OLD_OPTIONAL = List[int], Optional[str]  # noqa: UP006, UP045  # the worker judges the old spelling


@pytest.mark.parametrize("annotation", [str, int, dict, list, OLD_LIST, "dict", object])
def test_annotations_that_the_worker_takes(annotation):
    assert "work" in describe_app(activity_app(annotation)).activities


@pytest.mark.parametrize("annotation", [OLD_OPTIONAL, str | None, list[int], dict[str, int], "str | None"])
def test_annotations_that_the_worker_refuses(annotation):
    with pytest.raises(
        FunctionLoadError, match="work function: binding given has invalid non-type annotation"
    ):
        describe_app(activity_app(annotation))


def test_an_orchestrators_context_must_be_called_context():
    app = df.DFApp()

    @app.orchestration_trigger(context_name="ctx")
    def named_otherwise(ctx):
        yield

    with pytest.raises(FunctionLoadError, match="context_name must be 'context'"):
        describe_app(app)


def test_a_parameter_without_a_binding_is_refused():
    app = func.FunctionApp()

    @app.route(route="x")
    def extra(req: func.HttpRequest, more: str) -> str:
        return more

    with pytest.raises(FunctionLoadError, match=r"declared in Python but not in function\.json: {'more'}"):
        describe_app(app)


def test_a_binding_without_a_parameter_is_refused():
    app = df.DFApp()

    @app.activity_trigger(input_name="given")
    def other(something: str) -> str:
        return something

    with pytest.raises(FunctionLoadError, match="declared in"):
        describe_app(app)


@pytest.mark.parametrize(
    ("make", "problem"),
    [
        (lambda app: _typed(app, request=str), None),
        (lambda app: _typed(app, request=int), "type of req binding"),
        (lambda app: _typed(app, returned=None), 'Python return annotation "NoneType"'),
        (lambda app: _typed(app, returned=OLD_OPTIONAL), "invalid non-type return annotation"),
        (lambda app: _typed(app, returned="Missing"), "annotations cannot be resolved"),
    ],
)
def test_types_of_http_functions_are_checked(make, problem):
    app = func.FunctionApp()
    make(app)
    if problem is None:
        describe_app(app)
    else:
        with pytest.raises(FunctionLoadError, match=problem):
            describe_app(app)


def _typed(app, request=func.HttpRequest, returned=str):
    def typed(req):
        return ""

    typed.__annotations__ = {"req": request, "return": returned}
    app.route(route="x")(typed)


def test_a_context_parameter_must_be_of_its_type():
    app = func.FunctionApp()

    @app.route(route="x")
    def contextual(req: func.HttpRequest, context: str) -> str:
        return context

    with pytest.raises(FunctionLoadError, match='the "context" parameter is expected to be of type'):
        describe_app(app)


def test_a_function_gets_its_context(run):
    app = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @app.route(route="x")
    def contextual(req: func.HttpRequest, context: func.Context) -> str:
        return json.dumps([context.function_name, len(context.invocation_id), context.retry_context])

    assert call("GET", f"{run(app).url}/api/x").json == ["contextual", 36, None]


def test_other_triggers_are_named_and_left_out(caplog):
    app = func.FunctionApp()

    @app.queue_trigger(arg_name="message", queue_name="q", connection="c")
    def queued(message: func.QueueMessage) -> None:
        return None

    describe_app(app)
    assert "queued: a queueTrigger is not run by the local host" in caplog.text
