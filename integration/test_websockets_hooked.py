"""The hook itself: what a program can see of the methods that it replaces, and that they come back."""

from pathlib import Path

from integration.recorded import record
from integration.websocket_ends import EVERY_VERSION, evaluated

pytestmark = EVERY_VERSION

MODULES = (
    "websockets.asyncio.client",
    "websockets.asyncio.server",
    "websockets.sync.client",
    "websockets.sync.server",
    "websockets.legacy.client",
    "websockets.legacy.server",
)


def test_methods_look_as_before_and_are_put_back(python: str) -> None:
    optional = ("websockets.trio.client", "uvicorn.protocols.websockets.websockets_sansio_impl")
    there = [
        each for each in optional if evaluated(python, f"__import__('importlib').import_module({each!r}) is not None")
    ]
    modules = [*MODULES, *there]
    ended = record(["-W", "ignore", str(Path(__file__).parent / "restored.py"), *modules], python=python)
    assert (ended.exit_code, ended.stderr) == (0, "")
    assert ended.losses == []
    points = [each for each in ended.said if not each["target"].startswith("uvicorn.") or "sansio" in each["target"]]
    assert {each["status"] for each in points if each["detail"] == ""} <= {"wrapped", "waiting"}
    waiting = {each["target"].split(":")[0].split(".")[1] for each in points if each["status"] == "waiting"}
    assert waiting <= {"trio", "protocols"}
    wrapped = [each for each in points if each["status"] == "wrapped"]
    assert len(wrapped) >= 30
    assert [each["target"] for each in wrapped if not each.get("alike")] == []
    assert [each["target"] for each in wrapped if not each["restored"]] == []
