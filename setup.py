"""Builds the native parts: the cffi shim (C) and libretry (Go). The rest is in pyproject.toml."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent
HEADER = (ROOT / "capi" / "retry.h").read_text(encoding="utf-8")
VERSION = re.search(r'#define RETRY_VERSION "(.+)"', HEADER)[1]
GO_NEEDED = re.search(r"^go (\S+)", (ROOT / "go.mod").read_text(encoding="utf-8"), re.M)[1]
LIBRARY = {"win32": "libretry.dll", "darwin": "libretry.dylib"}.get(sys.platform, "libretry.so")


def need(tool: str, names: list[str], hint: str) -> str:
    """Finds a build tool or ends the build with one readable line."""
    for name in names:
        if name and (found := shutil.which(name)):
            return found
    sys.exit(
        f"\ncpex-retry-with-backoff: cannot build, {tool} is missing (looked for: "
        f"{', '.join(filter(None, names))} on PATH). {hint}\n"
        "On a platform with a wheel nothing is built: pip install --only-binary :all: "
        "cpex-retry-with-backoff\n"
    )


def check_tools() -> tuple[str, str]:
    """The Go command and the C compiler, or a readable end."""
    go = need(
        "Go", [os.environ.get("GO", "go")], f"Install Go {GO_NEEDED} or newer: https://go.dev/dl"
    )
    said = subprocess.run([go, "env", "GOVERSION"], capture_output=True, text=True, cwd=ROOT)
    version = re.match(r"go(\d+)\.(\d+)", said.stdout)
    wanted = tuple(int(n) for n in GO_NEEDED.split(".")[:2])
    if version and tuple(int(n) for n in version.groups()) < wanted:
        sys.exit(
            f"\ncpex-retry-with-backoff: cannot build, Go {GO_NEEDED} or newer is needed, "
            f"{go} is {said.stdout.strip()}.\n"
        )
    configured = (os.environ.get("CC") or sysconfig.get_config_var("CC") or "").split()
    compiler = need(
        "a C compiler",
        [*configured[:1], "gcc", "clang", "cc"],
        "Install gcc or clang (C99), for example: apt-get install gcc",
    )
    return go, compiler


class Build(build_ext):
    """Compiles the shim, then libretry beside it."""

    def run(self) -> None:
        self.go, self.compiler_path = check_tools()
        super().run()
        self.build_library(Path(self.get_ext_fullpath(self.extensions[0].name)).parent)

    def build_extension(self, ext: Extension) -> None:
        if self.compiler.compiler_type == "unix":
            self.use_no_paths_of_this_machine()
            ext.extra_compile_args += [
                "-std=c99",
                "-D_GNU_SOURCE",
                "-Wall",
                "-g0",
                f"-ffile-prefix-map={ROOT}=.",
            ]
        super().build_extension(ext)

    def use_no_paths_of_this_machine(self) -> None:
        """A pyenv Python puts its RUNPATH and -L into every extension."""
        self.compiler.linker_so = [
            word for word in self.compiler.linker_so if not word.startswith(("-Wl,-rpath", "-L"))
        ]
        if not shutil.which(self.compiler.linker_so[0]):  # the compiler Python was built with
            self.compiler.compiler_so[0] = self.compiler.linker_so[0] = self.compiler_path
        if sys.platform != "darwin":
            self.compiler.linker_so += ["-Wl,-s", "-Wl,--build-id=none"]

    def build_library(self, folder: Path) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / LIBRARY
        link = "-s -w -buildid="
        if sys.platform.startswith("linux"):
            exports = f"-Wl,--version-script={ROOT}/capi/libretry.map"
            link += f" -extldflags '{exports} -Wl,--build-id=none'"
        command = [
            self.go,
            "build",
            "-trimpath",
            "-buildvcs=false",
            "-buildmode=c-shared",
            f"-ldflags={link}",
            "-o",
            str(target),
        ]
        environment = {**os.environ, "CGO_ENABLED": "1"}
        environment.setdefault("CC", self.compiler_path)
        print(" ".join(command), flush=True)
        if subprocess.run([*command, "./capi"], cwd=ROOT, env=environment).returncode != 0:
            sys.exit("\ncpex-retry-with-backoff: libretry does not build; Go says why above.\n")
        target.with_suffix(".h").unlink(missing_ok=True)  # cgo's own header; ours is retry.h

    def get_outputs(self) -> list[str]:
        folder = Path(self.get_ext_fullpath(self.extensions[0].name)).parent
        return [*super().get_outputs(), str(folder / LIBRARY)]


setup(
    version=VERSION,
    cffi_modules=["python/shim/shim_build.py:ffi"],
    cmdclass={"build_ext": Build},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
