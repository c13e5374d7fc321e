"""kafka's tables: whatever they read of a message is what the extractor reads of it, and most messages they do read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import kafka.consumer.group
import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka.consumer.fetcher import ConsumerRecord
from kafka.producer.producer_batch import ProducerBatch
from kafka.structs import TopicPartition

from msgtrace.hooks.kafka_batches import appended
from msgtrace.hooks.kafka_consumer import iterated
from msgtrace.native import native, reason
from tests.tracer.tables import BODIES, BODY_LIMIT, EXAMPLES, HEADERS, Named, drawn, recorder

if TYPE_CHECKING:
    from msgtrace.recorder import Recorder

pytestmark = pytest.mark.skipif(native is None, reason=f"no compiled part: {reason}")
__all__ = ["recorder"]

CONFIG: Final = {
    "bootstrap_servers": "localhost", "client_id": "test", "transactional_id": None, "acks": 1, "group_id": "workers",
    "key_deserializer": None, "value_deserializer": None, "security_protocol": "PLAINTEXT",
}  # fmt: skip
CLIENT: Final = Named(cluster=Named(cluster_id="cluster"), config=CONFIG)


@given(BODIES, st.none() | st.binary(max_size=20), HEADERS, st.none() | st.integers(-1, 2**62), st.booleans())
@EXAMPLES
def test_a_record_that_is_appended(
    recorder: Recorder, body: Any, key: Any, headers: list[Any], time: int | None, has_owner: bool
) -> None:
    owner = Named(_sender=Named(_client=CLIENT), config=CONFIG) if has_owner else None
    batch: Any = ProducerBatch(TopicPartition("orders", 3), None)
    result = Named(args=(0, time, None, -1, 1, -1))
    drawn(recorder, appended, (result, owner), batch, time, key, body, headers)
    found = drawn(recorder, appended, (result, owner), batch, time, key, body, headers)
    if type(body) is bytes and len(body) <= BODY_LIMIT and ("odd",) not in headers:
        assert found is not None
    assert appended.drawn(recorder.pen, (None, owner), (batch, time, key, body, headers), {}) is None


def consumer(**config: Any) -> Any:
    made: Any = kafka.consumer.group.KafkaConsumer.__new__(kafka.consumer.group.KafkaConsumer)
    made._closed, made.config = True, CONFIG | config
    generation = Named(member_id="member", generation_id=1)
    made._coordinator = Named(_client=CLIENT, config=made.config, _generation=generation)
    return made


CONSUMERS: Final = [consumer(), consumer(value_deserializer=bytes.decode), consumer(group_id=None)]


@given(
    st.sampled_from(CONSUMERS),
    st.sampled_from(["orders", "bills"]),
    st.integers(0, 2),
    st.integers(0, 2**62),
    st.none() | st.integers(-1, 2**62),
    st.sampled_from([0, 1]),
    BODIES,
    HEADERS,
    st.none() | st.integers(-1, 5),
)
@EXAMPLES
def test_a_record_that_is_given_out(
    recorder: Recorder,
    by: Any,
    topic: str,
    partition: int,
    offset: int,
    time: Any,
    kind: int,
    body: Any,
    headers: list[Any],
    epoch: Any,
) -> None:
    record = ConsumerRecord(topic, partition, epoch, offset, time, kind, b"key", body, headers, None, 3, 4, -1)
    found = drawn(recorder, iterated, (record,), by)
    is_plain = kind == 0 and by is not CONSUMERS[1] and ("odd",) not in headers
    if is_plain and type(body) is bytes and len(body) <= BODY_LIMIT:
        assert found is not None
