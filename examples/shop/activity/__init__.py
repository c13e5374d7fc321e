"""The shop's activity: a Redis stream that services write to, and the service that keeps the record."""
