"""The shipping service: packs a parcel for every confirmed order.

Reads in batches, and commits a batch when it is packed.
"""

from shop.activity.log import ActivityLog
from shop.fulfilment.records import OrderRecord, decode, open_consumer, rounds, topic
from shop.runtime import ledger, settings
from shop.runtime.lifecycle import announce_ready, stop_requested_in_thread

BATCH = 20


class Shipping:
    """Packs parcels and reports them to the activity log."""

    def __init__(self, log: ActivityLog | None) -> None:
        self._log = log

    def on_order(self, record: OrderRecord) -> None:
        """Pack a parcel when the record says that an order is confirmed."""
        if record.kind != "order.confirmed" or self._log is None:
            return
        pieces = sum(item["quantity"] for item in record.event["items"])
        self._log.add("parcel.packed", record.order_id, {"pieces": pieces, "carrier": "bicycle"})


def serve() -> None:
    """Ship orders until asked to stop and everything in the topic is read."""
    stop = stop_requested_in_thread()
    shop = settings.from_environment()
    if shop.kafka is None:
        raise SystemExit("shipping: SHOP_KAFKA is not set: say where the event log is.")
    log = ActivityLog.open(shop.redis, shop) if shop.redis else None
    shipping = Shipping(log)
    consumer = open_consumer(shop.kafka, shop, "shipping", auto_commit=False)
    announce_ready()
    for wait in rounds(consumer, stop):
        batches = consumer.poll(timeout_ms=wait, max_records=BATCH)
        for records in batches.values():
            for record in records:
                order = decode(record)
                ledger.received("kafka", record.topic, order.kind)
                shipping.on_order(order)
        if batches:
            consumer.commit()
            ledger.settled("kafka", topic(shop), "commit")
    consumer.close()
    if log is not None:
        log.close()
    ledger.write("shipping")


if __name__ == "__main__":
    serve()
