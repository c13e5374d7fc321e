"""The checks of connections to a server that resilience is scored by. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgtrace_analysis.passes.criteria import made

if TYPE_CHECKING:
    from msgtrace_analysis.findings import Criterion, Transport
    from msgtrace_analysis.passes.criteria import Known

DEFAULT_USERS: Final = frozenset({"guest", "admin", "default"})


def encryption(of: Transport, _: Known) -> Criterion:
    """Nothing goes over a network in the clear."""
    remedy = "connect with TLS"
    if of.local and of.encrypted != "yes":
        return made(
            "encryption",
            None,
            "{0} is on the same machine, which says nothing of where the system runs elsewhere.",
            (of.server,),
            remedy="record it where it runs",
            evidence=of.evidence,
        )
    share = {"yes": 1.0, "both": 0.5, "no": 0.0}.get(of.encrypted)
    return made(
        "encryption",
        share,
        "Connections to {0}: encrypted {1}.",
        (of.server, of.encrypted),
        remedy=remedy,
        evidence=of.evidence,
    )


def authentication(of: Transport, _: Known) -> Criterion:
    """Clients say who they are, and are not everybody."""
    if of.identified is None:
        return made(
            "authentication",
            None,
            "The client library does not tell how it is known to {0}.",
            (of.server,),
            remedy="look at the client's settings",
            evidence=of.evidence,
        )
    share = 0.0 if not of.identified else 0.5 if DEFAULT_USERS.intersection(of.principals) else 1.0
    named = bool(of.principals)
    return made(
        "authentication",
        share,
        "Clients are known to {0} as {1}." if named else "Clients give {0} no user's name.",
        (of.server, ", ".join(of.principals)) if named else (of.server,),
        remedy="give each service a user of its own",
        evidence=of.evidence,
    )
