"""Looks at a library's ELF header before it is opened.

dlopen maps a file as its header says: one that is cut short kills the process with
SIGBUS instead of giving an error.
"""

import struct
from pathlib import Path
from typing import NamedTuple

_MAGIC = b"\x7fELF"


class Header(NamedTuple):
    """What of an ELF64 header matters here."""

    byte_order: str
    machine: int
    needed_bytes: int
    """The section table stands at the end: the file must reach to there."""


def read_header(path: Path) -> Header | None:
    """The header of a 64-bit ELF file; None for any other file."""
    with path.open("rb") as file:
        head = file.read(64)
    if len(head) < 64 or not head.startswith(_MAGIC) or head[4] != 2:
        return None
    order = "<" if head[5] == 1 else ">"
    (machine,) = struct.unpack_from(f"{order}H", head, 18)
    (sections_at,) = struct.unpack_from(f"{order}Q", head, 40)
    entry_bytes, entries = struct.unpack_from(f"{order}HH", head, 58)
    return Header(order, machine, sections_at + entry_bytes * entries)


def why_unusable(library: Path, like: Path) -> str:
    """Why library cannot be opened by a process that could open like; "" if it may be.

    Silent about files that are not ELF: the platform's loader has words for those.
    """
    own, header = read_header(like), read_header(library)
    if own is None or header is None:
        return ""
    if (header.byte_order, header.machine) != (own.byte_order, own.machine):
        return f"it is for another machine (ELF machine {header.machine}, here {own.machine})"
    size = library.stat().st_size
    if size < header.needed_bytes:
        return f"it is cut short ({size} of {header.needed_bytes} bytes)"
    return ""
