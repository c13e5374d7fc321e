"""redis: what is recorded is what the programs in programs/redis say that they did, byte for byte and in order.

Every test runs with the installed redis, and with each interpreter that MSGTRACE_TEST_PYTHON_REDIS names (separated as
in PATH): environments that have an older one.
"""

from collections.abc import Callable

import pytest

from integration.brokers import Redis
from integration.recorded import record
from integration.redis_programs import EVERY_VERSION, PROGRAMS, recorded, run, told, version

pytestmark = [pytest.mark.redis, EVERY_VERSION]

DECODED = ("decode_responses=true", 'encoding_errors="surrogateescape"')
FORMS = {
    "resp2": ("protocol=2",),
    "resp3": ("protocol=3",),
    "default": (),
    "decoded-resp2": ("protocol=2", *DECODED),
    "decoded-resp3": ("protocol=3", *DECODED),
    "unified-resp2": ("protocol=2", "legacy_responses=false"),
    "unified-resp3": ("protocol=3", "legacy_responses=false"),
}
"""Options that change what redis-py makes of a reply."""


EVERYTHING = [("default", "sync"), ("default", "asyncio"), ("decoded-resp3", "asyncio"), ("decoded-resp2", "sync")]


@pytest.mark.parametrize(
    ("program", "form", "half"),
    [
        *((program, *how) for program in ("pubsub", "sharded", "lists") for how in EVERYTHING),
        *(
            (program, form, half)
            for program in ("streams", "pipelines")
            for form in FORMS
            for half in ("sync", "asyncio")
        ),
    ],
)
def test_recorded_is_what_was_done(
    python: str, program: str, half: str, form: str, redis_server: Redis, unique: Callable[[str], str]
) -> None:
    if form.startswith("unified") and version(python) < (8, 0):
        pytest.skip(f"redis {version(python)} has no legacy_responses")
    if program == "sharded" and half == "asyncio" and version(python) < (8, 0):
        pytest.skip(f"redis {version(python)} has no sharded pub/sub in its asyncio client")
    arguments = (redis_server.url, unique(program), half, *FORMS[form])
    recording = run(python, program, *arguments)
    if program == "pipelines":
        # A pipeline begins all that it sends before it knows what it gets.
        for kind in ("send", "receive", "settle", "declare"):
            assert [e for e in recorded(recording) if e["did"] == kind] == [
                e for e in told(recording.said) if e["did"] == kind
            ]
    else:
        assert recorded(recording) == told(recording.said)
    if form != "default":
        return
    plain = record([str(PROGRAMS / f"{program}.py"), *arguments], python=python, traced=False)
    assert (plain.exit_code, plain.stderr) == (0, "")
    ids = dict.fromkeys(("id",))
    assert [{**each, **ids} for each in plain.said] == [{**each, **ids} for each in recording.said]
