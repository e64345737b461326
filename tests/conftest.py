"""Every test uses plugin names of its own: counts belong to the name."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import support
from hypothesis import settings

# How long an example takes says nothing on a busy machine; a hang is caught elsewhere.
settings.register_profile("here", deadline=None, print_blob=True)
settings.load_profile("here")

numbers = itertools.count()


@pytest.fixture
def name() -> str:
    """A plugin name that no other test uses."""
    return f"retry-{next(numbers)}"


@pytest.fixture
def make(name: str) -> Callable[..., Any]:
    """Makes plugins of this test's name."""

    def build(**options: Any) -> Any:
        return support.plugin(options.pop("name", name), **options)

    return build
