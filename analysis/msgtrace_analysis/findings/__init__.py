"""What passes hand to renderers: frozen facts about a trace, each with its evidence. No behaviour beyond the types.

Times are nanoseconds since the epoch, UTC, as the traced processes' clocks told them; sizes are bytes; latencies are
milliseconds. Sites are `path:line`, relative to the folder that their process was started in where they lie under it.
"""

from __future__ import annotations

from dataclasses import dataclass

from msgtrace_analysis.findings.alerts import Alert, Alerts, Unwatched, Watch
from msgtrace_analysis.findings.behaviour import (
    Completeness,
    Failure,
    Loss,
    Observation,
    Outcomes,
    Practices,
    Reliability,
    Retries,
    Unlinked,
)
from msgtrace_analysis.findings.breakers import Breaker, Breakers
from msgtrace_analysis.findings.calls import Call
from msgtrace_analysis.findings.catalog import (
    Change,
    Contract,
    Difference,
    Elsewhere,
    Event,
    Field,
    Judgement,
    Kind,
    Parameter,
    Sizes,
    Verdict,
    Version,
)
from msgtrace_analysis.findings.conversations import (
    Compensation,
    Conversations,
    Cycle,
    Deviation,
    Fallback,
    LooseEnd,
    Request,
    Saga,
    SagaStep,
    Stuck,
    Transition,
)
from msgtrace_analysis.findings.dead_letters import DeadLetters, DeadRoute, Dropped, Poison
from msgtrace_analysis.findings.delivery import (
    Consumer,
    Duplicates,
    Guarantees,
    Lag,
    Missing,
    Order,
    Overtaken,
    Producer,
    Rebalance,
)
from msgtrace_analysis.findings.evidence import CERTAINTIES, Certainty, Evidence, Party, Place, weakest
from msgtrace_analysis.findings.executions import Execution, Moment
from msgtrace_analysis.findings.flows import Delivery, Flow, Hop, Latency, Step, Style, Target, Traffic, Variant
from msgtrace_analysis.findings.handlers import Handler
from msgtrace_analysis.findings.limits import Load, Pressure
from msgtrace_analysis.findings.rates import Backlog, Frequencies, Rate, Schedule, Scope
from msgtrace_analysis.findings.resilience import Criterion, Resilience, Score
from msgtrace_analysis.findings.retrying import (
    Attempt,
    DeclaredPolicy,
    Mechanism,
    ObservedPolicy,
    PolicyDifference,
    PolicyKind,
    Retrying,
    RetryPolicy,
    Then,
    Wait,
)
from msgtrace_analysis.findings.security import Access, Exposure, Hazard, Protection, Security, Transport
from msgtrace_analysis.findings.system import Client, HostClock, Recording, Server, Service, Stack
from msgtrace_analysis.findings.timelines import Timeline, Timelines
from msgtrace_analysis.findings.topology import (
    Binding,
    Channel,
    Check,
    DeadLetter,
    Gap,
    Inspection,
    Permission,
    Setting,
    Subscription,
    Topology,
)
from msgtrace_analysis.findings.uses import Header, Use

__all__ = [
    "CERTAINTIES",
    "Access",
    "Alert",
    "Alerts",
    "Attempt",
    "Backlog",
    "Binding",
    "Breaker",
    "Breakers",
    "Call",
    "Certainty",
    "Change",
    "Channel",
    "Check",
    "Client",
    "Compensation",
    "Completeness",
    "Consumer",
    "Contract",
    "Conversations",
    "Criterion",
    "Cycle",
    "DeadLetter",
    "DeadLetters",
    "DeadRoute",
    "DeclaredPolicy",
    "Delivery",
    "Deviation",
    "Difference",
    "Dropped",
    "Duplicates",
    "Elsewhere",
    "Event",
    "Evidence",
    "Execution",
    "Exposure",
    "Failure",
    "Fallback",
    "Field",
    "Findings",
    "Flow",
    "Frequencies",
    "Gap",
    "Guarantees",
    "Handler",
    "Hazard",
    "Header",
    "Hop",
    "HostClock",
    "Inspection",
    "Judgement",
    "Kind",
    "Lag",
    "Latency",
    "Load",
    "LooseEnd",
    "Loss",
    "Mechanism",
    "Missing",
    "Moment",
    "Observation",
    "ObservedPolicy",
    "Order",
    "Outcomes",
    "Overtaken",
    "Parameter",
    "Party",
    "Permission",
    "Place",
    "Poison",
    "PolicyDifference",
    "PolicyKind",
    "Practices",
    "Pressure",
    "Producer",
    "Protection",
    "Rate",
    "Rebalance",
    "Recording",
    "Reliability",
    "Request",
    "Resilience",
    "Retries",
    "RetryPolicy",
    "Retrying",
    "Saga",
    "SagaStep",
    "Schedule",
    "Scope",
    "Score",
    "Security",
    "Server",
    "Service",
    "Setting",
    "Sizes",
    "Stack",
    "Step",
    "Stuck",
    "Style",
    "Subscription",
    "Target",
    "Then",
    "Timeline",
    "Timelines",
    "Topology",
    "Traffic",
    "Transition",
    "Transport",
    "Unlinked",
    "Unwatched",
    "Use",
    "Variant",
    "Verdict",
    "Version",
    "Wait",
    "Watch",
    "weakest",
]


@dataclass(frozen=True, slots=True)
class Findings:
    """Everything that documents are made of."""

    recording: Recording
    stack: Stack
    events: tuple[Event, ...]
    contracts: tuple[Contract, ...]
    uses: tuple[Use, ...]
    traffic: tuple[Traffic, ...]
    flows: tuple[Flow, ...]
    conversations: Conversations
    topology: Topology
    reliability: Reliability
    completeness: Completeness
    practices: Practices
    frequencies: Frequencies
    retrying: Retrying
    dead_letters: DeadLetters
    observations: tuple[Observation, ...]
    guarantees: Guarantees
    security: Security
    breakers: Breakers
    resilience: Resilience
    alerts: Alerts
    timelines: Timelines
    executions: tuple[Execution, ...]
    handlers: tuple[Handler, ...] = ()
