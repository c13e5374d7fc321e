"""OpenTelemetry's protocol: services that it sees join the trace, and a trace is sent to what speaks it."""
