"""How a traced process begins to record, before its program's first line: through PYTHONPATH, or through a .pth file."""
