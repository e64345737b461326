"""The platforms that wheels are built for, and with what."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """One platform. zig or prefix says which toolchain."""

    name: str
    tag: str
    """The wheel's platform tag: what is claimed of it."""
    goos: str
    goarch: str
    zig: str = ""
    """Target of `zig cc`, with the oldest glibc or macOS in it."""
    prefix: str = ""
    """Of a GNU cross toolchain: Debian's mingw."""
    cflags: tuple[str, ...] = ()
    """For the library and the shim."""
    library: str = "libretry.so"
    shim: str = "_shim.abi3.so"


def linux(arch: str, goarch: str, zig: str = "", cflags: tuple[str, ...] = ()) -> Target:
    """A Linux with glibc 2.17 or newer."""
    tag = f"manylinux_2_17_{arch}.manylinux2014_{arch}"
    return Target(f"linux-{arch}", tag, "linux", goarch, zig or f"{arch}-linux-gnu.2.17",
                  cflags=cflags)  # fmt: skip


TARGETS = (
    linux("x86_64", "amd64"),
    linux("aarch64", "arm64"),
    linux("s390x", "s390x"),
    # zig has no older glibc for it; with IEEE long double it would need a much newer one.
    linux("ppc64le", "ppc64le", "powerpc64le-linux-gnu.2.19", ("-mabi=ibmlongdouble",)),
    Target("win-amd64", "win_amd64", "windows", "amd64", prefix="x86_64-w64-mingw32-",
           library="libretry.dll", shim="_shim.pyd"),
    Target("macos-arm64", "macosx_11_0_arm64", "darwin", "arm64", "aarch64-macos.11.0",
           library="libretry.dylib"),
)  # fmt: skip
