"""Builds the compiled part of the tracer into the wheel; without a C compiler the wheel is as complete, only slower.

MSGTRACE_BUILD_NATIVE=0 leaves it out, =1 makes its absence an error.
"""

from __future__ import annotations

import os
import shutil
import tempfile
import zlib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface
from setuptools import Distribution, Extension
from setuptools.command.build_ext import build_ext

MODULE = "msgtrace._native"
SOURCE = Path("tracer/msgtrace/_native.c")
"""It includes the files of the folder `compiled` beside it."""
FLAGS = [
    "-O3",
    "-std=c11",
    "-Wall",
    "-Wextra",
    "-Wno-missing-field-initializers",
    "-Wno-cast-function-type",
    "-fvisibility=hidden",
    "-g0",
]


class NativeBuildHook(BuildHookInterface):
    """Hatchling's hook: see `initialize`."""

    _folder = ""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Compile, and have the result packed; for an editable install it lies beside its source.

        Args:
            version: `standard` or `editable`.
            build_data: what hatchling packs.
        """
        wanted = os.environ.get("MSGTRACE_BUILD_NATIVE", "")
        if self.target_name != "wheel" or wanted == "0":
            return
        self._folder = tempfile.mkdtemp(prefix="msgtrace-build-")
        try:
            library = compiled(Path(self.root), Path(self._folder))
        except Exception as error:
            # Whatever a compiler can fail with: setuptools and its platforms have no common class of errors.
            if wanted == "1":
                raise
            self.app.display_warning(
                f"msgtrace: built without its compiled part, which makes recording cheaper: {error}"
            )
            return
        if version == "editable":
            beside = Path(self.root) / SOURCE.parent / library.name
            fresh = beside.with_suffix(".new")
            fresh.write_bytes(library.read_bytes())
            fresh.replace(beside)  # a program that runs keeps the one that it has loaded
        build_data["force_include"][str(library)] = f"msgtrace/{library.name}"
        build_data["pure_python"] = False
        build_data["infer_tag"] = True

    def finalize(self, version: str, build_data: dict[str, Any], artifact_path: str) -> None:  # noqa: ARG002 - hatchling's
        """Remove what the wheel has taken in."""
        if self._folder:
            shutil.rmtree(self._folder, ignore_errors=True)


def compiled(root: Path, folder: Path) -> Path:
    """Compile the module for the running interpreter; its file."""
    source = root / SOURCE
    # What `msgtrace.native` knows it by.
    parts = [source, *sorted(source.parent.glob("compiled/*.c"))]
    checksum = f"-DMSGTRACE_SOURCE={zlib.crc32(b''.join(each.read_bytes() for each in parts))}u"
    extension = Extension(MODULE, [str(source)], extra_compile_args=[*FLAGS, checksum])
    command = build_ext(Distribution({"name": "msgtrace", "ext_modules": [extension]}))
    command.build_lib = command.build_temp = str(folder)
    command.ensure_finalized()
    command.run()
    return Path(command.get_ext_fullpath(MODULE))
