"""Analysis: a trace file to findings, findings to documents and quick looks. Reads traces, never writes one."""
