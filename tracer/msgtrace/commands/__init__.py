"""Commands that need nothing but the tracer."""
