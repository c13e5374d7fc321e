"""Pipelines and transactions: each command is an operation of its own, begun when the pipeline is executed.

A command that is no message costs one dictionary lookup. Where `execute` raises because one command failed, the others
were executed all the same: their replies are read from where the library looks for the first error.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from msgtrace.hook import Several

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from msgtrace.hook import Action, Part

_replies: WeakKeyDictionary[Any, Any] = WeakKeyDictionary()
"""Replies of pipelines that are being executed and have messages in them; None until they are there."""


def stack_of(pipeline: Any) -> Any:
    """What is queued: pairs of arguments and options, or a cluster's `PipelineCommand`s."""
    strategy = getattr(pipeline, "_execution_strategy", None)
    if strategy is not None:
        return strategy._command_queue  # noqa: SLF001 - `command_queue` exists in the sync class only
    stack = getattr(pipeline, "command_stack", None)
    return pipeline._command_stack if stack is None else stack  # noqa: SLF001 - asyncio clusters of redis 5


def _client(pipeline: Any) -> Any:
    """What knows encoding and server: an asyncio cluster's pipeline has only its client, in redis 5 by another name."""
    for name in ("cluster_client", "_client"):
        client = getattr(pipeline, name, None)
        if client is not None:
            return client
    return pipeline


def _key(pipeline: Any) -> Any:
    """The object whose method looks for the first error."""
    strategy = getattr(pipeline, "_execution_strategy", None)
    return pipeline if strategy is None else strategy


def executing(table: Mapping[Any, Action]) -> Several:
    """The execution of a pipeline.

    Args:
        table: command -> action, as of single commands.
    """
    get = table.get

    def split(pipeline: Any, *_args: Any, **_kwargs: Any) -> list[Part] | None:
        parts: list[Part] = []
        client = _client(pipeline)
        for place, command in enumerate(stack_of(pipeline)):
            arguments = command[0] if type(command) is tuple else command.args
            try:
                action = get(arguments[0])
            except (IndexError, TypeError, BytesWarning):
                continue
            if action is not None:
                _add(parts, action, (client, *arguments), (place, command))
        if parts:
            _replies[_key(pipeline)] = None
        return parts

    return Several(split=split, share=_share)


def _add(parts: list[Part], action: Action, parameters: tuple[Any, ...], place: Any) -> None:
    if isinstance(action, Several):
        parts += [(each, arguments, place) for each, arguments, _ in action.split(*parameters) or ()]
    else:
        parts.append((action, parameters, place))


def answered(_result: Any, self: Any, _commands: Any, response: Any) -> None:
    """A pipeline looks for the first error among the replies."""
    if self in _replies:
        _replies[self] = response


def answered_in_cluster(_result: Any, self: Any, responses: Any, *_args: Any) -> None:
    """A cluster's transaction does."""
    if self in _replies:
        _replies[self] = responses


def _share(
    parts: Sequence[Part], result: Any, error: BaseException | None, pipeline: Any, *_args: Any, **_kwargs: Any
) -> list[tuple[Any, BaseException | None]]:
    """Each command's reply, or its error."""
    replies = _replies.pop(_key(pipeline), None)
    if error is None:
        return [_reply(result[place]) for _, _, (place, _) in parts]
    shares = []
    for _, _, (place, command) in parts:
        if replies is not None and place < len(replies):
            shares.append(_reply(replies[place]))
        else:
            reply = getattr(command, "result", None)
            shares.append((None, error) if reply is None else _reply(reply))
    return shares


def _reply(reply: Any) -> tuple[Any, BaseException | None]:
    return (None, reply) if isinstance(reply, BaseException) else (reply, None)
