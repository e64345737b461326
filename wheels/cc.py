"""`zig cc` for one target, as Go wants a C compiler: cc.py ZIG_TARGET ARGUMENTS

Drops what Go asks for on macOS and a library without resolver does not need.
"""

from __future__ import annotations

import os
import sys


def arguments(target: str, given: list[str]) -> list[str]:
    """The command line of zig."""
    kept, skip = [], False
    for word in given:
        if skip:
            skip = False
        elif word == "-framework":
            skip = True
        elif word != "-lresolv":
            kept.append(word)
    return [sys.executable, "-m", "ziglang", "cc", "-target", target, *kept]


if __name__ == "__main__":
    command = arguments(sys.argv[1], sys.argv[2:])
    os.execv(command[0], command)
