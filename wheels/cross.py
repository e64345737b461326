"""Builds the wheels of all platforms on one Linux machine: wheels/cross.py [TARGET...]

Takes the native wheel apart, which setuptools made, and puts the binaries of each target
in the place of its own. Two runs in two folders give identical files.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
import time
import zipfile
from pathlib import Path

from targets import TARGETS, Target

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
PACKAGE = "cpex_retry_with_backoff"
EPOCH = int(os.environ.get("SOURCE_DATE_EPOCH", "315532800"))  # 1980-01-01, the zip's oldest
LIMITED = ("-DPy_LIMITED_API=0x030B0000", "-DPY_SSIZE_T_CLEAN")


def run(*command: object, cwd: Path = ROOT, **environment: str) -> str:
    """Runs a command or ends with what it said."""
    ran = subprocess.run([str(w) for w in command], cwd=cwd, env={**os.environ, **environment},
                         capture_output=True, text=True, check=False)  # fmt: skip
    if ran.returncode != 0:
        sys.exit(f"{' '.join(map(str, command))}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


def compiler(target: Target) -> list[str]:
    """The C compiler of a target."""
    if target.prefix:
        return [f"{target.prefix}gcc"]
    return [sys.executable, str(HERE / "cc.py"), target.zig]


def build_library(target: Target, folder: Path) -> Path:
    """libretry for a target."""
    out = folder / target.library
    external = {
        "linux": f"-s -Wl,--version-script={ROOT}/capi/libretry.map -Wl,--build-id=none",
        "windows": "-s -Wl,--no-insert-timestamp",
        "darwin": f"-Wl,-install_name,@rpath/{target.library} -Wl,-headerpad_max_install_names",
    }[target.goos]
    run("go", "build", "-trimpath", "-buildvcs=false", "-buildmode=c-shared",
        f"-ldflags=-s -w -buildid= -extldflags '{external}'", "-o", out, "./capi",
        CGO_ENABLED="1", GOOS=target.goos, GOARCH=target.goarch,
        CC=" ".join(compiler(target)), CGO_CFLAGS=" ".join(("-O2", "-g0", *target.cflags)),
        CGO_LDFLAGS=" ".join(target.cflags))  # fmt: skip
    out.with_suffix(".h").unlink()
    return out


def shim_source(folder: Path) -> Path:
    """What cffi makes of the shim: the same C for every platform."""
    source = folder / "_shim.c"
    code = "import sys; sys.path.insert(0, 'python/shim'); import shim_build; shim_build.ffi.emit_c_code(sys.argv[1])"
    run(sys.executable, "-c", code, source)
    return source


def build_shim(target: Target, source: Path, folder: Path) -> Path:
    """The shim for a target."""
    out, cc = folder / target.shim, compiler(target)
    flags = ["-std=c99", "-O2", "-g0", "-D_GNU_SOURCE", *LIMITED, *target.cflags, f"-ffile-prefix-map={ROOT}=.",
             f"-ffile-prefix-map={folder.parent}=.", f"-I{ROOT}/python/shim", f"-I{ROOT}/capi"]  # fmt: skip
    include = sysconfig.get_path("include")
    if target.goos == "windows":
        return build_windows_shim(target, source, folder, flags, include)
    link = ["-shared", "-fPIC", "-s", "-Wl,--build-id=none"]
    if target.goos == "darwin":
        link = [
            "-shared",
            "-fPIC",
            "-Wl,-undefined,dynamic_lookup",
            f"-Wl,-install_name,@rpath/{target.shim}",
        ]
    run(*cc, *flags, f"-I{include}", source, *link, "-o", out)
    return out


def build_windows_shim(target: Target, source: Path, folder: Path, flags: list[str], include: str) -> Path:  # fmt: skip
    """In two steps: what the object needs of Python becomes an import library of python3.dll."""
    headers = folder / "headers"  # a copy: Python.h takes the pyconfig.h beside it
    shutil.copytree(include, headers)
    (headers / "pyconfig.h").write_text((HERE / "windows_pyconfig.h").read_text())
    made, definition, imports = folder / "_shim.o", folder / "python3.def", folder / "libpython3.a"
    run(*compiler(target), *flags, f"-I{headers}", "-c", source, "-o", made)
    symbols = run(f"{target.prefix}nm", "--undefined-only", made).split()
    names = sorted({s.removeprefix("__imp_") for s in symbols if "Py" in s})
    data = ("Type", "Struct", "PyExc_")
    lines = [f"{n} DATA" if any(d in n for d in data) else n for n in names]
    definition.write_text("LIBRARY python3.dll\nEXPORTS\n" + "\n".join(lines) + "\n")
    # dlltool makes symbols out of the names it is given.
    run(
        f"{target.prefix}dlltool",
        "--temp-prefix",
        "python3",
        "-d",
        definition.name,
        "-l",
        imports.name,
        cwd=folder,
    )
    out = folder / target.shim
    run(
        *compiler(target),
        "-shared",
        "-s",
        "-Wl,--no-insert-timestamp",
        "-Wl,--image-base,0x180000000",
        made,
        imports,
        "-o",
        out,
    )
    return out


def sbom(target: Target) -> str:
    """What is inside the binaries, as CycloneDX."""
    version = run("go", "env", "GOVERSION").strip().removeprefix("go")
    modules = [
        line.split()
        for line in run("go", "list", "-m", "-f", "{{.Path}} {{.Version}}", "all").splitlines()
    ]
    linked = set(
        run("go", "list", "-deps", "-f", "{{with .Module}}{{.Path}}{{end}}", "./capi").split()
    )
    parts = [{"type": "library", "name": "go", "version": version, "licenses": [{"license": {"id": "BSD-3-Clause"}}],
              "purl": f"pkg:golang/std@{version}"}]  # fmt: skip
    parts += [{"type": "library", "name": m[0], "version": m[1], "licenses": [{"license": {"id": "MIT"}}],
               "purl": f"pkg:golang/{m[0]}@{m[1]}"} for m in modules if len(m) == 2 and m[0] in linked]  # fmt: skip
    document = {"bomFormat": "CycloneDX", "specVersion": "1.6", "version": 1,
                "metadata": {"component": {"type": "library", "name": f"libretry ({target.name})"}},
                "components": parts}  # fmt: skip
    return json.dumps(document, indent=1) + "\n"


def licences() -> dict[str, bytes]:
    """The licence files of what is linked in."""
    goroot = Path(run("go", "env", "GOROOT").strip())
    texts = {"Go.txt": (goroot / "LICENSE").read_bytes()}
    for line in run(
        "go", "list", "-deps", "-f", "{{with .Module}}{{.Path}} {{.Dir}}{{end}}", "./capi"
    ).splitlines():
        path, _, folder = line.partition(" ")
        if folder and Path(folder) != ROOT:
            texts[f"{path.rsplit('/', 1)[-1]}.txt"] = (Path(folder) / "LICENSE").read_bytes()
    return texts


def assemble(native: Path, target: Target, binaries: list[Path], dist: Path) -> Path:
    """The native wheel with other binaries, tag, licences and an SBOM."""
    with zipfile.ZipFile(native) as wheel:
        files = {name: wheel.read(name) for name in wheel.namelist()}
    info = next(name.split("/")[0] for name in files if name.endswith(".dist-info/WHEEL"))
    files = {
        n: b
        for n, b in files.items()
        if not n.endswith((".so", ".pyd", ".dll", ".dylib", "/RECORD"))
    }
    for binary in binaries:
        files[f"{PACKAGE}/{binary.name}"] = binary.read_bytes()
    tags = [f"Tag: cp311-abi3-{platform}" for platform in target.tag.split(".")]
    kept = [
        line
        for line in files[f"{info}/WHEEL"].decode().splitlines()
        if line and not line.startswith("Tag:")
    ]
    files[f"{info}/WHEEL"] = ("\n".join([*kept, *tags]) + "\n").encode()
    for name, text in licences().items():
        files[f"{info}/licenses/linked/{name}"] = text
    files[f"{info}/sboms/libretry.cdx.json"] = sbom(target).encode()
    return pack(
        files, info, dist / f"{info.removesuffix('.dist-info')}-cp311-abi3-{target.tag}.whl"
    )


def pack(files: dict[str, bytes], info: str, path: Path) -> Path:
    """A wheel whose bytes depend on nothing but its content."""
    rows = []
    for name, content in sorted(files.items()):
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(content)}")
    files[f"{info}/RECORD"] = ("\n".join([*rows, f"{info}/RECORD,,"]) + "\n").encode()
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as wheel:
        for name in sorted(files, key=lambda n: (".dist-info/" in n, n.endswith("/RECORD"), n)):
            entry = zipfile.ZipInfo(name, time.gmtime(EPOCH)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.create_system, entry.external_attr = 3, 0o100644 << 16
            wheel.writestr(entry, files[name])
    return path


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("targets", nargs="*", help=", ".join(t.name for t in TARGETS))
    parser.add_argument("--native", type=Path, required=True, help="the wheel that setuptools made")
    parser.add_argument("--dist", type=Path, default=ROOT / "dist")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        source = shim_source(Path(name))
        for target in TARGETS:
            if chosen.targets and target.name not in chosen.targets:
                continue
            begun, folder = time.monotonic(), Path(name) / target.name
            folder.mkdir()
            binaries = [build_library(target, folder), build_shim(target, source, folder)]
            path = assemble(chosen.native, target, binaries, chosen.dist)
            seconds = time.monotonic() - begun
            print(f"{path.name}: {path.stat().st_size:,} bytes, {seconds:.0f} s", flush=True)


if __name__ == "__main__":
    main()
