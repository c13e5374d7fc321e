"""Reads live brokers, and only reads: what is set up there, and what waits there now."""
