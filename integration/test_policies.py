"""Declared retry policies and in-process attempts are recorded as the program has them, and change nothing in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from integration.recorded import Operation, Recording, record

PROGRAMS = Path(__file__).parent / "programs" / "policies"


def run(program: str, *arguments: str) -> Recording:
    """Record a program, and hold its output and exit code against those that it has when it is not recorded."""
    command = [str(PROGRAMS / program), *arguments]
    recording = record(command)
    plain = record(command, traced=False)
    assert (recording.exit_code, recording.stderr) == (plain.exit_code, plain.stderr)
    assert recording.exit_code == 0, recording.stderr
    assert recording.losses == []
    assert plain.said == recording.said
    return recording


def declared(recording: Recording) -> dict[str, dict[str, Any]]:
    """Every declaration's settings, by its name, which it has once."""
    found = recording.of("declare", channel_kind="retry")
    by_name = {f"{each.library} {each['channel'].removeprefix('__main__.')}": each["settings"] for each in found}
    assert len(by_name) == len(found)
    return by_name


def attempts(recording: Recording, name: str) -> list[tuple[Any, ...]]:
    """Number, error, planned sleep and what follows, of every attempt of one function."""
    found = [each for each in recording.of("call", channel=name) if each["channel_kind"] == "retry"]
    return [_attempt(each) for each in found]


def _attempt(each: Operation) -> tuple[Any, ...]:
    settings = each["settings"]
    return each["attempt"], settings["error"], settings["sleep_s"], settings["then"]


@pytest.fixture(scope="module")
def tenacity() -> Recording:
    return run("tenacity_loops.py")


@pytest.fixture(scope="module")
def others() -> Recording:
    return run("others.py", "celery")


def test_what_tenacity_is_told(tenacity: Recording) -> None:
    found = declared(tenacity)
    assert set(found) == {
        f"tenacity {name}"
        for name in ("charge", "give_up", "by_result", "not_for_this", "later", "block", "flaky", "async_block")
    }
    assert found["tenacity charge"] == {
        "action": "retry policy",
        "stop": {"is": "stop_after_attempt", "max_attempt_number": 4},
        "wait": {"is": "wait_exponential", "multiplier": 0.01, "min": 0.01, "max": 0.03, "exp_base": 2},
        "retry": {"is": "retry_if_exception_type", "exception_types": "Exception"},
        "reraise": True,
        "otherwise": None,
    }
    assert [each["is"] for each in found["tenacity give_up"]["wait"]["wait_funcs"]] == ["wait_fixed", "wait_random"]
    assert found["tenacity give_up"]["stop"]["stops"][1] == {"is": "stop_after_delay", "max_delay": 60.0}
    assert found["tenacity give_up"]["retry"]["exception_types"] == ["KeyError", "OSError"]
    assert found["tenacity by_result"]["retry"] == {"is": "retry_if_result", "predicate": "__main__.<lambda>"}


def test_attempts_with_tenacity(tenacity: Recording) -> None:
    error = "ConnectionError"
    assert attempts(tenacity, "__main__.charge") == [
        (1, error, 0.01, "again"),
        (2, error, 0.02, "again"),
        (3, None, None, "done"),
    ]  # the second time it succeeds at once, which is not told
    assert [each[::3] for each in attempts(tenacity, "__main__.give_up")] == 2 * [(1, "again"), (2, "give up")]
    assert attempts(tenacity, "__main__.by_result") == [(1, None, 0.001, "again"), (2, None, None, "done")]
    assert attempts(tenacity, "__main__.not_for_this") == [(1, "TypeError", None, "raise")]
    for name, sleep in (("block", 0.001), ("flaky", 0.0), ("later", 0.002), ("async_block", 0.001)):
        assert attempts(tenacity, f"__main__.{name}") == [(1, error, sleep, "again"), (2, None, None, "done")], name


def test_attempts_belong_to_the_handler_that_makes_them(tenacity: Recording) -> None:
    handlings = tenacity.of("process")
    for each in tenacity.of("call", channel_kind="retry"):
        in_handler = each["channel"] not in {"__main__.later", "__main__.async_block"}
        assert each.causes == ((handlings[0].sequence,) if in_handler and each.causes[0] == handlings[0].sequence
                               else (handlings[1].sequence,) if in_handler else ())  # fmt: skip


def test_what_backoff_and_stamina_are_told(others: Recording) -> None:
    found = declared(others)
    assert found["backoff backed_off"] == {
        "action": "retry policy",
        "wait": "expo",
        "exceptions": "ConnectionError",
        "max_tries": 4,
        "max_time": None,
        "jitter": None,
        "raise_on_giveup": True,
        "arguments": {"factor": 0.01, "max_value": 0.02},
    }
    assert found["backoff backed_off_later"]["jitter"] == "full_jitter"
    assert found["backoff until"]["predicate"] == "__main__.<lambda>"
    stable = found["stamina stable"]
    assert {name: stable[name] for name in stable if name.startswith(("attempts", "wait"))} == {
        "attempts": 3,
        "wait_initial": 0.01,
        "wait_max": 0.02,
        "wait_jitter": 0.0,
        "wait_exp_base": 2,
    }
    assert found["stamina block"]["attempts"] == 5
    assert not [name for name in found if name.startswith("tenacity ")]  # that stamina is built on it is its affair


def test_attempts_with_backoff_and_stamina(others: Recording) -> None:
    error = "ConnectionError"
    assert attempts(others, "__main__.backed_off") == [
        (1, error, 0.01, "again"),
        (2, error, 0.02, "again"),
        (3, None, None, "done"),
    ]
    assert [each[::3] for each in attempts(others, "__main__.backed_off_later")] == [(1, "again"), (2, "give up")]
    assert [each[3] for each in attempts(others, "__main__.until")] == ["again", "again", "done"]
    assert attempts(others, "__main__.stable") == [(1, error, 0.01, "again")]
    assert attempts(others, "__main__.block") == [(1, error, 0.001, "again"), (2, None, None, "done")]
    assert [each[3] for each in attempts(others, "__main__.stable_later")] == ["again"]


def test_what_celery_and_kombu_are_told(others: Recording) -> None:
    found = declared(others)
    ship = found["celery ship"]
    assert (ship["autoretry_for"], ship["max_retries"], ship["acks_late"]) == (["ConnectionError"], 4, True)
    assert (ship["retry_backoff"], ship["retry_backoff_max"], ship["retry_jitter"]) == (2, 60, False)
    assert (ship["rate_limit"], ship["default_retry_delay"]) == ("10/m", 180)
    assert found["celery weigh"]["max_retries"] == 2
    assert found["kombu publish"] == {
        "action": "retry policy",
        "max_retries": 6,
        "interval_start": 0.5,
        "interval_step": 0.2,
        "interval_max": 3,
    }
    (handler,) = [each["handler"] for each in others.of("declare", channel="ship")]
    assert (handler["name"], Path(handler["path"]).name) == ("ship", "others.py")


def test_retries_that_celery_is_asked_for(others: Recording) -> None:
    error = "ConnectionError"
    assert attempts(others, "ship") == [(1, error, 2, "again"), (2, error, 4, "again")]
    assert [each[1:] for each in attempts(others, "__main__.bill") or attempts(others, "shop.bill")] == [
        (error, 7, "again"),
        (error, None, "give up"),
    ]


def test_nothing_of_the_programs_is_looked_at() -> None:
    recording = run("hostile.py")
    assert recording.said["touched"] == []
    found = declared(recording)
    assert found["tenacity with_tenacity"]["stop"] == "<__main__.Stop>"
    assert found["backoff with_backoff"]["jitter"] == "<__main__.Nasty>"
    assert attempts(recording, "__main__.with_tenacity") == [
        (1, "__main__.NastyError", 0.001, "again"),
        (2, "__main__.NastyError", None, "give up"),
    ]


@pytest.mark.parametrize("library", ["tenacity", "stamina", "backoff", "celery", "kombu"])
def test_methods_look_as_before_and_are_put_back(library: str) -> None:
    modules = {
        "celery": ["celery.app.task", "celery.app.base"],
        "kombu": ["kombu.connection", "kombu.transport.redis"],
    }
    ended = record([str(Path(__file__).parent / "restored.py"), *modules.get(library, [library])])
    assert (ended.exit_code, ended.losses) == (0, []), ended.stderr
    points = [each for each in ended.said if each["target"].startswith(library)]
    assert points
    assert [each["status"] for each in points] == ["wrapped"] * len(points)
    assert [each["target"] for each in points if not each["alike"] or not each["restored"]] == []
