"""Our rules of exchanges and dead letters against a real RabbitMQ: random topologies, every message where we say it is."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from typing import TYPE_CHECKING, Any

import aiormq
import pytest

from msgtrace_analysis.passes.dead_lettering import Letter, QueueRules, TooManyWaysError, die, rest, rules_of
from msgtrace_analysis.passes.routing import Bound, Exchange, Router

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from aiormq.abc import AbstractChannel

    from integration.brokers import Rabbitmq

pytestmark = pytest.mark.rabbitmq

BINDINGS, KEYS = 100, 100
"""Of one random topology. A hundred topologies make ten thousand of each."""
ALL = [pytest.param(seed, marks=pytest.mark.soak if seed >= 2 else ()) for seed in range(100)]
WORDS = ("order", "eu", "us", "placed", "a", "", "x-1")
TYPES = ("topic", "topic", "topic", "direct", "fanout", "headers")
VALUES: tuple[Any, ...] = (1, 2, "1", "x", True, False, 2.5, None)
MATCHES = ("all", "any", "all-with-x", "any-with-x", None)


def words(rng: random.Random, *wild: str) -> str:
    return ".".join(rng.choice((*WORDS, *wild, *wild)) for _ in range(rng.randint(0, 5)))


def table(rng: random.Random, most: int) -> dict[str, Any]:
    return {rng.choice(("a", "b", "x-c")): rng.choice(VALUES) for _ in range(rng.randint(0, most))}


class Broker:
    """A channel, and the names of one test on it."""

    def __init__(self, channel: AbstractChannel, prefix: str) -> None:
        self.channel, self.prefix = channel, prefix
        self.exchanges: dict[str, Exchange] = {}
        self.bindings: list[Bound] = []
        self.rules: dict[str, QueueRules] = {}

    async def exchange(self, name: str, kind: str, alternate: str | None = None) -> None:
        arguments: dict[str, Any] = {"alternate-exchange": alternate} if alternate else {}
        await self.channel.exchange_declare(name, exchange_type=kind, auto_delete=False, arguments=arguments)
        self.exchanges[name] = Exchange(name, kind, alternate)

    async def queue(self, name: str, **arguments: Any) -> None:
        given = {f"x-{key.replace('_', '-')}": value for key, value in arguments.items()}
        await self.channel.queue_declare(name, durable="queue_type" in arguments, arguments=given)
        self.rules[name] = rules_of(name, given)

    async def bind(self, bound: Bound) -> None:
        call = self.channel.exchange_bind if bound.to_exchange else self.channel.queue_bind
        # The same positions in both: destination, source, key.
        await call(bound.destination, bound.source, bound.key, arguments=dict(bound.arguments))
        self.bindings.append(bound)

    def router(self) -> Router:
        return Router(self.exchanges.values(), self.bindings, self.rules)

    async def publish(self, exchange: str, key: str, body: int, **properties: Any) -> None:
        given = aiormq.spec.Basic.Properties(**properties)
        await self.channel.basic_publish(str(body).encode(), exchange=exchange, routing_key=key, properties=given)

    async def resting(self) -> dict[str, int]:
        """How many messages every queue has, once that changes no more."""
        before: dict[str, int] = {}
        steady = 0
        while steady < 3:
            asked = [await self.channel.queue_declare(name, passive=True) for name in self.rules]
            found = {each.queue or "": each.message_count or 0 for each in asked}
            steady, before = (steady + 1 if found == before else 0), found
            await asyncio.sleep(0.05)
        return before

    async def drained(self, queue: str, count: int, *, reject: bool = False) -> Counter[int]:
        """The bodies of so many messages in a queue, taken out of it together: what is rejected may come back."""
        got = [await self.channel.basic_get(queue) for _ in range(count)]
        for each in got:
            assert each.delivery_tag is not None
            if reject:
                await self.channel.basic_reject(each.delivery_tag, requeue=False)
            else:
                await self.channel.basic_ack(each.delivery_tag)
        return Counter(int(each.body) for each in got)

    async def contents(self) -> dict[str, Counter[int]]:
        """What rests where, taken out."""
        counts = await self.resting()
        return {name: await self.drained(name, count) for name, count in counts.items() if count}

    async def gone(self) -> None:
        for queue in self.rules:
            await self.channel.queue_delete(queue)
        for exchange in self.exchanges:
            await self.channel.exchange_delete(exchange)


def on(rabbitmq: Rabbitmq, prefix: str, work: Callable[[Broker], Any]) -> None:
    """Runs `work` with names of its own, which are gone afterwards."""

    async def run() -> None:
        connection = await aiormq.connect(rabbitmq.url)
        try:
            broker = Broker(await connection.channel(), prefix)
            try:
                await work(broker)
            finally:
                await broker.gone()
        finally:
            await connection.close()

    asyncio.run(run())


async def random_exchanges(broker: Broker, rng: random.Random) -> list[str]:
    names = [f"{broker.prefix}-e{number}" for number in range(6)]
    for number, name in enumerate(names):
        # An alternate exchange stands before its owner: circles of them are none of what is in question here.
        alternate = rng.choice(names[:number]) if number and rng.random() < 0.3 else None
        await broker.exchange(name, TYPES[number % len(TYPES)], alternate)
    return names


def random_binding(broker: Broker, rng: random.Random, exchanges: list[str], queues: list[str]) -> Bound:
    source = rng.choice(exchanges)
    to_exchange = rng.random() < 0.1
    arguments = table(rng, 3)
    how = rng.choice(MATCHES)
    if broker.exchanges[source].type == "headers" and how is not None:
        arguments["x-match"] = how
    key = words(rng, "*", "#") if broker.exchanges[source].type == "topic" else words(rng)
    return Bound(source, rng.choice(exchanges if to_exchange else queues), to_exchange, key, arguments)


@pytest.mark.parametrize("seed", ALL)
def test_messages_go_where_the_rules_say(seed: int, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> None:
    rng = random.Random(seed)

    async def work(broker: Broker) -> None:
        exchanges = await random_exchanges(broker, rng)
        queues = [f"{broker.prefix}-q{number}" for number in range(15)]
        for name in queues:
            await broker.queue(name)
        for _ in range(BINDINGS):
            await broker.bind(random_binding(broker, rng, exchanges, queues))
        router = broker.router()
        expected: dict[str, Counter[int]] = {}
        for number in range(KEYS):
            exchange, key = rng.choice([*exchanges, ""]), words(rng)
            if not exchange:
                key = rng.choice([*queues, "absent"])
            headers = table(rng, 4) | ({"CC": [words(rng), words(rng)]} if rng.random() < 0.1 else {})
            await broker.publish(exchange, key, number, headers=headers)
            routed = router.route(exchange, key, headers)
            assert not routed.unknown
            for queue in routed.queues:
                expected.setdefault(queue, Counter())[number] += 1
        assert await broker.contents() == expected

    on(rabbitmq, unique("rules"), work)


async def random_dead_letters(broker: Broker, rng: random.Random) -> list[str]:
    """Queues that expire at once or never, and send their dead letters anywhere."""
    exchanges = await random_exchanges(broker, rng)
    names = [f"{broker.prefix}-q{number}" for number in range(20)]
    for name in names:
        arguments: dict[str, Any] = {}
        if rng.random() < 0.6:
            arguments["message_ttl"] = rng.choice((0, 1, 5))
        if rng.random() < 0.8:
            arguments["dead_letter_exchange"] = rng.choice([*exchanges, "", ""])
            if not arguments["dead_letter_exchange"]:
                arguments["dead_letter_routing_key"] = rng.choice([*names, "absent"])
            elif rng.random() < 0.5:
                arguments["dead_letter_routing_key"] = words(rng)
        await broker.queue(name, **arguments)
    for _ in range(30):
        await broker.bind(random_binding(broker, rng, exchanges, names))
    return names


def by_queue(ends: Iterable[tuple[str, int, Letter]]) -> dict[str, Counter[int]]:
    found: dict[str, Counter[int]] = {}
    for queue, number, _ in ends:
        if queue:
            found.setdefault(queue, Counter())[number] += 1
    return found


@pytest.mark.parametrize("seed", ALL)
def test_dead_letters_end_where_the_rules_say(seed: int, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> None:
    rng = random.Random(seed)

    async def work(broker: Broker) -> None:
        names = await random_dead_letters(broker, rng)
        router = broker.router()
        ends: list[tuple[str, int, Letter]] = []
        for number in range(KEYS // 5):
            exchange, key, headers = rng.choice([*broker.exchanges, ""]), words(rng), table(rng, 3)
            key = key if exchange else rng.choice(names)
            queues = router.route(exchange, key, headers).queues
            try:
                onward = rest(router, broker.rules, queues, Letter((key,), headers))
            except TooManyWaysError:
                continue  # the broker would be at it for hours
            await broker.publish(exchange, key, number, headers=headers)
            ends += [(queue, number, last) for queue, last in onward]
        # Now some are rejected, which sends them on, and may send them where they have been.
        for queue in rng.sample(names, 8):
            count = (await broker.resting())[queue]
            moved: list[tuple[str, int, Letter]] = []
            try:
                for _, number, letter in [each for each in ends if each[0] == queue]:
                    death = die(router, broker.rules[queue], "rejected", letter)
                    onward = rest(router, broker.rules, death.queues, death.letter)
                    moved += [(end, number, last) for end, last in onward]
            except TooManyWaysError:
                continue
            assert await broker.drained(queue, count, reject=True) == by_queue(ends).get(queue, Counter())
            ends = [*(each for each in ends if each[0] != queue), *moved]
        assert await broker.contents() == by_queue(ends)

    on(rabbitmq, unique("dead"), work)


@pytest.mark.parametrize("overflow", ["drop-head", "reject-publish", "reject-publish-dlx"])
def test_what_is_too_much(overflow: str, rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> None:
    async def work(broker: Broker) -> None:
        full, dead = f"{broker.prefix}-full", f"{broker.prefix}-dead"
        await broker.queue(dead)
        await broker.queue(full, max_length=7, overflow=overflow, dead_letter_exchange="", dead_letter_routing_key=dead)
        refused = 0
        for number in range(20):
            try:
                await broker.publish("", full, number)
            except aiormq.exceptions.DeliveryError:
                refused += 1
        contents = await broker.contents()
        reasons = broker.rules[full].reasons
        assert ("maxlen" in reasons) == (dead in contents)
        assert contents.get(dead, Counter()).total() == (13 if "maxlen" in reasons else 0)
        assert refused == (0 if overflow == "drop-head" else 13)

    on(rabbitmq, unique("full"), work)


def test_the_time_to_live_of_a_message_is_for_one_queue(rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> None:
    async def work(broker: Broker) -> None:
        first, second = f"{broker.prefix}-first", f"{broker.prefix}-second"
        await broker.queue(second)
        await broker.queue(first, dead_letter_exchange="", dead_letter_routing_key=second)
        await broker.publish("", first, 1, expiration="10")
        ends = rest(broker.router(), broker.rules, [first], Letter((first,), {}, 10))
        assert [queue for queue, _ in ends] == [second]
        assert await broker.contents() == {second: Counter([1])}

    on(rabbitmq, unique("own"), work)


def test_a_quorum_queue_gives_up_what_comes_back_too_often(rabbitmq: Rabbitmq, unique: Callable[[str], str]) -> None:
    async def work(broker: Broker) -> None:
        poison, dead = f"{broker.prefix}-poison", f"{broker.prefix}-dead"
        await broker.queue(dead)
        await broker.queue(
            poison, queue_type="quorum", delivery_limit=3, dead_letter_exchange="", dead_letter_routing_key=dead
        )
        await broker.publish("", poison, 1)
        deliveries = 0
        while (got := await broker.channel.basic_get(poison)).body:
            deliveries += 1
            assert got.delivery_tag is not None
            await broker.channel.basic_reject(got.delivery_tag, requeue=True)
            await asyncio.sleep(0.05)
        assert deliveries == 1 + (broker.rules[poison].delivery_limit or 0)
        assert "delivery_limit" in broker.rules[poison].reasons
        assert (await broker.contents())[dead] == Counter([1])

    on(rabbitmq, unique("quorum"), work)
