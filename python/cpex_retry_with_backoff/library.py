"""Opens libretry: late, and again in every forked child that uses it.

See the comment in shim.c for why. Safe for concurrent use.
"""

import os
import platform
import sys
import sysconfig
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.machinery import ExtensionFileLoader, ModuleSpec
from importlib.util import module_from_spec
from pathlib import Path
from typing import Any

from .elf import why_unusable
from .errors import NativeLibraryError


def advice() -> str:
    """What to do where the native parts cannot be loaded."""
    host = str(sysconfig.get_config_var("HOST_GNU_TYPE"))
    if "musl" in host:
        return (
            f"This Python runs on musl ({host}, Alpine Linux perhaps), where a library written in "
            "Go cannot be loaded: use an image that is based on glibc, such as python:3.12-slim."
        )
    return "There is no Python fallback; install the wheel for this platform."


try:
    from . import _shim
except ImportError as error:  # pragma: no cover - tested by taking the file away
    raise NativeLibraryError(
        f"cpex-retry-with-backoff cannot load its native module _shim from "
        f"{Path(__file__).parent} on {sys.platform} {platform.machine()}: {error}. {advice()}"
    ) from error

ffi, lib = _shim.ffi, _shim.lib


def _load_hot() -> Any:
    """The functions of shim/hot.c, which are a second module in the file of _shim."""
    loader = ExtensionFileLoader(f"{__package__}._hot", _shim.__file__)
    module = module_from_spec(ModuleSpec(loader.name, loader, origin=_shim.__file__))
    loader.exec_module(module)
    return module


hot = _load_hot()

__all__ = ["OTHER_LIFE", "ensure_open", "ffi", "hot", "lib", "library_path", "lock"]

OTHER_LIFE: int = lib.SHIM_OTHER_LIFE
"""Answered by the shim for an engine from before a fork, or while nothing is open."""

_FILE_NAMES = {"win32": "libretry.dll", "darwin": "libretry.dylib"}

# One lock for each life: a child must not wait for a thread that only its parent has.
_locks: dict[int, threading.RLock] = {}


def library_path() -> Path:
    """The file that holds the engine."""
    return Path(__file__).with_name(_FILE_NAMES.get(sys.platform, "libretry.so"))


def lock() -> threading.RLock:
    """The lock of this process's life."""
    return _locks.setdefault(lib.shim_life(), threading.RLock())


def ensure_open() -> None:
    """Opens the library in this process if it is not open.

    Raises NativeLibraryError if the file is missing, broken or of another version.
    """
    with lock():
        if not lib.shim_is_open():
            path = library_path()
            if not path.is_file():
                raise _error(path, "the file is missing")
            if why := why_unusable(path, like=Path(_shim.__file__)):
                raise _error(path, why)
            if lib.shim_was_ever_open():
                _open_private_copy(path)
            elif why := _open(str(path)):
                raise _error(path, why)


def _open(path: str) -> str:
    """Returns why it did not work, or nothing."""
    why = ffi.new("char[]", 1024)
    failed = lib.shim_open(os.fsencode(path), why, len(why))
    return ffi.string(why).decode(errors="replace") if failed else ""


def _open_private_copy(path: Path) -> None:
    reasons = []
    for copy in (_memory_copy, _file_copy):
        try:
            with copy(path) as name:
                if not (why := _open(name)):
                    return
        except OSError as error:
            why = str(error)
        reasons.append(f"{copy.__name__}: {why}")
    raise _error(path, "a forked child needs a copy of its own; " + "; ".join(reasons))


@contextmanager
def _memory_copy(path: Path) -> Iterator[str]:
    """A copy without a file: nothing to leave behind, no writable folder needed.

    dlopen takes a name that it has seen in this process or in an ancestor for the
    library it loaded then. So the name grows with every life.
    """
    if not hasattr(os, "memfd_create"):
        raise OSError("this platform has no memfd_create")
    descriptor = os.memfd_create(path.name)
    try:
        with open(descriptor, "wb", closefd=False) as target:
            target.write(path.read_bytes())
        yield f"/proc/self/fd/{'./' * lib.shim_life()}{descriptor}"
    finally:
        os.close(descriptor)


@contextmanager
def _file_copy(path: Path) -> Iterator[str]:
    """A copy in a fresh folder, gone as soon as it is loaded."""
    prefix = f"cpex-retry-{os.getpid()}-{lib.shim_life()}-"
    with tempfile.TemporaryDirectory(prefix=prefix) as folder:
        target = Path(folder) / path.name
        target.write_bytes(path.read_bytes())
        yield str(target)


def _error(path: Path, why: str) -> NativeLibraryError:
    return NativeLibraryError(
        f"cpex-retry-with-backoff cannot use its native library {path} on "
        f"{sys.platform} {platform.machine()}: {why}. {advice()}"
    )
