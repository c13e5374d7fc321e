"""Asks a server with urllib.request. Argument: its address."""

import sys
import urllib.request
from threading import Thread
from urllib.request import Request, urlopen

from account import BODY, did, seen, tell

base = sys.argv[1]


class Headed(Request):
    """As programs were written before `method=`."""

    def get_method(self) -> str:
        return "HEAD"


did("get", lambda: urlopen(f"{base}/orders/1?token=hidden", timeout=5).status)
did("post", lambda: urlopen(f"{base}/orders", BODY, timeout=5).read().decode())
did("put", lambda: urlopen(Request(f"{base}/orders", BODY, method="PUT"), timeout=5).status)
did("head", lambda: urlopen(Headed(f"{base}/orders"), timeout=5).status)
did("fails", lambda: urlopen(f"{base}/fails", timeout=5))
did("moved", lambda: urlopen(f"{base}/moved", timeout=5).url.partition("?")[2])
did("closes", lambda: urlopen(f"{base}/closes?q=hidden", timeout=5))
did("slow", lambda: urlopen(f"{base}/slow", timeout=0.3))
with urlopen(f"{base}/stream", timeout=5) as response:
    seen.append(["stream", response.read().decode()])
did("refused", lambda: urlopen("http://127.0.0.1:1/nobody?q=hidden", timeout=5))
proxied = urllib.request.build_opener(urllib.request.ProxyHandler({"http": base}))
did("proxied", lambda: proxied.open("http://ann:hidden@elsewhere:81/orders/9?q=hidden", timeout=5).status)
threads = [
    Thread(target=lambda: did("at once", lambda: urlopen(f"{base}/orders/2", timeout=5).status)) for _ in range(4)
]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
tell()
