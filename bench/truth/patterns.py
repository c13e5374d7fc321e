"""Sagas and request/reply, put into a system while it is being made. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from bench.truth.system import Channel, Exchange, Outcome, Saga, Subscriber, Trigger

if TYPE_CHECKING:
    from bench.truth.generate import Maker
    from bench.truth.system import Broker, Naming

UNDONE: Final = (
    ("stock", "reserved", "released"), ("payment", "taken", "refunded"), ("seat", "booked", "freed"),
    ("credit", "granted", "revoked"), ("label", "printed", "voided"), ("slot", "allocated", "deallocated"),
)  # fmt: skip
"""What a step does, and what undoes it."""
GOES_WELL: Final = 0.8
ANSWERED: Final = 0.9


def saga(made: Maker) -> tuple[Saga, Trigger]:
    """A transaction of three or four steps, each by another service; a step that fails undoes those before it.

    The services choose for themselves: who made a step listens for the failure of later ones.
    """
    rng = made.rng
    broker: Broker = rng.choice(("exchange", "topic"))
    steps = rng.sample(UNDONE, min(rng.choice((3, 4)), len(made.services)))
    services = rng.sample(made.services, len(steps))
    channel = Channel(
        broker, made.fresh_channel(f"{made.prefix}transactions"), "header", "event-type", dispatched=False
    )
    made.channels.append(channel)

    def event(thing: str, deed: str) -> str:
        return made.add(f"{thing}.{deed}", channel, correlation="body").name

    done = [event(thing, deed) for thing, deed, _ in steps]
    undone = [event(thing, undo) for thing, _, undo in steps[:-1]]
    failed = [event(thing, "failed") for thing, _, _ in steps[1:]]
    for place in range(1, len(steps)):
        made.subscribe(
            done[place - 1],
            services[place],
            (Outcome(GOES_WELL, (done[place],)), Outcome(1 - GOES_WELL, (failed[place - 1],))),
        )
        for before in range(place):
            made.subscribe(failed[place - 1], services[before], (Outcome(1.0, (undone[before],)),))
    for each in (*undone, done[-1]):
        made.subscribe(each, services[0] if each != undone[0] else services[-1], (Outcome(1.0),))
    name = f"POST /api/{steps[0][0]}/{len(made.free)}x"
    made.free.append(name)
    trigger = Trigger("route", services[0], name, (Outcome(1.0, (done[0],)),), None, 0.0, made.samples * 4)
    return Saga(tuple(done), tuple(zip(done[:-1], undone, strict=True))), trigger


def exchange(made: Maker) -> tuple[Exchange, Trigger]:
    """A request that says where to answer, and mostly an answer."""
    rng = made.rng
    asks, answers = rng.sample(made.services, 2)
    thing = rng.choice(("quote", "availability", "address", "limit"))
    broker: Broker = rng.choice(("queue", "queue", "topic"))
    naming: Naming = "property" if broker == "queue" else "header"
    telling = "" if broker == "queue" else "type"
    to = Channel(broker, made.fresh_channel(f"{made.prefix}{thing}.requests"), naming, telling, dispatched=True)
    temporary = broker == "queue" and rng.random() < 0.4
    back_name = (
        f"{made.prefix}reply.{thing}.{{}}" if temporary else made.fresh_channel(f"{made.prefix}{asks}.{thing}.replies")
    )
    back = replace(to, name=back_name)
    made.channels += [to, back]
    reply = made.add(f"{thing}.answered", back).name
    request = made.add(f"{thing}.asked", to, reply=reply).name
    made.subscribers.append(
        Subscriber(
            request, answers, made.handler(request, answers), (Outcome(ANSWERED, (reply,)), Outcome(1 - ANSWERED))
        )
    )
    made.subscribers.append(Subscriber(reply, asks, made.handler(reply, asks), (Outcome(1.0),)))
    name = f"GET /api/{thing}/{len(made.free)}x"
    made.free.append(name)
    trigger = Trigger("route", asks, name, (Outcome(1.0, (request,)),), None, 0.0, round(made.samples * 1.3))
    return Exchange(request, reply, asks, answers), trigger
