"""What follows from a WebSocket message: however it is taken, what the program does with it has it as its cause."""

from integration.interpreters import needs
from integration.recorded import Operation, Recording
from integration.websocket_ends import EVERY_VERSION, of_role, run, version
from msgtrace.records import CAUSE_ENDED, CAUSE_LIVE

pytestmark = EVERY_VERSION


def causes(recording: Recording, operation: Operation) -> list[Operation]:
    """The operations that one follows from, in its own process."""
    own = {each.sequence: each for each in recording.operations if each.process == operation.process}
    return [own[sequence] for sequence in operation.causes]


def check_answers(recording: Recording, role: str = "server") -> int:
    """Every "re:..." follows from the message that it answers, and from nothing else; how many there are."""
    answers = [each for each in of_role(recording, "send", role) if str(each["body"]).startswith("re:")]
    for answer in answers:
        (cause,) = causes(recording, answer)
        body = cause["body"]
        text = body if isinstance(body, str) else body.decode()
        assert (cause.kind, cause["connection"]["role"], f"re:{text}") == ("receive", role, answer["body"])
        # A task of its own may answer when the next message has been fetched.
        assert answer.cause_state in ({CAUSE_LIVE, CAUSE_ENDED} if text in {"w1", "w2", "w3"} else {CAUSE_LIVE})
    return len(answers)


def test_taken_in_every_way(python: str) -> None:
    recording = run(python, "asyncio_taking.py", *(["decode"] if version(python) >= 14 else []))
    assert check_answers(recording) == 20
    (go_on,) = [each for each in of_role(recording, "send", "server") if each["body"] == "go on"]
    assert go_on.causes == ()  # the fetch before it ended without a message


def test_echoes(python: str) -> None:
    """With asyncio and threads, broadcasts and closings included: as many causes as the program's order says."""
    for program in ("asyncio_echo.py", "threading_echo.py", "legacy_echo.py"):
        recording = run(python, program)
        taken = of_role(recording, "receive", "server")
        sends = of_role(recording, "send", "server")
        assert [causes(recording, each)[0]["identity"] for each in sends[: len(taken) - 1]] == [
            each["identity"] for each in taken[:-1]
        ]
        (closing,) = [
            each for each in of_role(recording, "connect", "server") if each["settings"]["event"] == "closing"
        ]
        for last in (*sends[len(taken) - 1 :], closing):
            assert causes(recording, last) == [taken[-1]]


def test_a_batch_of_a_program_that_drives_the_protocol(python: str) -> None:
    recording = run(python, "sansio_echo.py")
    batch = [each for each in of_role(recording, "send", "server") if len(each.causes) == 2]
    assert [[cause["body"] for cause in causes(recording, each)] for each in batch] == [
        [b"\x00\xff binary", "fragmentäd"]
    ] * 2


def test_before_the_first_message(python: str) -> None:
    """A handler's first words follow from the connection; whatever went on where its server was started does not."""
    recording = run(python, "asyncio_opening.py")
    for welcome in of_role(recording, "send", "server"):
        (opened,) = causes(recording, welcome)
        assert (opened.kind, opened["settings"]["event"]) == ("connect", "opened")
        assert opened["connection"] == welcome["connection"]


def test_an_asgi_application(python: str) -> None:
    needs(python, "uvicorn", "starlette")
    recording = run(python, "asgi.py")
    received = of_role(recording, "receive", "server")
    sent = of_role(recording, "send", "server")
    assert [causes(recording, each) for each in sent] == [[each] for each in received[:-1]]
    assert all(each.site and each.site[0].endswith("asgi.py") for each in (*sent, *received))


def test_many_connections(python: str) -> None:
    """Each broadcast follows from the one message that it repeats."""
    recording = run(python, "many.py", alike=False)
    broadcasts = of_role(recording, "send", "server")
    assert len(broadcasts) == 12 * (1 + 12 * 20)
    for each in broadcasts:
        (cause,) = causes(recording, each)
        if each["body"] == "all are there":
            assert cause["settings"]["event"] == "opened"
        else:
            assert (cause.kind, cause["body"]) == ("receive", each["body"])
