"""The mood of a name: does it say that something happened, order something, ask, answer, or name a thing? Pure.

`order.placed` and `OrderPlacedEvent` say that something happened, `place_order` and `ChargeCardCommand` order it,
`GetPriceQuery` asks. English only, by endings and short lists of words: a name is evidence and no proof.
"""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Final, Literal

Mood = Literal["happened", "order", "question", "answer", "pulse", "thing"]

_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
LONGEST: Final = 200
"""Characters of a name that are looked at: the last ones, where the telling word is."""


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


NOT_PARTICIPLES: Final = _words(
    "bed bleed breed bred embed feed fed hundred indeed led need newsfeed proceed red seed shed speed sped succeed "
    "thread weed wed exceed aged"
)
IRREGULAR: Final = _words(
    "begun bound bought broken brought built caught chosen cut dealt done drawn driven fallen forgotten forwarded found "
    "frozen given gone grown held hidden kept known left lent lost made met mistaken overridden overdue paid proven "
    "received resent reset rewritten risen rung run seen sent set shipped shown shut sold spent split spoken started "
    "stolen stopped submitted sunk sworn swept taken taught thrown torn undone unpaid upheld upset went withdrawn won "
    "worn woken written joined"
)
OCCURRENCES: Final = _words(
    "login logout signup signin signout failure success error timeout expiry expiration arrival departure completion "
    "cancellation creation deletion registration activation deactivation"
)
"""Nouns that name what happened."""
VERBS: Final = _words(
    "accept acknowledge activate add allocate apply approve archive arrange assign authorize authorise backup ban bill "
    "block book build calculate call cancel capture change charge check clean cleanup clear close collect compensate "
    "complete compress compute confirm connect convert copy create credit deactivate debit delete deliver deny deploy "
    "disable disconnect dispatch download emit enable enqueue enrich ensure evict execute expire export extract finish "
    "flush forward fulfil fulfill generate grant handle import index ingest initialize initialise insert install "
    "invalidate invite invoke issue join kick launch leave load lock log make mark merge migrate modify move mute "
    "notify open optimize pack pause pay perform persist pick place post prepare print process promote provision "
    "publish purge push put rebuild recalculate recompute reconcile record redeem refresh refund register reindex "
    "reject release reload remind remove rename render renew reopen reprocess rerun reserve reset resize resolve "
    "restart restock restore resume retry return revert revoke rollback rotate run save schedule scale scan score "
    "send set settle ship shutdown sign spawn split start stop store submit subscribe suspend sync synchronize tag "
    "terminate throttle track train transcode transfer transform translate trigger unblock undo unlock unregister "
    "unsubscribe update upgrade upload upsert validate verify void warm withdraw write"
)
ASKING: Final = _words("ask count describe fetch find get head inspect list lookup query read search select")
PULSES: Final = _words("heartbeat keepalive alive ping pong tick tock wake wakeup pulse beat noop")
ENDINGS: Final[dict[str, Mood]] = {
    "command": "order", "cmd": "order", "task": "order", "job": "order", "query": "question", "reply": "answer",
    "response": "answer", "answer": "answer", "event": "happened", "ack": "answer", "request": "order",
}  # fmt: skip
"""Last words that say by themselves what the message is."""
FILLERS: Final = _words("event events message msg evt notification payload dto v version")


@dataclass(frozen=True, slots=True)
class Read:
    """A mood and the word that it was read from; '' for a thing."""

    mood: Mood
    word: str


@functools.lru_cache(maxsize=10_000)
def mood(name: str) -> Read:
    """Read a name.

    >>> mood("order.placed").mood, mood("com.shop.OrderPlacedEvent").mood, mood("order.sent.v2").word
    ('happened', 'happened', 'sent')
    >>> mood("place_order").mood, mood("ChargeCard").mood, mood("GetPriceQuery").mood, mood("heartbeat").mood
    ('order', 'order', 'question', 'pulse')
    >>> mood("prices").mood, mood("sensor.reading").mood, mood("newsfeed").mood
    ('thing', 'thing', 'thing')
    """
    words = [word.lower() for word in _WORDS.findall(re.sub(r"\{[^{}]*\}", " ", name[-LONGEST:]))]
    if not words:
        return Read("thing", "")
    ending = ENDINGS.get(words[-1])
    if ending is not None and (len(words) > 1 or ending != "happened"):
        return Read(ending, words[-1])
    telling = [word for word in words if word not in FILLERS] or words
    for word in telling[::-1][:2]:
        if is_participle(word) or word in OCCURRENCES:
            return Read("happened", word)
    if telling[-1] in PULSES:
        return Read("pulse", telling[-1])
    return _order(name, telling)


def _order(name: str, words: list[str]) -> Read:
    # The verb of `shop.tasks.charge_card` begins its last segment; that of `payment.capture` is it.
    last = [word.lower() for word in _WORDS.findall(re.split(r"[.:/]", name[-LONGEST:])[-1])]
    for word in (words[0], *(last[:1] if last and last[0] in words else ()), words[-1]):
        if word in ASKING:
            return Read("question", word)
        if word in VERBS:
            return Read("order", word)
    return Read("thing", "")


def is_participle(word: str) -> bool:
    """Whether a word is a past participle.

    >>> is_participle("created"), is_participle("sent"), is_participle("feed")
    (True, True, False)
    """
    return word in IRREGULAR or (len(word) > 4 and word.endswith("ed") and word not in NOT_PARTICIPLES)


def tells(names: list[str]) -> float:
    """The share of names that say more than what a thing is called, each with a verb in it.

    >>> tells(["order.placed", "order.shipped"]), tells(["card", "iban"])
    (1.0, 0.0)
    """
    return sum(mood(name).mood != "thing" for name in names) / len(names) if names else 0.0
