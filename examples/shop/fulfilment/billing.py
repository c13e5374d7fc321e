"""The billing service: writes an invoice for every confirmed order.

Reads record by record; offsets are committed automatically.
"""

from shop.activity.log import ActivityLog
from shop.fulfilment.records import OrderRecord, decode, open_consumer, rounds
from shop.runtime import ledger, settings
from shop.runtime.lifecycle import announce_ready, stop_requested_in_thread


class Billing:
    """Numbers invoices and reports them to the activity log."""

    def __init__(self, log: ActivityLog | None) -> None:
        self._log = log
        self._issued = 0

    def on_order(self, record: OrderRecord) -> None:
        """Issue an invoice when the record says that an order is confirmed."""
        if record.kind != "order.confirmed":
            return
        self._issued += 1
        if self._log is not None:
            invoice = {"invoice_no": self._issued, "amount_cents": record.event["total_cents"]}
            self._log.add("invoice.issued", record.order_id, invoice)


def serve() -> None:
    """Bill orders until asked to stop and everything in the topic is read."""
    stop = stop_requested_in_thread()
    shop = settings.from_environment()
    if shop.kafka is None:
        raise SystemExit("billing: SHOP_KAFKA is not set: say where the event log is.")
    log = ActivityLog.open(shop.redis, shop) if shop.redis else None
    billing = Billing(log)
    consumer = open_consumer(shop.kafka, shop, "billing", auto_commit=True)
    announce_ready()
    for _round in rounds(consumer, stop):
        for record in consumer:  # ends when nothing comes for a while
            order = decode(record)
            ledger.received("kafka", record.topic, order.kind)
            billing.on_order(order)
    consumer.close()
    if log is not None:
        log.close()
    ledger.write("billing")


if __name__ == "__main__":
    serve()
