"""Dead-lettering by the rules; integration/test_routing_rules.py holds them against a real RabbitMQ."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import pytest

from msgtrace_analysis.passes.dead_lettering import Letter, QueueRules, die, rest, rules_of
from msgtrace_analysis.passes.routing import Bound, Exchange, Router

if TYPE_CHECKING:
    from msgtrace_analysis.passes.dead_lettering import Reason

ROUTER = Router(
    [Exchange("dlx", "direct"), Exchange("all", "fanout")],
    [Bound("dlx", "dead", key="k"), Bound("dlx", "work", key="again"), Bound("all", "dead"), Bound("all", "work")],
    ("work", "wait", "dead"),
)


def letter(*deaths: tuple[str, Reason], key: str = "k", ttl_ms: int | None = None) -> Letter:
    return Letter((key,), {}, ttl_ms, deaths)


def ends(rules: dict[str, QueueRules], queues: list[str], of: Letter) -> Counter[str]:
    return Counter(queue for queue, _ in rest(ROUTER, rules, queues, of))


def test_arguments_and_policies_together() -> None:
    found = rules_of(
        "q",
        {"x-message-ttl": 500, "x-dead-letter-exchange": "mine", "x-queue-type": "quorum"},
        {"message-ttl": 100, "dead-letter-exchange": "theirs", "delivery-limit": 3, "max-length": 10},
    )
    assert (found.ttl_ms, found.exchange, found.policy) == (100, "mine", False)
    assert found.reasons == ("rejected", "expired", "maxlen", "delivery_limit")
    assert rules_of("q", {}, {"dead-letter-exchange": "theirs"}).policy
    assert rules_of("q", {"x-max-length": 1, "x-overflow": "reject-publish"}).reasons == ("rejected",)


def test_a_dead_letter_keeps_its_keys_unless_the_queue_gives_one() -> None:
    kept = die(ROUTER, QueueRules("work", exchange="dlx"), "rejected", letter())
    assert kept.queues == {"dead"}
    assert kept.letter == letter(("work", "rejected"))
    given = die(ROUTER, QueueRules("work", exchange="", key="wait"), "rejected", letter())
    assert given.queues == {"wait"}
    assert given.letter.keys == ("wait",)
    assert not die(ROUTER, QueueRules("work"), "rejected", letter()).queues
    assert die(ROUTER, QueueRules("work", exchange="absent"), "rejected", letter()).unknown


@pytest.mark.parametrize(
    ("reason", "before", "cycles"),
    [
        ("expired", [("work", "expired")], {"work"}),
        ("expired", [("work", "rejected")], set()),
        ("rejected", [("work", "expired")], set()),
        # The order before is turned around.
        ("maxlen", [("other", "rejected"), ("work", "expired")], {"work"}),
        ("maxlen", [("work", "expired"), ("other", "rejected")], set()),
        ("expired", [("other", "expired")], set()),
    ],
)
def test_what_comes_back_by_itself_is_dropped(
    reason: Reason, before: list[tuple[str, Reason]], cycles: set[str]
) -> None:
    death = die(ROUTER, QueueRules("wait", exchange="dlx", key="again"), reason, letter(*before))
    assert death.cycles == cycles
    assert death.queues == {"work"} - cycles


def test_where_messages_end_that_nobody_takes() -> None:
    rules = {
        "work": QueueRules("work", exchange="", key="wait", ttl_ms=10),
        "wait": QueueRules("wait", exchange="dlx", key="again", ttl_ms=10),
        "fan": QueueRules("fan", exchange="all", ttl_ms=10),
        "lost": QueueRules("lost", ttl_ms=10),
    }
    assert ends(rules, ["work"], letter()) == {"": 1}
    assert ends({"work": QueueRules("work", exchange="dlx")}, ["work"], letter(ttl_ms=5)) == {"dead": 1}
    assert ends(rules, ["fan"], letter()) == {"dead": 1, "": 1}
    assert ends(rules, ["lost", "dead"], letter()) == {"": 1, "dead": 1}


def test_the_time_to_live_of_a_message_ends_with_its_first_death() -> None:
    rules = {"first": QueueRules("first", exchange="", key="wait")}
    assert ends(rules, ["first"], letter(ttl_ms=5)) == {"wait": 1}
