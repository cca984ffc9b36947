"""Stored histories against the code of today."""

import json
from datetime import timedelta

import azure.durable_functions as df

from local_host.app import describe_app
from local_host.determinism import check_history
from tests.local_host.conftest import START


def version(first="greet", pause=1, extra=False, answer="done"):
    """One version of an app's code."""
    app = df.DFApp()

    @app.activity_trigger(input_name="name")
    def greet(name: str) -> str:
        return name

    @app.activity_trigger(input_name="name")
    def other(name: str) -> str:
        return name

    @app.orchestration_trigger(context_name="context")
    def steps(context):
        yield context.call_activity(first, context.get_input())
        yield context.create_timer(context.current_utc_datetime + timedelta(hours=pause))
        if extra:
            yield context.call_activity("other", "more")
        yield context.wait_for_external_event("go")
        return answer

    return app


def recorded(run):
    host = run(version())
    host.start_orchestration("steps", "you", "s")
    host.run_until(START + timedelta(hours=2))
    unfinished = host.history("s")
    host.raise_event("s", "go")
    host.settle()
    return unfinished, host.history("s")


def test_the_same_code_asks_for_the_same_things(run):
    for history in recorded(run):
        stored = json.loads(json.dumps(history))
        assert check_history(describe_app(version()), stored) == []


def test_changed_code_is_found_out(run):
    unfinished, whole = recorded(run)
    loaded = {name: describe_app(version(**change)) for name, change in CHANGES.items()}
    assert "steps, episode 1: asked for task scheduled greet" in check_history(loaded["name"], whole)[0]
    assert "episode 2: asked for timer created" in check_history(loaded["time"], whole)[0]
    assert "episode 3: asks for task scheduled other" in check_history(loaded["extra"], unfinished)[0]
    assert 'episode 4: ended as Completed with "done"' in check_history(loaded["answer"], whole)[0]
    assert check_history(loaded["answer"], unfinished) == []


CHANGES: dict[str, dict] = {
    "name": {"first": "other"},
    "time": {"pause": 2},
    "extra": {"extra": True},
    "answer": {"answer": "over"},
}


def test_every_history_of_the_story_replays(story):
    given = {"round": 1, "rounds": 2, "jobs": 6, "patience": 60, "barrier": True}
    story.start_orchestration("rounds", given)
    story.start_orchestration("counts")
    story.run_until(START + timedelta(hours=1))
    statuses = story.statuses()
    assert len(statuses) > 3
    for status in statuses:
        assert check_history(story.app, story.history(status["instanceId"])) == []
