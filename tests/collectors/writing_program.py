"""Records operations with the real recorder, as fast as there is room for them, and says how many."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from msgtrace import records
from msgtrace.recorder import Recorder


def main(spool: Path, count: int) -> None:
    recorder = Recorder(spool, lambda: {"service": "writer", "host": "here", "pid": os.getpid()})
    point = recorder.number(records.POINTS, "send", ["library", "1", "redis", "send", "a:b"])
    channel = recorder.number(records.TEXTS, "events")
    thread = recorder.thread_number()

    def write(payload: bytes) -> None:
        while not recorder.write(payload):
            # A test wants every operation; a real program would go on and count the loss.
            recorder._dropped = 0
            time.sleep(0.001)

    for _ in range(count):
        sequence = recorder.next_sequence()
        body = b'{"n":%d,"text":"%s"}' % (sequence, b"x" * 150)
        message = {"channel": channel, "channel_kind": "stream", "body": body}
        write(recorder.encode((records.BEGIN, sequence, time.monotonic_ns(), point, thread, 0, None, 0, message)))
        write(recorder.encode((records.COMPLETE, sequence, time.monotonic_ns(), "ok", None, None, None)))
    print(count)


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
