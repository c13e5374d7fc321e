"""Three machines with delay, loss and a link that is cut in mid-traffic: the central trace has all of it, once."""

from __future__ import annotations

import json
import shutil
import signal
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from integration.hosts import Host, available, hosts
from msgtrace.commands.target import environment
from msgtrace.settings import Settings
from msgtrace_collectors.forwarding.certificates import make
from msgtrace_collectors.trace import open_trace

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Iterator

PROGRAMS = Path(__file__).parent / "programs" / "staging"
PORT = 7443
# One row: what of the messages between the two is in the trace, and how much of it is linked.
COUNTS = """
    select
        count(*) filter (kind = 'send' and system = 'websocket') as sends,
        count(*) filter (kind = 'receive' and system = 'websocket') as receives,
        count(*) filter (kind = 'send' and system = 'pyee') as emitted,
        count(*) = count(distinct (process_id, sequence)) as once,
        count(distinct host) as hosts
    from operations
"""
LINKED = """
    select count(*) from links as l
    join operations as s on s.operation_id = l.send_id join operations as r on r.operation_id = l.receive_id
    where s.host <> r.host and l.certainty = 'exact'
"""


@dataclass(frozen=True, slots=True)
class Site:
    """Where the parts of one test are."""

    folder: Path
    memory: Path
    machines: list[Host]

    @property
    def db(self) -> Path:
        return self.folder / "trace.duckdb"

    def part(self, host: Host, command: str, *options: str) -> subprocess.Popen[str]:
        """A collector or forwarder of ours on a machine."""
        certificates = self.folder / "certificates"
        own = "central.test" if host.name == "central" else host.name
        return host.start(
            "-m", "msgtrace", command, "--spool", str(self.memory / host.name), *options,
            "--ca", f"{certificates}/ca.pem", "--certificate", f"{certificates}/{own}.pem",
            "--key", f"{certificates}/{own}.key", "--token-file", f"{certificates}/token",
        )  # fmt: skip

    def forwarder(self, host: Host) -> subprocess.Popen[str]:
        return self.part(host, "forward", "--to", f"10.77.0.1:{PORT}", "--server-name", "central.test")

    def program(self, host: Host, name: str, *arguments: str) -> subprocess.Popen[str]:
        variables = environment(Settings(service=name), self.memory / host.name)
        return host.start(str(PROGRAMS / f"{name}.py"), *arguments, env=variables)


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    if not available():
        pytest.skip("network namespaces can't be made here: root, iproute2 and /dev/net/tun are needed")
    memory = Path(tempfile.mkdtemp(prefix="msgtrace-test-", dir="/dev/shm"))
    with hosts("east", "west") as machines:
        for host in machines:
            (memory / host.name).mkdir(mode=0o700)
        make(tmp_path / "certificates", ("central.test", "east", "west"), 2)
        yield Site(tmp_path, memory, machines)
    shutil.rmtree(memory, ignore_errors=True)


def ended(process: subprocess.Popen[str], how: signal.Signals | None = None, timeout_s: float = 120) -> str:
    """What it wrote to standard output; its end must be a good one."""
    if how is not None:
        process.send_signal(how)
    out, error = process.communicate(timeout=timeout_s)
    assert process.returncode == 0, error
    return out


def drained(*spools: Path) -> None:
    """Wait until everything was sent on: a process that has ended and is stored leaves nothing."""
    until = time.monotonic() + 120
    while any(any(spool.glob("*/*.segment")) for spool in spools):
        assert time.monotonic() < until
        time.sleep(0.1)


def cut_in_mid_traffic(site: Site, seconds: float, cut_s: float) -> None:
    """Traffic between east and west for some seconds; both links to the central are cut for some of them."""
    central, east, west = site.machines
    links = [host.link for host in (east, west) if host.link is not None]
    with ExitStack() as stack:

        def kept(process: subprocess.Popen[str]) -> subprocess.Popen[str]:
            stack.callback(process.communicate)
            stack.callback(process.kill)
            return process

        collector = kept(site.part(central, "collect", "--db", str(site.db), "--listen", f"10.77.0.1:{PORT}"))
        forwarders = [kept(site.forwarder(host)) for host in (east, west)]
        serving = kept(site.program(west, "serving", west.address, "8765"))
        time.sleep(3)
        asking = kept(site.program(east, "asking", west.address, "8765", str(seconds)))
        time.sleep(seconds / 4)
        for link in links:
            link.cut = True
        time.sleep(cut_s / 2)
        # The central and one forwarder are killed while nobody can reach the other.
        collector.kill()
        forwarders[0].kill()
        collector = kept(site.part(central, "collect", "--db", str(site.db), "--listen", f"10.77.0.1:{PORT}"))
        forwarders[0] = kept(site.forwarder(east))
        time.sleep(cut_s / 2)
        for link in links:
            link.cut = False
        told = json.loads(ended(asking, timeout_s=seconds + 240)), json.loads(ended(serving))
        drained(site.memory / "east", site.memory / "west")
        for forwarder in forwarders:
            ended(forwarder, signal.SIGTERM)
        ended(collector, signal.SIGTERM)
    sent = told[0]["sent"]
    assert sent > 20
    assert (told[0]["answered"], told[1]["answered"]) == (sent, sent)
    with open_trace(site.db) as trace:
        (counts,) = trace.query(COUNTS).to_pylist()
        (linked,) = trace.query(LINKED).to_pylist()[0].values()
        losses = trace.query("select * from losses").to_pylist()
    # One more message says that it is over.
    assert counts == {"sends": 2 * sent + 1, "receives": 2 * sent + 1, "emitted": 2 * sent, "once": True, "hosts": 2}
    assert linked == 2 * sent + 1
    assert losses == []
    assert b"hunter2" not in site.db.read_bytes()


def test_a_link_that_is_cut(site: Site) -> None:
    cut_in_mid_traffic(site, seconds=4, cut_s=5)


@pytest.mark.soak
def test_a_link_that_is_cut_for_a_minute(site: Site) -> None:
    cut_in_mid_traffic(site, seconds=90, cut_s=60)
