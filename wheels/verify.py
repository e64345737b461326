"""Looks into the wheels of all platforms: wheels/verify.py [FOLDER]

Structure only; `make verify-wheels` also runs what can be run here. Prints a line per
check, exit code 0 only if none failed.
"""

from __future__ import annotations

import base64
import csv
import hashlib
import json
import re
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import lief
from targets import TARGETS, Target

ROOT = Path(__file__).resolve().parents[1]
VERSION = re.search(r'RETRY_VERSION "(.+)"', (ROOT / "capi/retry.h").read_text())[1]  # type: ignore[index]
FUNCTIONS = set(re.findall(r"^\w+ (retry_\w+)\(", (ROOT / "capi/retry.h").read_text(), re.M))
LIMIT = 2_500_000
MACHINES = {
    "linux-x86_64": "X86_64", "linux-aarch64": "AARCH64", "linux-s390x": "S390", "linux-ppc64le": "PPC64",
}  # fmt: skip
PLACES = rb"/root/|/home/|/tmp/|/work/|/Users/|[A-Z]:\\Users"
"""What a path of the machine that built looks like."""


def find(folder: Path, target: Target) -> Path:
    (path,) = folder.glob(f"*-cp311-abi3-{target.tag}.whl")
    return path


class Wheel:
    """One wheel, unpacked."""

    def __init__(self, path: Path, target: Target, folder: Path) -> None:
        self.path, self.target, self.folder = path, target, folder
        with zipfile.ZipFile(path) as wheel:
            wheel.extractall(folder)
            self.names = wheel.namelist()
        (self.info,) = folder.glob("*.dist-info")
        self.package = folder / "cpex_retry_with_backoff"

    def check_archive(self) -> Iterator[str]:
        """RECORD, tags, metadata, licences, SBOM, size."""
        rows = {
            row[0]: row[1:] for row in csv.reader((self.info / "RECORD").read_text().splitlines())
        }
        if set(rows) != set(self.names):
            yield f"RECORD and archive differ: {sorted(set(rows) ^ set(self.names))}"
        for name, (digest, size) in rows.items():
            content = (self.folder / name).read_bytes()
            hashed = (
                base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            )
            if digest and (digest != f"sha256={hashed}" or int(size) != len(content)):
                yield f"RECORD is wrong about {name}"
        tags = re.findall(r"^Tag: (.+)$", (self.info / "WHEEL").read_text(), re.M)
        if sorted(tags) != sorted(f"cp311-abi3-{t}" for t in self.target.tag.split(".")):
            yield f"tags are {tags}"
        if f"\nVersion: {VERSION}\n" not in (self.info / "METADATA").read_text():
            yield f"the version is not {VERSION}"
        entries = (self.info / "entry_points.txt").read_text()
        for wanted in (
            "[cpex.plugins]",
            "RetryWithBackoffPlugin",
            "cpex-retry = cpex_retry_with_backoff.cli:main",
        ):
            if wanted not in entries:
                yield f"{wanted} is not among the entry points"
        for licence, words in {"LICENSE": "Apache License", "linked/Go.txt": "The Go Authors",
                               "linked/go-json.txt": "MIT License"}.items():  # fmt: skip
            if words not in (self.info / "licenses" / licence).read_text():
                yield f"{licence} is no licence"
        parts = json.loads((self.info / "sboms/libretry.cdx.json").read_text())["components"]
        if [part["name"] for part in parts] != ["go", "github.com/goccy/go-json"]:
            yield f"the SBOM names {parts}"
        if self.path.stat().st_size > LIMIT:
            yield f"{self.path.stat().st_size:,} bytes are more than {LIMIT:,}"
        binaries = {
            p.name for p in self.package.rglob("*") if p.suffix in (".so", ".pyd", ".dll", ".dylib")
        }
        if binaries != {self.target.library, self.target.shim}:
            yield f"the binaries are {sorted(binaries)}"
        for name in sorted(binaries):
            if found := re.search(PLACES + rb"[^\0]{0,60}", (self.package / name).read_bytes()):
                yield f"{name} holds a path of the machine that built it: {found[0]!r}"

    def check_binaries(self) -> Iterator[str]:
        """What the loaders of the platform will look at."""
        library = lief.parse(str(self.package / self.target.library))
        shim = lief.parse(str(self.package / self.target.shim))
        yield from {"linux": self._elf, "windows": self._pe, "darwin": self._macho}[
            self.target.goos
        ](library, shim)

    def _elf(self, library: Any, shim: Any) -> Iterator[str]:
        for name, binary, wanted in (
            ("libretry", library, FUNCTIONS),
            ("shim", shim, {"PyInit__shim", "PyInit__hot"}),
        ):
            machine = binary.header.machine_type.name
            if machine != MACHINES[self.target.name]:
                yield f"{name} is for {machine}"
            exported = {
                s.name
                for s in binary.dynamic_symbols
                if s.exported and s.name not in ("_init", "_fini")
            }
            if exported != wanted:
                yield f"{name} exports {sorted(exported ^ wanted)} too much or too little"
            versions = {
                a.name
                for r in binary.symbols_version_requirement
                for a in r.get_auxiliary_symbols()
            }
            newer = [
                v
                for v in versions
                if tuple(map(int, v.removeprefix("GLIBC_").split("."))) > (2, 17)
            ]
            if newer:
                yield f"{name} needs {newer}"
            free = [s.name for s in binary.dynamic_symbols if s.imported and s.name and not s.name.startswith(("Py", "_Py"))
                    and not (s.has_version and s.symbol_version.has_auxiliary_version) and s.binding.name != "WEAK"]  # fmt: skip
            if free:
                yield f"{name} needs symbols of no version: {free}"
            needed = {e.name for e in binary.dynamic_entries if e.tag.name == "NEEDED"}
            if unknown := {
                n
                for n in needed
                if not re.match(r"lib(c|pthread|dl|m|resolv|rt)\.so|ld(64|-linux)", n)
            }:
                yield f"{name} needs {unknown}"
            if any(e.tag.name in ("RPATH", "RUNPATH") for e in binary.dynamic_entries):
                yield f"{name} has a search path"

    def _pe(self, library: Any, shim: Any) -> Iterator[str]:
        for name, binary, wanted in (
            ("libretry", library, FUNCTIONS),
            ("shim", shim, {"PyInit__shim", "PyInit__hot"}),
        ):
            if binary.header.machine.name != "AMD64":
                yield f"{name} is for {binary.header.machine.name}"
            exported = {e.name for e in binary.get_export().entries}
            if missing := wanted - exported:
                yield f"{name} does not export {sorted(missing)}"
            if binary.header.time_date_stamps:
                yield f"{name} holds the time it was built"
        imported = {i.name.lower() for i in shim.imports}
        if "python3.dll" not in imported or any(re.match(r"python3\d", i) for i in imported):
            yield f"the shim imports {imported}"

    def _macho(self, library: Any, shim: Any) -> Iterator[str]:
        for name, binary, wanted in (
            ("libretry", library, FUNCTIONS),
            ("shim", shim, {"PyInit__shim", "PyInit__hot"}),
        ):
            if binary.header.cpu_type.name != "ARM64":
                yield f"{name} is for {binary.header.cpu_type.name}"
            exported = {s.name.removeprefix("_") for s in binary.exported_symbols}
            if missing := wanted - exported:
                yield f"{name} does not export {sorted(missing)}"
            if binary.build_version.minos[:2] != [11, 0]:
                yield f"{name} needs macOS {binary.build_version.minos}"
            if not binary.has_code_signature:
                yield f"{name} is not signed"
        own = next((c.name for c in library.libraries if "libretry" in c.name), None)
        if own != f"@rpath/{self.target.library}":
            yield f"the install name is {own}"


def tools(path: Path, target: Target) -> Iterator[str]:
    """auditwheel and abi3audit."""
    python = [sys.executable, "-m"]
    ran = subprocess.run(
        [*python, "abi3audit", "--strict", str(path)], capture_output=True, text=True, check=False
    )
    if ran.returncode:
        yield f"abi3audit: {ran.stdout}{ran.stderr}"
    if target.goos == "linux":
        ran = subprocess.run(
            [*python, "auditwheel", "show", str(path)], capture_output=True, text=True, check=False
        )
        said = " ".join(ran.stdout.split())
        if ran.returncode or not re.search(r"(consistent|constrained).{0,80}manylinux", said):
            yield f"auditwheel: {said}{ran.stderr}"


def main() -> int:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else ROOT / "dist"
    failed = 0
    for target in TARGETS:
        with tempfile.TemporaryDirectory() as name:
            path = find(folder, target)
            wheel = Wheel(path, target, Path(name))
            faults = [*wheel.check_archive(), *wheel.check_binaries(), *tools(path, target)]
        failed += bool(faults)
        print(
            f"{'FAILED' if faults else 'passed'}  {target.name}: {path.stat().st_size:,} bytes"
            + "".join(f"\n        {f}" for f in faults)
        )
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
