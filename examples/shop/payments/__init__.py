"""Payments: charges cards, from a RabbitMQ work queue where there is a broker."""
