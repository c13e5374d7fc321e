"""RabbitMQ by its management API (https://www.rabbitmq.com/docs/management), with GET alone.

Not read: bodies, users' password hashes, parameters of shovels and federation (they hold addresses with passwords).
"""

from __future__ import annotations

import base64
import json
import socket
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import urlencode

from msgtrace_collectors.inspection.found import Found, InspectionError, Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from msgtrace_collectors.inspection.found import Budget
    from msgtrace_collectors.inspection.target import Target

PAGE: Final = 500
"""The API allows no more on a page."""
MAX_ANSWER_BYTES: Final = 64 << 20
"""Bindings and consumers come in one answer."""
_STATE: Final = ("messages", "messages_ready", "messages_unacknowledged", "consumers", "message_bytes")


class _Refused(Exception):  # noqa: N818 - reads as what it is
    """The API said no to one question; its text says why."""


class Management:
    """The API of one broker.

    Args:
        target: its address.
        budget: of the whole inspection.
    """

    def __init__(self, target: Target, budget: Budget) -> None:
        self._budget = budget
        scheme = "https" if target.tls else "http"
        self._base = f"{scheme}://{target.authority}{target.path.rstrip('/')}/api/"
        secret = f"{target.user or 'guest'}:{'guest' if target.password is None else target.password}"
        self._headers = {"Authorization": "Basic " + base64.b64encode(secret.encode()).decode()}
        # What a proxy of the environment would be asked for, and told, is nobody's business but the broker's.
        self._opener = urllib.request.build_opener(urllib.request.ProxyHandler({}), _NoRedirect())

    def get(self, path: str) -> Any:
        """One answer.

        Raises:
            _Refused: it is not given.
            InspectionError: there is nobody, or no time.
        """
        request = urllib.request.Request(self._base + path, headers=self._headers)  # noqa: S310 - http or https
        left_s = self._budget.left_s()
        deadline = time.monotonic() + left_s
        try:
            with self._opener.open(request, timeout=left_s) as answer:
                content = bytearray()
                while chunk := answer.read1(1 << 16):
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise _Refused(f"the answer is larger than {MAX_ANSWER_BYTES >> 20} MB")
                    if time.monotonic() > deadline:
                        raise InspectionError(f"no whole answer within {left_s:.3g} s")
            return json.loads(content)
        except urllib.error.HTTPError as error:
            error.close()
            raise _Refused(_REFUSALS.get(error.code, f"HTTP {error.code}")) from None
        except (OSError, urllib.error.URLError) as error:
            raise InspectionError(_plain(error)) from None
        except ValueError:
            raise InspectionError("what answers there is no management API") from None

    def pages(self, path: str, total: list[int], **options: str) -> Iterator[dict[str, Any]]:
        """Everything on the pages of a list; `total` becomes how much there is."""
        page = 1
        while True:
            query = urlencode({"page": page, "page_size": PAGE, "pagination": "true", **options})
            answer = self.get(f"{path}?{query}")
            if not isinstance(answer, dict):  # an API of a time without pages
                total[:] = [len(answer)]
                yield from answer
                return
            total[:] = [int(answer.get("filtered_count", 0))]
            yield from answer.get("items", ())
            if page >= int(answer.get("page_count", 1)):
                return
            page += 1


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Whoever answers is not told the password for somebody else."""

    def redirect_request(self, req: Any, fp: Any, code: Any, msg: Any, headers: Any, newurl: Any) -> None:
        """No."""


_REFUSALS: Final = {
    401: "user or password is wrong (401)",
    403: "this user may not (403)",
    404: "there is no such thing (404)",
}


def _plain(error: Exception) -> str:
    reason = getattr(error, "reason", error)
    if isinstance(reason, TimeoutError | socket.timeout):
        return "it does not answer in time"
    return str(getattr(reason, "strerror", None) or reason or type(reason).__name__)


def inspect(target: Target, budget: Budget) -> Found:
    """Read a RabbitMQ.

    Raises:
        InspectionError: it can't be reached, or says no to everything.
    """
    api = Management(target, budget)
    found = Found("rabbitmq", target.server)
    try:
        overview = api.get("overview")
    except _Refused as error:
        raise InspectionError(str(error)) from None
    if not isinstance(overview, dict) or "rabbitmq_version" not in overview:
        raise InspectionError("what answers there is no management API of RabbitMQ")
    found.broker_id, found.version = str(overview.get("cluster_name", "")), str(overview["rabbitmq_version"])
    found.facts = {"listeners": _listeners(overview)}
    for name, path, read in _LISTS:
        _paged(api, found, budget.limit, name, path, read)
    for name, path, many in _WHOLE:
        try:
            answer = api.get(path)
        except _Refused as error:
            found.unreadable[name] = str(error)
        else:
            found.add((row for each in answer if (row := many(each)) is not None), name, budget.limit)
    return found


def _paged(api: Management, found: Found, limit: int, name: str, path: str, read: Any) -> None:
    total: list[int] = [0]
    taken = 0
    try:
        for each in api.pages(path, total):
            if taken >= limit:
                break
            found.rows.append(read(each))
            taken += 1
    except _Refused as error:
        found.unreadable[name] = str(error)
    if total[0] > taken:
        found.left_out[name] += total[0] - taken


def _listeners(overview: dict[str, Any]) -> list[str]:
    """Where the broker listens for AMQP: what programs have as their server."""
    return sorted({
        f"{each.get('protocol')}:{each.get('port')}"
        for each in overview.get("listeners", ())
        if str(each.get("protocol", "")).startswith("amqp")
    })  # fmt: skip


def _known(settings: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in settings.items() if value is not None}


def _exchange(each: dict[str, Any]) -> Row:
    names = ("durable", "auto_delete", "internal", "arguments", "policy")
    settings = {"action": "inspect", "exchange_type": each.get("type"), **{name: each.get(name) for name in names}}
    return Row("exchange", each["name"], _known(settings), virtual_host=each.get("vhost"))


def _queue(each: dict[str, Any]) -> Row:
    names = ("durable", "auto_delete", "exclusive", "arguments", "policy", "operator_policy", "node", "members")
    settings = {"action": "inspect", "queue_type": each.get("type"), **{name: each.get(name) for name in names}}
    settings["effective_policy"] = each.get("effective_policy_definition") or None
    settings["exclusive"] = bool(each.get("exclusive") or each.get("owner_pid_details"))
    state = {name: each[name] for name in _STATE if isinstance(each.get(name), int)}
    return Row("queue", each["name"], _known(settings) | {"state": state}, virtual_host=each.get("vhost"))


def _binding(each: dict[str, Any]) -> Row | None:
    if not each.get("source"):
        return None  # the default exchange's, which every queue has
    settings = {"action": "bind", "exchange": each["source"], "arguments": each.get("arguments") or {}}
    kind, key = each.get("destination_type", "queue"), each.get("routing_key", "")
    return Row(kind, each["destination"], settings, virtual_host=each.get("vhost"), routing_key=key)


def _consumer(each: dict[str, Any]) -> Row:
    queue, channel = each.get("queue") or {}, each.get("channel_details") or {}
    names = ("ack_required", "prefetch_count", "exclusive", "active", "activity_status", "arguments")
    settings = {"action": "consume", **{name: each.get(name) for name in names}, "user": channel.get("user")}
    tag = each.get("consumer_tag")
    return Row("queue", queue.get("name", ""), _known(settings), virtual_host=queue.get("vhost"), consumer_tag=tag)


def _policy(each: dict[str, Any]) -> Row:
    settings = {name: each.get(name) for name in ("pattern", "apply-to", "priority", "definition")}
    return Row("policy", each["name"], {"action": "inspect", **_known(settings)}, virtual_host=each.get("vhost"))


def _operator_policy(each: dict[str, Any]) -> Row:
    row = _policy(each)
    return Row("policy", row.channel, {**row.settings, "operator": True}, virtual_host=row.virtual_host)


def _permission(each: dict[str, Any]) -> Row:
    names = ("exchange", "configure", "write", "read")
    settings = {"action": "inspect", **{name: each.get(name) for name in names}}
    return Row("permission", each["user"], _known(settings), virtual_host=each.get("vhost"))


_LISTS: Final = (("exchanges", "exchanges", _exchange), ("queues", "queues", _queue))
_WHOLE: Final[tuple[tuple[str, str, Any], ...]] = (
    ("bindings", "bindings", _binding),
    ("consumers", "consumers", _consumer),
    ("policies", "policies", _policy),
    ("operator policies", "operator-policies", _operator_policy),
    ("permissions", "permissions", _permission),
    ("topic permissions", "topic-permissions", _permission),
)
