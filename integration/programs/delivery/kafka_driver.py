"""A producer and a consumer group whose members have an effect and commit after it. Arguments: ledgers, broker, topic, fault.

`killed`: the first member is killed between the effect of message 5 and its commit, and a second takes over when the broker
has missed it. `joined`: a second member joins when the first has had ten, and more is sent when it has its share. `cut`: the
driver waits, with traffic going on, until the test has restarted the broker or set clocks, and says so by a file `go`.
`slow`: a message takes 30 ms; the member is ended before it has had them all.
"""

import subprocess
import sys
import time
from pathlib import Path

from kafka import KafkaAdminClient
from kafka.admin import NewTopic
from ledger import environment, noted

COUNT = 60
folder, broker, topic, fault = sys.argv[1:]
HERE = Path(__file__).parent


def start(role: str, *arguments: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, HERE / "kafka_party.py", folder, broker, topic, role, *arguments], env=environment(role)
    )


def until(what: str, count: int) -> None:
    deadline = time.monotonic() + 60
    while len({each["number"] for each in noted(what)}) < count:
        assert time.monotonic() < deadline, f"not {count} {what}"
        time.sleep(0.05)


admin = KafkaAdminClient(bootstrap_servers=broker)
admin.create_topics([NewTopic(topic, 2, 1), NewTopic(f"{topic}-done", 1, 1)])
admin.close()
members = [start("member", fault)]
producer = start("producer", "0", str(COUNT), "20" if fault == "cut" else "2")
if fault == "killed":
    assert members.pop().wait(60) < 0
    members = [start("member", "none")]
if fault == "cut":
    until("received", 10)
    print("ready", flush=True)
    while not (Path(folder) / "go").exists():
        time.sleep(0.05)
assert producer.wait(90) == 0
sent = COUNT
if fault == "joined":
    until("received", 10)
    members.append(start("member", "none"))
    until("ready", 2)
    sent += 30
    assert start("producer", str(COUNT), str(sent), "2").wait(60) == 0
if fault == "slow":
    until("received", 5)
    time.sleep(0.3)  # so that more is left waiting than was done
elif fault == "cut":
    until("received", sent)
    time.sleep(0.5)  # the last commit
else:
    until("committed", sent)
for member in members:
    member.terminate()
for member in members:
    member.wait(60)
