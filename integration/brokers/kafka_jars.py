"""The jars of Apache Kafka, named by integration/kafka/pom.xml, in the user's cache. Fetches when told."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

POM = Path(__file__).parent.parent / "kafka" / "pom.xml"


def version() -> str:
    """The version of Kafka that pom.xml names: the one place where it stands."""
    found = re.search(r"<kafka\.version>([^<]+)</kafka\.version>", POM.read_text(encoding="utf-8"))
    if found is None:
        raise ValueError(f"{POM} names no kafka.version")
    return found[1]


def folder() -> Path:
    """Where the jars are, or would be."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "msgtrace-tests" / f"kafka-{version()}"


def missing() -> str | None:
    """Says what keeps Kafka from starting natively, or None when nothing does."""
    if not shutil.which("java"):
        return "Java 17 or newer is not installed"
    return None if folder().is_dir() else f"Kafka's jars are not in {folder()}"


def fetch() -> Path:
    """Copies the jars into the cache through Maven; all of them or none.

    Raises:
        RuntimeError: Maven is not there, or failed; the message holds the end of what it said.
    """
    target = folder()
    if target.is_dir():
        return target
    if not shutil.which("mvn"):
        raise RuntimeError("Maven (`mvn`) is not installed; Kafka's jars come through it")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".fetching-") as fetching:
        jars = Path(fetching) / "jars"
        argv = ["mvn", "-q", "-B", "-f", str(POM), "dependency:copy-dependencies"]
        argv += ["-DincludeScope=runtime", f"-DoutputDirectory={jars}"]
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        if done.returncode != 0 or not any(jars.glob("kafka_*.jar")):
            raise RuntimeError(f"Maven could not fetch Kafka's jars: {(done.stdout + done.stderr).strip()[-600:]}")
        try:
            jars.rename(target)
        except OSError:
            # Somebody else was faster, which is just as well.
            if not target.is_dir():
                raise
    return target
