"""Commands that read a trace: each a small module, loaded when it is called. See `msgtrace.command_line`."""
