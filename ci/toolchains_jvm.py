"""The toolchains that run on Java, of Maven Central: TeaVM and Kotlin, which both make core modules of preview 1.

In: fixtures/src/toolchains/program.java and program.kt. Out: modules and components, and the versions of the compilers.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from toolchain_base import SRC, Absent, Here, adapted, find, first_line, run

TEAVM = ("org.teavm:teavm-tooling", "org.teavm:teavm-classlib")
"""TeaVM 0.13 is the last line with a target for WASI: from 0.14 on, its modules are for JavaScript hosts only."""
KOTLIN = ("org.jetbrains.kotlin:kotlin-compiler-embeddable", "org.jetbrains.kotlin:kotlin-stdlib-wasm-wasi:klib")
JAVA = ("-Xmx2g",)


def library(here: Here) -> Path:
    """The folder of the packages of Maven Central."""
    return here.packages("maven") / here.name / "lib"


def fetch(here: Here, packages: tuple[str, ...], version: str) -> list[list[str | Path]]:
    """The commands that get these packages, each `group:artifact` or with a type behind, and all that they need."""
    artifact = packages[0].split(":")[1]
    if (library(here) / f"{artifact}-{version}.jar").exists():
        return []
    shutil.rmtree(library(here), ignore_errors=True)
    library(here).parent.mkdir(parents=True, exist_ok=True)
    project = library(here).parent / "pom.xml"
    needed = "".join(dependency(package, version) for package in packages)
    own = "<modelVersion>4.0.0</modelVersion><groupId>guests</groupId><artifactId>program</artifactId><version>1</version>"
    project.write_text(f"<project>{own}<dependencies>{needed}</dependencies></project>\n")
    return [["mvn", "-q", "-B", "-f", project, "dependency:copy-dependencies", f"-DoutputDirectory={library(here)}"]]


def dependency(package: str, version: str) -> str:
    group, artifact, *kind = package.split(":")
    typed = f"<type>{kind[0]}</type>" if kind else ""
    names = f"<groupId>{group}</groupId><artifactId>{artifact}</artifactId>"
    return f"<dependency>{names}<version>{version}</version>{typed}</dependency>"


def version_of(here: Here, package: str) -> str:
    """The version of a package that is installed."""
    artifact = package.split(":")[1]
    for jar in library(here).glob(f"{artifact}-*.jar"):
        return jar.stem.removeprefix(f"{artifact}-")
    raise Absent(f"Maven Central's {package} is not installed")


def java_version(here: Here) -> str:
    return f"TeaVM {version_of(here, TEAVM[0])}, {first_line(find('javac'), '--version')}"


def java(here: Here) -> None:
    classes, packages = here.work / "java", library(here) / "*"
    shutil.rmtree(classes, ignore_errors=True)
    run(find("javac"), "--release", "17", "-cp", packages, "-d", classes, SRC / "program.java")
    run(find("java"), *JAVA, "-cp", packages, SRC / "teavm.java", classes, "Program", here.module)
    adapted(here)


def kotlin_version(here: Here) -> str:
    find("java")
    return f"Kotlin {version_of(here, KOTLIN[0])}"


def kotlin(here: Here) -> None:
    """In two steps, as Kotlin's plug-in of Gradle does it: the library of the program, then the module of all libraries."""
    folder, packages = here.work / "kotlin", library(here)
    shutil.rmtree(folder, ignore_errors=True)
    standard = packages / f"kotlin-stdlib-wasm-wasi-{version_of(here, KOTLIN[0])}.klib"
    if not standard.exists():
        raise Absent(f"{standard.name} is not installed")
    compiler: list[str | Path] = [find("java"), *JAVA, "-cp", packages / "*", "org.jetbrains.kotlin.cli.js.KotlinWasmCompiler"]
    compiler += ["-Xwasm-target=wasm-wasi", "-libraries", standard, "-ir-output-name", "program", "-ir-output-dir", folder]
    run(*compiler, "-Xir-module-name=program", SRC / "program.kt")
    run(*compiler, "-Xir-produce-js", "-Xir-dce", f"-Xinclude={folder / 'program.klib'}")
    (folder / "program.wasm").replace(here.module)
    adapted(here)
