"""Tests against real brokers and real programs; also what starts and stops those brokers."""
