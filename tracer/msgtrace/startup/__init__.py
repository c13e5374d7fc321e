"""How a traced process begins to record, before its program's first line: by PYTHONPATH, or by a .pth file."""
