"""The examples in docstrings of the analysis say what happens."""

from __future__ import annotations

import doctest
import importlib
import pkgutil

import msgtrace_analysis


def test_examples() -> None:
    tried = 0
    for module in pkgutil.walk_packages(msgtrace_analysis.__path__, "msgtrace_analysis."):
        result = doctest.testmod(importlib.import_module(module.name))
        assert result.failed == 0, module.name
        tried += result.attempted
    assert tried
