"""gevent: handlers in greenlets of every making, switching in the middle of their work; the whole program patched."""

from gevent import monkey

monkey.patch_all()

import threading  # noqa: E402
import time  # noqa: E402
from concurrent.futures import ThreadPoolExecutor  # noqa: E402

import gevent  # noqa: E402
import gevent.pool  # noqa: E402
import gevent.threadpool  # noqa: E402
from account import Account, order_of  # noqa: E402
from pyee.base import EventEmitter  # noqa: E402

ORDERS = 10
emitter = EventEmitter()
account = Account(emitter)
handled: list[int] = []
late: list[gevent.Greenlet] = []
pool = gevent.pool.Pool(3)
native = gevent.threadpool.ThreadPool(2)


def step(way: str, order: int, pause: float = 0.001) -> None:
    time.sleep(pause)
    account.emit(way, order)
    gevent.sleep(0)
    account.emit(way, order)


def outliving(order: int) -> None:
    gone.wait()
    account.emit("outliving", order, over=True)


class Worker(gevent.Greenlet):
    def __init__(self, order: int) -> None:
        super().__init__()
        self.order = order

    def _run(self) -> None:
        step("Greenlet.run", self.order)


@emitter.on("order")
def handle(order: int) -> None:
    order_of.set(order)
    account.notes.setdefault("seen in a greenlet", []).append(gevent.spawn(order_of.get).get())
    step("itself", order)
    gevent.spawn(step, "spawn", order).join()
    gevent.spawn_later(0.001, step, "spawn_later", order).join()
    worker = Worker(order)
    worker.start()
    worker.join()
    pool.spawn(step, "Pool.spawn", order).join()
    pool.map(lambda way: step(way, order), ["Pool.map", "Pool.map"])
    gevent.joinall([gevent.spawn(step, "joinall", order) for _ in range(2)])
    thread = threading.Thread(target=step, args=("Thread", order))
    thread.start()
    thread.join()
    with ThreadPoolExecutor(1) as executor:
        executor.submit(step, "submit", order).result()
    account.notes.setdefault("seen in a native thread", []).append(native.apply(order_of.get))
    raw = gevent.spawn_raw(step, "spawn_raw", None)  # nothing tells of it
    while not raw.dead:
        gevent.sleep(0.001)
    late.append(gevent.spawn(outliving, order))
    account.emit("itself, at last", order)
    handled.append(order)


gone = gevent.event.Event()
greenlets = [gevent.spawn(emitter.emit, "order", order) for order in range(ORDERS)]
for _ in range(10):
    account.emit("outside", None)
    gevent.sleep(0.002)
gevent.joinall(greenlets, raise_error=True)
gone.set()
gevent.joinall(late, raise_error=True)
gevent.spawn(step, "outside, spawned", None).join()
account.notes["outside"] = None
account.tell()
