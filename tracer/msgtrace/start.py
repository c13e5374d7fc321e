"""Starts recording in this process: called by the start-up ways in, by `attach`, and by OpenTelemetry's loader.

Almost nothing happens until the program imports a library that has a hook: then the recorder opens and the hook goes
in. What is imported up to there is paid by every interpreter that the program starts: `typing` alone would double it.
"""

from __future__ import annotations

import os
import sys

from msgtrace.hooks import TOPS
from msgtrace.importing import ImportWatch

TYPE_CHECKING = False  # as typing has it, which is not imported here
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from typing import Final

    from msgtrace.engine import Engine
    from msgtrace.hook import Hook
    from msgtrace.recorder import Recorder
    from msgtrace.settings import Settings

OPENTELEMETRY: Final = "opentelemetry.trace"
GREENLETS: Final = "gevent.greenlet"
AT_FIRST_CALL: Final = "urllib.request"
TESTED_BY: Final = "MSGTRACE_TESTED_BY"
"""Which process's tests have started this one, perhaps by others' hands."""
_HELPERS: Final = ("from multiprocessing.resource_tracker ", "from multiprocessing.semaphore_tracker ")
_SEQUENCES_APART: Final = 1_000_000
"""Between two recordings of one process: what was in flight when the first one ended takes a few more of its numbers."""
_active: Tracer | None = None
_last_sequence = 0


class Tracer:
    """Recording in this process.

    Args:
        settings: what to do; by default what the environment says when the first library is met.
        conceal: called after anything of ours was imported, where the program may not see what we imported.
        left: asked when a segment is full whether nobody reads any more; then everything is taken out again.

    Attributes:
        engine: the hooks; None until the first library with a hook was seen.
        recorder: what the hooks record with; None as long.
        failure: why nothing is recorded here; '' as long as there is no reason.
        over: it was stopped, and records nothing any more.
        attached: it was begun from outside, in the middle of the program's life.
    """

    def __init__(
        self,
        settings: Settings | None = None,
        conceal: Callable[[], None] | None = None,
        left: Callable[[], bool] | None = None,
    ) -> None:
        self.engine: Engine | None = None
        self.recorder: Recorder | None = None
        self.failure = ""
        self.over = False
        self.attached = left is not None
        self._settings = settings
        self._conceal = conceal
        self._left = left
        self._watch = ImportWatch(self._importing, self._imported, TOPS)

    def start(self) -> None:
        """Watch imports, and hook what has been imported already."""
        sys.meta_path.insert(0, self._watch)
        for top in TOPS:
            if top in sys.modules:
                self._watch.watch(self._importing(top))
        own_bus = sys.modules.get("msgtrace.own_bus")
        if own_bus is not None:
            self.add_own(own_bus.hooks())

    def find(self) -> None:
        """Record what the program had subscribed to and connected before."""
        try:
            if self.engine is not None:
                self.engine.find()
        except Exception as error:  # noqa: BLE001 - the contract with the host program
            self._failed(error)
        self._hide()

    def stop(self, *, wait: bool = True) -> None:
        """Take everything out again, and record no more: a tracer is started once.

        Args:
            wait: False where another thread that is just hooking something must not be waited for; it is `over` if it was done.
        """
        global _last_sequence  # noqa: PLW0603 - a process counts on, whoever records
        if self.over or (self.engine is not None and not self.engine.restore(wait=wait)):
            return
        self.over = True
        if self._watch in sys.meta_path:
            sys.meta_path.remove(self._watch)
        if "msgtrace.first_call" in sys.modules:
            from msgtrace import first_call  # noqa: PLC0415 - loaded when the program has imported urllib.request

            first_call.stop_waiting()
        if self.engine is not None:
            from msgtrace import greenlets, kept_context, threads  # noqa: PLC0415 - loaded with the engine

            threads.release_causes()
            greenlets.release_causes()
            kept_context.release_contexts()
        if self.recorder is not None:
            _last_sequence = self.recorder.next_sequence()
            self.recorder.close()

    def _turned(self) -> None:
        """End where nobody reads any more. In the middle of a call of the program's: nothing is waited for."""
        if self._left is not None and self._left():
            self.stop(wait=False)

    def _importing(self, top: str) -> Iterable[str]:
        if top != AT_FIRST_CALL:
            return self._add(TOPS[top])
        if getattr(getattr(sys.modules.get(top), "__spec__", None), "_initializing", True):
            return (top,)
        self._imported(top)
        return ()

    def _add(self, files: Iterable[str]) -> Iterable[str]:
        """Put hooks in; the modules that they wait for."""
        modules: set[str] = set()
        if self.over:
            return modules
        try:
            wanted = [file for file in files if self._wants(file)]
            engine = self._opened() if wanted else None
            if engine is not None:
                from msgtrace.engine import load  # noqa: PLC0415 - loaded when there is something to hook

                for file in wanted:
                    modules.update(engine.add(load(file)))
        except Exception as error:  # noqa: BLE001 - the contract with the host program
            self._failed(error)
        self._hide()
        return modules

    def add_own(self, hooks: Iterable[Hook]) -> None:
        """Put in the hooks of buses that the program has declared (`msgtrace.bus`)."""
        try:
            engine = self._opened() if not self.over and self._wants("") else None
            if engine is not None:
                for hook in hooks:
                    engine.add(hook)
        except Exception as error:  # noqa: BLE001 - the contract with the host program
            self._failed(error)
        self._hide()

    def call(self, service: str) -> None:
        """Give this process a service's name, unless it has one or has recorded already."""
        if self.recorder is None and self._wants("") and self._settings is not None and not self._settings.service:
            from msgspec.structs import replace  # noqa: PLC0415 - few processes are renamed

            self._settings = replace(self._settings, service=service)

    def mark(self, test: str, outcome: str | None = None) -> None:
        """Note that a test begins in this process, or, with an outcome, how it ended.

        Processes that it starts from now on say that it was this one which started them.
        """
        if self.over:
            return
        try:
            if self._wants("") or self.recorder is None:
                self._opened()
            if self.recorder is not None:
                from msgtrace.context import CURRENT  # noqa: PLC0415 - loaded with the engine

                self.recorder.mark(test, outcome)
                CURRENT.set(None)  # what one test has fetched is not why the next one does anything
                os.environ[TESTED_BY] = self.recorder.process_id.hex()
        except Exception as error:  # noqa: BLE001 - the contract with the host program
            self._failed(error)

    def _first_call(self) -> None:
        self._add(TOPS[AT_FIRST_CALL])

    def _imported(self, module: str) -> None:
        try:
            if module == AT_FIRST_CALL:
                from msgtrace import first_call  # noqa: PLC0415 - many programs don't come here

                first_call.await_first_call(self._first_call)
                return
            if self.engine is None or self.over:
                return
            from msgtrace.probe import opentelemetry_imported  # noqa: PLC0415 - loaded with the engine

            _carry_causes(module)
            if module == OPENTELEMETRY:
                opentelemetry_imported()
            self.engine.imported(module)
        except Exception as error:  # noqa: BLE001 - the contract with the host program
            self._failed(error)
        self._hide()

    def _hide(self) -> None:
        if self._conceal is not None:
            self._conceal()

    def _wants(self, file: str) -> bool:
        if self._settings is None:
            from msgtrace.settings import Settings  # noqa: PLC0415 - most interpreters never come here

            self._settings = Settings.read()
        settings = self._settings
        return file not in settings.ignore and (not settings.only or file in settings.only)

    def _opened(self) -> Engine | None:
        """The engine, made with the recorder at the first need."""
        if self.engine is None and not self.failure and self._settings is not None:
            from msgtrace import kept_context, process, threads  # noqa: PLC0415 - as above
            from msgtrace.code_site import CodeSites  # noqa: PLC0415
            from msgtrace.engine import Engine  # noqa: PLC0415
            from msgtrace.interning import bind  # noqa: PLC0415
            from msgtrace.recorder import Recorder  # noqa: PLC0415

            settings = self._settings
            if "MSGTRACE_LEND" not in os.environ and not self.attached:
                # `run` or `attach` made it, and has taken it away at the end: then nobody reads it any more.
                os.makedirs(settings.spool, mode=0o700, exist_ok=True)  # noqa: PTH103 - pathlib is not imported at start
            recorder = self.recorder = Recorder(
                settings.spool,
                lambda: process.facts(settings.service, settings.sample),
                body_limit=settings.body_limit,
                segment_bytes=settings.segment_bytes,
                spool_limit=settings.spool_limit,
                last_sequence=_last_sequence and _last_sequence + _SEQUENCES_APART,
                turned=self._turned if self.attached else None,
            )
            bind(recorder, settings)
            self.engine = Engine(recorder, CodeSites(recorder))
            kept_context.keep_contexts()
            threads.carry_causes("threading")
            self._watch.watch({OPENTELEMETRY})
            for module in (threads.EXECUTORS, GREENLETS):
                if module in sys.modules:
                    _carry_causes(module)
                else:
                    self._watch.watch({module})
        return self.engine

    def _failed(self, error: Exception) -> None:
        if os.environ.get("MSGTRACE_RAISE") == "1":
            raise error
        if not self.failure:
            self.failure = f"{type(error).__name__}: {error}"
            note(f"{sys.executable} (pid {os.getpid()}): {self.failure}")


def _carry_causes(module: str) -> None:
    """Have the cause follow the program's work into what a module runs it in."""
    if module == GREENLETS:
        from msgtrace import greenlets  # noqa: PLC0415 - few programs have any

        greenlets.carry_causes()
    else:
        from msgtrace import threads  # noqa: PLC0415 - loaded with the engine

        threads.carry_causes(module)


def start(conceal: Callable[[], None] | None = None) -> Tracer | None:
    """Start recording, once, if the environment says so.

    Args:
        conceal: see `Tracer`.

    Returns:
        what records; None when there is nowhere to record to, or this process is an interpreter's own helper.
    """
    global _active  # noqa: PLW0603 - one recorder a process is the point
    if _active is not None:
        return _active
    if not os.environ.get("MSGTRACE_SPOOL", "").startswith("/") or sys.orig_argv[-1].startswith(_HELPERS):
        return None
    _active = Tracer(conceal=conceal)
    _active.start()
    return _active


def start_with(
    settings: Settings, conceal: Callable[[], None] | None = None, left: Callable[[], bool] | None = None
) -> Tracer:
    """Start recording with given settings, in a process that runs already.

    What the program has imported is hooked where it stands: its classes, so that what it has made of them is covered.

    Args:
        settings: what to do.
        conceal: see `Tracer`.
        left: see `Tracer`.

    Raises:
        RuntimeError: this process is being recorded.
    """
    global _active  # noqa: PLW0603 - as above
    if _active is not None and not _active.over:
        raise RuntimeError("this process is being recorded already")
    _active = Tracer(settings, conceal, left)
    _active.start()
    return _active


def stop() -> Tracer | None:
    """Stop recording: every function is put back, and nothing more is written. It can be started again.

    Returns:
        what recorded, for what became of its hooks (`engine.placed`) and for `failure`; None when nothing did.
    """
    global _active
    stopped, _active = _active, None
    if stopped is not None:
        stopped.stop()
    return stopped


def active() -> Tracer | None:
    """What records in this process, or None."""
    return _active


def note(text: str) -> None:
    """Tell `msgtrace run` why this process is not recorded; it shows the note when the program has ended."""
    spool = os.environ.get("MSGTRACE_SPOOL")
    if spool:
        try:
            with open(f"{spool}/note-{os.getpid()}", "w", encoding="utf-8") as file:  # noqa: PTH123 - pathlib is not imported at start
                file.write(text)
        except OSError:
            # Nobody reads notes where the spool can't be written to: the log is the last place to say it.
            import logging  # noqa: PLC0415 - the rare way

            logging.getLogger("msgtrace").warning("msgtrace records nothing in this process: %s", text)
