"""Names that try to be something else, and a trace that is full of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from tests.analysis.made_trace import MadeTrace

NAMES: Final = (
    '"]; end',
    "a|b`c``d|",
    "line\nbreak\r\n# heading",
    "</code><script>alert(1)</script>",
    "![x](javascript:alert(1)) **bold** _it_ ~~no~~",
    "`",
    "{{ 7 * 7 }}{% raw %}",
    "--> subgraph end %%{init: {}}%%",
    "\u202egnp.exe\u200b",
    "null\x00byte\x1b[31m",
    " ",
    "1. one",
    "- item",
    "---",
    "https://evil.example/?a=1&b=2 www.evil.example @everyone #1 $x$",
    "'); drop table operations; --",
    "\\",
    "&lt;b&gt; &amp; &#124;",
    "名前 ünï 🎉",
    "x" * 5_000,
)


def hostile_trace(made: MadeTrace) -> None:
    """Fill a trace in which everything that a program can choose is one of `NAMES`."""
    for number, name in enumerate(NAMES):
        other = NAMES[number - 1]
        service = f"s {name}"
        trigger = made.operation(
            "trigger", "http", service=service, channel=name, channel_kind="route", routing_key=other
        )
        send = made.send(
            service=service,
            library=f"{name} {other}",
            system=name,
            channel=name,
            channel_kind="exchange",
            event_type=name,
            routing_key=other,
            server=name,
            site=f"{name}:1 {other}",
            body={name: other, "list": [{other: name}]},
            headers={name: other},
            message_id=name,
            correlation_id=other,
        )
        made.cause(trigger, send)
        receive = made.receive(
            send,
            "likely",
            service=name,
            system=name,
            channel=name,
            channel_kind="queue",
            event_type=name,
            handler=f"{name}:1 {other}",
            outcome="raised",
            error_type=name,
            error_message=other,
            redelivered=True,
        )
        made.settle(name, receive, service=name, system=name, channel=name, channel_kind="queue")
        made.operation(
            "declare",
            system=name,
            service=service,
            channel=name,
            channel_kind="queue",
            settings={"action": "declare", "arguments": {"x-dead-letter-exchange": other, name: [name]}, name: other},
        )
        made.operation(
            "declare",
            system=name,
            service=service,
            channel=name,
            channel_kind="queue",
            routing_key=other,
            settings={"action": "bind", "exchange": other, "arguments": {name: other}},
        )
        made.operation(
            "subscribe", system=name, channel=name, channel_kind=other, consumer_group=name, settings={name: other}
        )
        made.operation("declare", system=name, settings={"action": other, name: other})
        made.row(
            "msgtrace_store.recorded_losses",
            process_number=made.process(service),
            reason=name,
            detail=other,
            lost=1,
            seen_at="2026-01-01",
        )
