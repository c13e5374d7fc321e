"""Billing and shipping: two consumer groups of the Kafka topic `orders`."""
