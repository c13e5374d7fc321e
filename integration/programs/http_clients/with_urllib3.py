"""Asks a server with urllib3. Argument: its address."""

import sys
from http import HTTPMethod

import urllib3
from account import BODY, did, seen, tell
from urllib3.util import Retry

base = sys.argv[1]
pools = urllib3.PoolManager(timeout=5, retries=Retry(connect=2, read=False, backoff_factor=0))
did("get", lambda: pools.request(HTTPMethod.GET, f"{base}/orders/1?token=hidden").status)
did("post", lambda: pools.request("post", f"{base}/orders", body=BODY).json())
did("fails", lambda: pools.request("GET", f"{base}/fails").status)
did("moved", lambda: pools.request("GET", f"{base}/moved").geturl())
did("closes", lambda: pools.request("GET", f"{base}/closes?q=hidden"))
did("slow", lambda: pools.request("GET", f"{base}/slow", timeout=0.3))
response = pools.request("GET", f"{base}/stream", preload_content=False)
seen.append(["stream", b"".join(response.stream()).decode()])
response.release_conn()
did("refused", lambda: pools.request("GET", "http://127.0.0.1:1/nobody?q=hidden"))
# What a pool itself does: it follows, and it tries again.
pool = urllib3.connection_from_url(base)
did("pool moved", lambda: pool.urlopen("GET", "/moved").status)
again = Retry(total=2, status_forcelist=[503], backoff_factor=0)
did("again", lambda: pool.urlopen("GET", "/fails", retries=again))
tell()
