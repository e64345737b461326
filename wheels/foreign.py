"""Runs the C test program with foreign libraries under qemu: wheels/foreign.py [FOLDER]

For aarch64, s390x (big-endian) and ppc64le: the library out of the wheel, tests/capi/drive.c
compiled for it, and Debian's C library for that machine. Skips, and says so, what the
machine has no qemu-user-static or no such package for.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

from cross import compiler
from targets import TARGETS, Target
from verify import find

ROOT = Path(__file__).resolve().parents[1]
DEBIAN = {"linux-aarch64": "arm64", "linux-s390x": "s390x", "linux-ppc64le": "ppc64el"}
QEMU = {"linux-aarch64": "aarch64", "linux-s390x": "s390x", "linux-ppc64le": "ppc64le"}


def run(*command: object, where: Path) -> str:
    ran = subprocess.run(
        [str(w) for w in command],
        cwd=where,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    return (
        ""
        if ran.returncode == 0
        else f"{' '.join(map(str, command))}: {ran.stdout[-1500:]}{ran.stderr[-1500:]}"
    )


def sysroot(target: Target, folder: Path) -> str:
    """Debian's C library for the target, without touching what is installed here."""
    state = folder / "apt"
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True)
    (state / "status").touch()
    apt = ["apt-get", "-qq", "-o", f"APT::Architecture={DEBIAN[target.name]}", "-o", f"APT::Architectures={DEBIAN[target.name]}",
           "-o", f"Dir::State::Lists={state}/lists", "-o", f"Dir::State::status={state}/status",
           "-o", f"Dir::Cache={state}/cache", "-o", "APT::Sandbox::User=root"]  # fmt: skip
    run(*apt, "update", where=folder)  # an index may fail to refresh: the download tells
    if fault := run(*apt, "download", "libc6", "libgcc-s1", where=folder):
        return fault
    for package in folder.glob("*.deb"):
        if fault := run("dpkg", "-x", package, folder / "root", where=folder):
            return fault
    linker = folder / "root/lib64/ld64.so.2"
    if linker.is_symlink():  # absolute in ppc64el's package
        linker.unlink()
        linker.symlink_to(next((folder / "root/lib").glob("*/ld64.so.2")))
    return ""


def drive(target: Target, wheel: Path, folder: Path) -> str:
    """Nothing, or what went wrong."""
    if fault := sysroot(target, folder):
        return fault
    with zipfile.ZipFile(wheel) as archive:
        library = Path(archive.extract(f"cpex_retry_with_backoff/{target.library}", folder))
    program = folder / "drive"
    if fault := run(*compiler(target), *target.cflags, "-std=c99", "-D_GNU_SOURCE", f"-I{ROOT}/capi", ROOT / "tests/capi/drive.c",
                    library, "-lpthread", "-o", program, where=folder):  # fmt: skip
        return fault
    return run(
        f"qemu-{QEMU[target.name]}-static",
        "-L",
        folder / "root",
        "-E",
        f"LD_LIBRARY_PATH={library.parent}",
        program,
        where=folder,
    )


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    failed = 0
    for target in TARGETS:
        if target.name not in QEMU:
            continue
        if not shutil.which(f"qemu-{QEMU[target.name]}-static") or not shutil.which("apt-get"):
            print(f"SKIPPED {target.name}: needs apt-get and qemu-user-static")
            continue
        with tempfile.TemporaryDirectory() as name:
            fault = drive(target, find(folder, target), Path(name))
        failed += bool(fault)
        print(
            f"{'FAILED' if fault else 'passed'}  the C test program on {target.name} under qemu {fault}",
            flush=True,
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
