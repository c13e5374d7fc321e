"""Starts recording in this process: called by the start-up ways in, by `attach`, and by OpenTelemetry's loader.

Almost nothing happens until the program imports a library that has a hook: then the recorder opens and the hook goes in.
"""

from __future__ import annotations

import os
import sys
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from msgtrace.hooks import FILES, TOPS
from msgtrace.importing import ImportWatch
from msgtrace.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from msgtrace.engine import Engine


class Tracer:
    """Recording in this process.

    Args:
        settings: what to do.

    Attributes:
        engine: the hooks; None until the first library with a hook was seen.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.engine: Engine | None = None
        self.failure = ""
        self._pid = os.getpid()
        wanted = {
            top for top, files in TOPS.items() if any(self._wants(file) for file in files)
        }
        self._watch = ImportWatch(self._importing, self._imported, wanted)

    def _wants(self, file: str) -> bool:
        settings = self.settings
        return file not in settings.ignore and (not settings.only or file in settings.only)

    def start(self) -> None:
        """Watch imports, and hook what has been imported already."""
        sys.meta_path.insert(0, self._watch)
        for top in TOPS:
            if top in sys.modules:
                self._watch.watch(self._importing(top))

    def stop(self) -> None:
        """Take everything out again."""
        if self._watch in sys.meta_path:
            sys.meta_path.remove(self._watch)
        if self.engine is not None:
            self.engine.restore()

    def _importing(self, top: str) -> Iterable[str]:
        modules: set[str] = set()
        try:
            engine = self._opened()
            if engine is not None:
                from msgtrace.engine import load  # noqa: PLC0415 - loaded when there is something to hook

                for file in TOPS[top]:
                    if self._wants(file):
                        modules.update(engine.add(load(file)))
        except Exception as error:  # noqa: BLE001 - the contract with the host program
            self._failed(error)
        return modules

    def _imported(self, module: str) -> None:
        if self.engine is not None:
            from msgtrace import threads  # noqa: PLC0415 - loaded with the engine
            from msgtrace.probe import opentelemetry_imported  # noqa: PLC0415

            threads.carry_causes(module)
            if module == OPENTELEMETRY:
                opentelemetry_imported()
            self.engine.imported(module)

    def _opened(self) -> Engine | None:
        """The engine, made with the recorder at the first need."""
        if self.engine is None and not self.failure:
            from pathlib import Path  # noqa: PLC0415 - as above

            from msgtrace import process, threads  # noqa: PLC0415
            from msgtrace.code_site import CodeSites  # noqa: PLC0415
            from msgtrace.engine import Engine  # noqa: PLC0415
            from msgtrace.interning import bind  # noqa: PLC0415
            from msgtrace.recorder import Recorder  # noqa: PLC0415

            settings = self.settings
            recorder = Recorder(
                Path(settings.spool),
                lambda: process.facts(settings.service),
                body_limit=settings.body_limit,
                segment_bytes=settings.segment_bytes,
                spool_limit=settings.spool_limit,
            )
            bind(recorder, settings)
            self.engine = Engine(recorder, CodeSites(recorder))
            threads.carry_causes("threading")
            self._watch.watch({OPENTELEMETRY})
            if threads.EXECUTORS in sys.modules:
                threads.carry_causes(threads.EXECUTORS)
            else:
                self._watch.watch({threads.EXECUTORS})
        return self.engine

    def _failed(self, error: Exception) -> None:
        if os.environ.get("MSGTRACE_RAISE") == "1":
            raise error
        if not self.failure:
            self.failure = f"{type(error).__name__}: {error}"
            import logging  # noqa: PLC0415 - the rare way

            logging.getLogger("msgtrace").warning("msgtrace records nothing in this process: %s", self.failure)


OPENTELEMETRY: Final = "opentelemetry.trace"
_HELPERS: Final = ("multiprocessing.resource_tracker", "multiprocessing.semaphore_tracker")
_active: Tracer | None = None


def start() -> Tracer | None:
    """Start recording, once, if the environment says so.

    Returns:
        what records; None when there is nowhere to record to, or this process is an interpreter's own helper.
    """
    global _active  # noqa: PLW0603 - one recorder a process is the point
    if _active is not None:
        return _active
    if any(helper in argument for argument in sys.orig_argv for helper in _HELPERS):
        return None
    settings = Settings.read()
    if not settings.spool or not PurePath(settings.spool).is_absolute():
        return None
    _active = Tracer(settings)
    _active.start()
    return _active


def active() -> Tracer | None:
    """What records in this process, or None."""
    return _active
