"""Orders whose handlers work in threads and executors, some of which outlive them; and what has nothing to do with them."""

import _thread
import threading
from concurrent.futures import ThreadPoolExecutor, wait
from multiprocessing.pool import ThreadPool

from account import Account
from pyee.base import EventEmitter

emitter = EventEmitter()
account = Account(emitter)
go_on = threading.Event()
late: list[threading.Thread] = []
shared: ThreadPoolExecutor


class Worker(threading.Thread):
    def __init__(self, order: int) -> None:
        super().__init__(daemon=True)
        self.order = order

    def run(self) -> None:
        account.emit("Thread.run", self.order)
        inner = threading.Thread(target=account.emit, args=("Thread in a Thread", self.order))
        inner.start()
        inner.join()


def outliving(order: int) -> None:
    go_on.wait(30)
    account.emit("outliving", order, over=True)


@emitter.on("order")
def handle(order: int) -> None:
    for thread in (
        threading.Thread(target=account.emit, args=("Thread", order)),
        threading.Timer(0.001, account.emit, ("Timer", order)),
        Worker(order),
    ):
        account.notes.setdefault("attributes", set()).update(n for n in vars(thread) if "msgtrace" in n)
        thread.start()
        thread.join()
    with ThreadPoolExecutor(2) as own:
        wait([own.submit(account.emit, "submit", order) for _ in range(3)])
        list(own.map(lambda way: account.emit(way, order), ["map", "map"]))
    shared.submit(account.emit, "submit to a shared pool", order).result()
    shared.submit(lambda: shared.submit(account.emit, "submit in a pool", order)).result().result()
    late.append(threading.Thread(target=outliving, args=(order,)))
    late[-1].start()
    account.emit("itself", order)


with ThreadPoolExecutor(2) as shared:
    for number in range(5):
        emitter.emit("order", number)
        account.emit("outside", None)
        # By threads that were started in a handler.
        wait([shared.submit(account.emit, "submitted outside", None) for _ in range(4)])
    go_on.set()
    for thread in late:
        thread.join()
    with ThreadPool(2) as others:
        others.starmap(account.emit, [("ThreadPool", None)] * 4)
    thread = threading.Thread(target=account.emit, args=("Thread outside", None))
    thread.start()
    thread.join()
account.effects.append(["the very first of a thread", None, False])
ended = threading.Event()
emitter.on("the very first of a thread", lambda _: ended.set())
_thread.start_new_thread(emitter.emit, ("the very first of a thread", None))
ended.wait()
account.notes["attributes"] = sorted(account.notes["attributes"])
account.tell()
