"""HTTP-triggered functions as the Functions host answers them."""

import json

import azure.durable_functions as df
import azure.functions as func
import pytest

from local_host.app import describe_app
from local_host.host import LocalHost
from local_host.host_files import HostSettings
from tests.local_host.client import call

app = df.DFApp(http_auth_level=func.AuthLevel.ANONYMOUS)


@app.route(route="points/{id}/{part:int?}", methods=["GET", "DELETE"])
def point(req: func.HttpRequest) -> func.HttpResponse:
    seen = {
        "method": req.method,
        "route": dict(req.route_params),
        "query": dict(req.params),
        "url": req.url,
        "header": req.headers.get("x-thing"),
    }
    return func.HttpResponse(json.dumps(seen), mimetype="application/json", headers={"X-Answer": "yes"})


@app.route(route="body", methods=["POST"])
async def body(req: func.HttpRequest) -> func.HttpResponse:
    return func.HttpResponse(req.get_body() + b"|", status_code=201, mimetype="application/octet-stream")


@app.route(route="any/{*rest}")
def catch_all(req: func.HttpRequest) -> str:
    return req.route_params.get("rest", "nothing")


@app.route(route="fails")
def fails(req: func.HttpRequest) -> str:
    raise ValueError("not for the caller's eyes")


@app.route(route="empty")
def empty(req):
    return None


@app.route(route="cookies")
def cookies(req: func.HttpRequest) -> func.HttpResponse:
    response = func.HttpResponse("ok")
    response.headers.add("Set-Cookie", "a=1; Path=/")
    response.headers.add("Set-Cookie", "b=2")
    return response


@app.route(route="keyed", auth_level=func.AuthLevel.FUNCTION)
def keyed(req: func.HttpRequest) -> str:
    return "open"


@app.route(route="admin", auth_level=func.AuthLevel.ADMIN)
def administered(req: func.HttpRequest) -> str:
    return "open"


@app.function_name("named_route")
@app.route()
def without_route(req: func.HttpRequest) -> str:
    return "by its name"


@app.route(route="twice/fixed")
def twice_b(req: func.HttpRequest) -> str:
    return "the second by name"


@app.function_name("Twice_A")
@app.route(route="twice/{x}")
def twice_a(req: func.HttpRequest) -> str:
    return "the first by name"


@app.route(route="twice/{x}/more")
def twice_(req: func.HttpRequest) -> str:
    return "an underscore comes after the letters"


@app.route(route="twice/x/{more}")
def twicea(req: func.HttpRequest) -> str:
    return "a letter comes before the underscore"


@pytest.fixture
def site(run):
    return run(app)


def test_a_function_gets_route_query_headers_and_method(site):
    answer = call("GET", f"{site.url}/api/POINTS/a%2Fb/7?q=1&q=2", headers={"x-thing": "t"})
    assert (answer.status, answer.headers["X-Answer"]) == (200, "yes")
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.json["route"] == {"id": "a/b", "part": "7"}
    assert answer.json["query"] == {"q": "1,2"}
    assert answer.json["header"] == "t"
    assert answer.json["method"] == "GET"


def test_an_optional_parameter_may_be_missing_and_a_constraint_must_hold(site):
    assert call("GET", f"{site.url}/api/points/a").json["route"] == {"id": "a"}
    assert call("GET", f"{site.url}/api/points/a/x").status == 404


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/api/nothing"),
        ("POST", "/api/points/a"),
        ("GET", "/points/a"),
        ("PUT", "/api/body"),
        ("GET", "/"),
    ],
)
def test_what_no_function_takes_is_404_also_for_a_wrong_method(site, method, path):
    assert call(method, f"{site.url}{path}").status == 404


def test_a_body_of_bytes_comes_and_goes_as_it_is(site):
    answer = call("POST", f"{site.url}/api/body", b"\x01\x02")
    assert (answer.status, answer.text) == (201, "\x01\x02|")
    assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_text_is_a_response(site):
    answer = call("PATCH", f"{site.url}/api/any/a/b")
    assert (answer.status, answer.text) == (200, "a/b")
    assert answer.headers["Content-Type"] == "text/plain; charset=utf-8"
    assert call("GET", f"{site.url}/api/any").text == "nothing"


@pytest.mark.parametrize("path", ["fails", "empty"])
def test_an_exception_or_no_response_is_500_without_a_body(site, path, caplog):
    answer = call("GET", f"{site.url}/api/{path}")
    assert (answer.status, answer.text) == (500, "")
    assert path in caplog.text


def test_several_cookies_stay_several(site):
    assert call("GET", f"{site.url}/api/cookies").headers.get_all("Set-Cookie") == ["a=1; Path=/", "b=2"]


@pytest.mark.parametrize(
    ("path", "key", "status"),
    [
        ("keyed", None, 401),
        ("keyed", "wrong", 401),
        ("keyed", "function", 200),
        ("keyed", "master", 200),
        ("admin", "function", 401),
        ("admin", "master", 200),
    ],
)
def test_keys_open_what_they_are_for(site, path, key, status):
    value = getattr(site.keys, key, key) if key else None
    headers = {"x-functions-key": value} if value else {}
    assert call("GET", f"{site.url}/api/{path}", headers=headers).status == status
    if value:
        assert call("GET", f"{site.url}/api/{path}?code={value}").status == status


def test_a_function_without_a_route_is_found_by_its_name(site):
    assert call("GET", f"{site.url}/api/named_route").text == "by its name"


def test_of_two_functions_that_fit_the_first_by_name_takes_it_and_the_log_tells(site, caplog):
    with caplog.at_level("DEBUG", logger="local_host"):
        assert call("GET", f"{site.url}/api/twice/fixed").text == "the first by name"
    assert "the first takes it: Twice_A, twice_b" in caplog.text
    assert call("GET", f"{site.url}/api/twice/x/more").text == "a letter comes before the underscore"


def test_the_route_prefix_comes_from_host_json(run):
    prefixed = func.FunctionApp(http_auth_level=func.AuthLevel.ANONYMOUS)

    @prefixed.route(route="here")
    def here(req: func.HttpRequest) -> str:
        return "here"

    plain = run(describe_app(prefixed, settings=HostSettings(route_prefix="")), "plain.sqlite")
    other = run(describe_app(prefixed, settings=HostSettings(route_prefix="v2")), "other.sqlite")
    assert call("GET", f"{plain.url}/here").text == "here"
    assert call("GET", f"{other.url}/v2/here").text == "here"
    assert call("GET", f"{other.url}/here").status == 404


def test_keys_stay_the_same_for_a_database(tmp_path, clock):
    keys = []
    for _ in range(2):
        with LocalHost(func.FunctionApp(), tmp_path / "keys.sqlite", clock) as host:
            keys.append(host.keys)
    assert keys[0] == keys[1]
    assert keys[0].function != keys[0].master
