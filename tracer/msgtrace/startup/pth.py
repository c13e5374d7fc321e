"""Imported by `msgtrace.pth` where the wheel is installed: reaches what PYTHONPATH doesn't (`python -I`, `-E`)."""

from __future__ import annotations


def _start() -> None:
    try:
        from msgtrace.start import start  # noqa: PLC0415

        start()
    except Exception:  # noqa: BLE001 - said by sitecustomize, which comes next and fails in the same way
        return


_start()
