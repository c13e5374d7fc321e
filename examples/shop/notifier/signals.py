"""The notifier's signals: what happens on its connections, for whoever wants to know."""

from blinker import Namespace

_signals = Namespace()

status_received = _signals.signal("status-received", doc="A service told an order's status: `status`.")
subscriber_joined = _signals.signal("subscriber-joined", doc="A client wants a topic: `topic`.")
subscriber_left = _signals.signal("subscriber-left", doc="A client is done with a topic: `topic`.")
delivery_confirmed = _signals.signal("delivery-confirmed", doc="A client has a status: `order_id`.")
