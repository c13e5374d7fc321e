"""What a hook is: a table of points in one library, and the pure functions that read them. Data only; `engine` acts.

Frozen structs where the rest of the house has frozen dataclasses: a traced program waits while these classes are made,
and to make a dataclass takes half a millisecond.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from msgspec import Struct, field

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from msgtrace.records import Facts, Kind, Message, Outcome

Read: TypeAlias = "Callable[..., Message | list[Message] | None]"
"""Reads the call that is about to be made. Has the target's own parameters, so that Python binds them.

Returns the message, several (a pipeline), or None when the call is no message. Must not keep, change or call anything
of the program's.
"""

ReadResult: TypeAlias = "Callable[..., Message | list[Message] | None]"
"""The same after the call: `(result, *the target's parameters)`; `result` is None when the call raised."""

Done: TypeAlias = "Callable[..., Facts | None]"
"""What a finished send made known: `(sequence, result, *the target's parameters)`.

`sequence` is the operation's (a list of them, if `read` gave several), for a hook that learns more later and then
reports it through a `Late` point.
"""

Failed: TypeAlias = "Callable[..., Facts | None]"
"""What a send that raised made known all the same: `(error, *the target's parameters)`.

Its `outcome`, if it has one, stands for `raised` or `cancelled`.
"""


class Together(Struct, frozen=True):
    """Sends that ended well at the same time: a batch that a broker acknowledged. One record, however many they are.

    Attributes:
        sequences: theirs.
        facts: of each; but `log_offset` is the first's, and each next one's is one more.
    """

    sequences: list[int]
    facts: Facts


ReadLate: TypeAlias = "Callable[..., Sequence[tuple[int, str, BaseException | None, Facts | None] | Together] | None]"
"""Late facts about operations that returned long ago: `(result, *parameters)` -> `(sequence, outcome, error, facts)`."""

Inject: TypeAlias = (
    "Callable[[Mapping[str, str], tuple[Any, ...], dict[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]"
)
"""For `--propagate`: `(fields, args, kwargs) -> (args, kwargs)` with `fields` (traceparent, ...) added to the message's
headers, on copies of what the program gave; the very same `args` and `kwargs` where nothing is added."""


class Action(Struct, frozen=True, kw_only=True):
    """What is recorded around one call. The subclasses are the engine's whole vocabulary."""

    kind: Kind


class Send(Action, frozen=True, kw_only=True):
    """Begun before the call, completed after it.

    Attributes:
        read: see `Read`.
        done: see `Done`.
        failed: see `Failed`.
        scope: the call itself runs the receivers (in-process buses), so the send is their cause while it runs.
        inject: see `Inject`.
    """

    kind: Kind = "send"
    read: Read
    done: Done | None = None
    failed: Failed | None = None
    scope: bool = False
    inject: Inject | None = None


class Fetch(Action, frozen=True, kw_only=True):
    """The program asks for messages and gets them as the result: `recv`, `poll`, `__next__`, BRPOP.

    What it gets is the cause of what it does until the next fetch in the same context.

    Attributes:
        read: see `ReadResult`.
        parts: a generator's items are parts of one message, which the last of them completes; not messages.
        when: `(*the target's parameters)`, asked before the call: whether it is a fetch at all, or the library's own
            business. Of functions that return at once.
    """

    kind: Kind = "receive"
    read: ReadResult
    parts: bool = False
    when: Callable[..., bool] | None = None


class Deliver(Action, frozen=True, kw_only=True):
    """The library hands one message to a handler, inside this call: a receive, then the handling of it.

    Attributes:
        read: see `Read`; the message as it was received. Its `handler` may be set.
        spawns: the call only starts the handler and returns the future, or task, in which it runs.
        task: of what the call returns, the task itself, where the library has one of its own around it.
    """

    kind: Kind = "receive"
    read: Read
    spawns: bool = False
    task: Callable[[Any], Any] | None = None


class Process(Action, frozen=True, kw_only=True):
    """A handler runs inside this call, without a receive of its own: in-process buses.

    Attributes:
        read: see `Read`. In-process buses set `link`.
        done: see `Done`; a route template, for example, is known only afterwards.
        spawns: the call may only start the handler: then it ends with the future that a `Spawned` point sees made.
    """

    kind: Kind = "process"
    read: Read
    done: Done | None = None
    spawns: bool = False


class Trigger(Action, frozen=True, kw_only=True):
    """An incoming request is answered inside this call: one operation, however many points see it.

    Attributes:
        read: see `Read`. Only asked where no request is being answered yet, and of a server's point.
        learned: what the call made known of the request, whichever point began it:
            `(request, error, result, *the target's parameters)`, see `http_request.Request`.
        server: the request comes from outside, so nothing that went on in this process caused it.
    """

    kind: Kind = "trigger"
    read: Callable[..., Message | None]
    learned: Callable[..., None] | None = None
    server: bool = False


class Spawned(Action, frozen=True, kw_only=True):
    """A call whose result is the future in which the handler of the enclosing `Process(spawns=True)` goes on.

    Attributes:
        further: the enclosing handler's own task has begun, as the library's code, and waits for this one, the program's.
    """

    further: bool = False
    kind: Kind = "process"


class Receivers(Action, frozen=True, kw_only=True):
    """A generator of the receivers that the enclosing `Send(scope=True)` calls, each between two of its items.

    Attributes:
        read: `(receiver, *the target's parameters)` -> the handling; None for one that is not to be recorded.
    """

    kind: Kind = "process"
    read: ReadResult


class Observe(Action, frozen=True, kw_only=True):
    """Something about messaging that is recorded once it is over: settle, declare, subscribe, connect.

    Attributes:
        read: see `ReadResult`.
    """

    read: ReadResult


class Late(Action, frozen=True, kw_only=True):
    """A call that tells the fate of earlier sends: a broker's acknowledgement of a batch.

    Attributes:
        read: see `ReadLate`.
        before: read before the call, when the call itself destroys what is to be read; `result` is then None.
    """

    kind: Kind = "send"
    read: ReadLate
    before: bool = False


class Submit(Action, frozen=True, kw_only=True):
    """A send whose message becomes what goes over the wire inside the call, at a `Made` point.

    It begins there. Nothing is recorded when the call returns: its end is told by a `Late` point. A call in which no
    message was made is recorded with what the program gave, and with the error that it raised or returned.

    Attributes:
        read: see `Read`; for a call that made no message.
        refusal: `(result, *the target's parameters)` -> the error that a call which made no message returned in
            place of raising it; None if there is none.
        inject: see `Inject`.
    """

    kind: Kind = "send"
    read: Read
    refusal: Callable[..., BaseException | None]
    inject: Inject | None = None


class Made(Action, frozen=True, kw_only=True):
    """The call, inside a `Submit`, in which a message gets its bytes and its place.

    Attributes:
        read: `(result, owner, *the target's parameters)` -> the message; None when this call made none. `owner` is the
            first argument of the `Submit`'s call, e.g. the producer, or None outside of one.
        done: `(sequence, result, owner, *the target's parameters)`: for the hook to note what a `Late` point will need.
    """

    kind: Kind = "send"
    read: Callable[..., Message | None]
    done: Callable[..., None] | None = None


class Until(Action, frozen=True, kw_only=True):
    """A call that only starts an operation, and returns the future that it ends with.

    Attributes:
        read: see `Read`.
        follow: `(future, ended)`: has `ended(error, or None)` called once when the future is done, or at once if it is.
        outcome: of one that ends without an error.
    """

    read: Read
    follow: Callable[[Any, Callable[[BaseException | None], None]], None]
    outcome: Outcome = "ok"


Part: TypeAlias = "tuple[Action, tuple[Any, ...], Any]"
"""One operation of a `Several`: the action that records it, the arguments for its readers, and its place in the call."""


class Several(Action, frozen=True, kw_only=True):
    """A call that carries several operations: a pipeline, a move from one queue to another.

    Attributes:
        split: `(*the target's parameters)` -> the parts, whose actions are of `Send`, `Fetch` or `Observe`; None when there
            are none.
        share: `(parts, result, error, *the target's parameters)` -> each part's `(result, error)`; without it, every
            part has those of the call.
        kinds: what the parts may be.
    """

    kind: Kind = "call"
    split: Callable[..., list[Part] | None]
    share: Callable[..., list[tuple[Any, BaseException | None]]] | None = None
    kinds: tuple[Kind, ...] = ("send", "receive", "settle", "declare")


class Point(Struct, frozen=True):
    """A method of a library, and what is recorded around it.

    Attributes:
        target: `module:Class.method`, or `module:function` for what is never imported by name.
        action: the action; None when `table` decides.
        argument: index of the positional argument (`self` is 0) that `table` is looked up with.
        table: argument's value -> action. A value that isn't in it costs one dictionary lookup and nothing else.
        versions: versions of the library where the target exists, as `Hook.versions`; elsewhere its absence is
            no fault.
        owner: the class itself, where one is declared that need not be an attribute of its module.
    """

    target: str
    action: Action | None = None
    argument: int = 1
    table: Mapping[Any, Action] = field(default_factory=dict)
    versions: str = ""
    owner: type | None = None


class Found(Struct, frozen=True):
    """What a live object tells that was there before its process was attached to.

    Attributes:
        target: `module:Class`; its instances are looked for, those of its subclasses, too.
        kind: of the fact that is recorded.
        read: `(object)` -> the facts, None when it tells none. As with `Read`, nothing of the program's may be called.
        rank: those of a lower one of the same hook are read first.
    """

    target: str
    kind: Kind
    read: Callable[[Any], Message | list[Message] | None]
    rank: int = 0


class Hook(Struct, frozen=True):
    """Everything that is hooked in one library.

    Attributes:
        library: its import name.
        system: OpenTelemetry's `messaging.system` value where there is one, our name for it otherwise.
        distribution: its name on the package index.
        versions: what has been tested, e.g. `>=9,<11`. Others are hooked too, and `doctor` says that they are untested.
        points: see `Point`.
        found: see `Found`.
    """

    library: str
    system: str
    distribution: str
    versions: str
    points: tuple[Point, ...]
    found: tuple[Found, ...] = ()


Status: TypeAlias = Literal["wrapped", "waiting", "missing", "failed", "off", "restored"]
"""`waiting`: the program has not imported its module; `missing`: this version of the library has no such target."""
