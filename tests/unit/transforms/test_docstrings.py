from __future__ import annotations

import doctest
import importlib
import pkgutil

import pytest

import transforms

MODULES = [f"transforms.{module.name}" for module in pkgutil.iter_modules(transforms.__path__)]


@pytest.mark.parametrize("name", MODULES)
def test_examples_run(name):
    assert doctest.testmod(importlib.import_module(name)).failed == 0
