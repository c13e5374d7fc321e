"""Beside the traced processes: what they recorded becomes a trace file, and questions about it are answered."""
