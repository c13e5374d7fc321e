"""Serves a WSGI application with the standard library: wsgiref_server.py MODULE:NAME PORT."""

import importlib
import sys
from wsgiref.simple_server import make_server

module, _, name = sys.argv[1].partition(":")
with make_server("127.0.0.1", int(sys.argv[2]), getattr(importlib.import_module(module), name)) as server:
    server.serve_forever()
