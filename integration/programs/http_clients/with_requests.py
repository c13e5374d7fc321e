"""Asks a server with requests. Argument: its address."""

import sys

import requests
from account import BODY, did, seen, tell

base = sys.argv[1]
with requests.Session() as session:
    did("get", lambda: session.get(f"{base}/orders/1?token=hidden", timeout=5).status_code)
    did("post", lambda: session.post(f"{base}/orders", data=BODY, timeout=5).json())
    did("fails", lambda: session.get(f"{base}/fails", timeout=5).status_code)
    did("moved", lambda: [each.status_code for each in session.get(f"{base}/moved", timeout=5).history])
    did("closes", lambda: session.get(f"{base}/closes?q=hidden", timeout=5))
    did("slow", lambda: session.get(f"{base}/slow", timeout=0.3))
    with session.get(f"{base}/stream", stream=True, timeout=5) as response:
        seen.append(["stream", b"".join(response.iter_content(None)).decode()])
did("refused", lambda: requests.get("http://127.0.0.1:1/nobody?q=hidden", timeout=5))
tell()
