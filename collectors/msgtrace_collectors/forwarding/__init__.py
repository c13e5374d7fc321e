"""Traces of several machines in one file: what a sidecar sends on, and how the central collector takes it."""
