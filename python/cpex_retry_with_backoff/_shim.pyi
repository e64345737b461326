"""What cffi makes of shim.c; see shim_build.py for the functions in lib."""

from typing import Any

ffi: Any
lib: Any
