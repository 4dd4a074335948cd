"""The table of docs/bindings.md: each name in it stands in its binding, and each public function that
a reader looks for there has a row.
"""

import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).parent.parent
PAGE = ROOT / "docs" / "bindings.md"
# Whose functions all have a row; of others, those that make something.
WHOLE = ("Store", "Model", "http_api")
ALSO = ("GgufFile::open", "GgufFile::look_up", "GgufParts::open", "StoreOptions::diagnose")


def read(*path: str) -> str:
    return ROOT.joinpath(*path).read_text()


def rust() -> set[str]:
    """Returns the functions of the public surface, as in `Store::list`."""
    found = re.findall(r"^(?:#\[\w+\] )*(?:const )?fn modelkeep::([\w:]+)", read("api.txt"), re.M)
    return {name.removeprefix("gguf::") for name in found}


def c() -> set[str]:
    """Returns the functions of the header, and the fields of its structs."""
    header = read("include", "modelkeep.h")
    return set(re.findall(r"\b(mkeep_\w+)\(", header)) | set(re.findall(r" \*?(\w+);", header))


def cpp() -> set[str]:
    """Returns the functions of each class of the C++ header, and the names outside of classes."""
    header = read("include", "modelkeep.hpp")
    found = set(re.findall(r"^(?:using (\w+) =|inline \S+ (\w+)\()", header, re.M))
    names = {name for pair in found for name in pair if name}
    for name, bases, body in re.findall(r"^class (\w+)([^{]*)\{(.*?)^\};", header, re.M | re.S):
        public = body.split("private:")[0]
        names |= {f"{name}::{function}" for function in re.findall(r"\b(\w+)\(", public)}
        # Written on two lines or more.
        names |= {f"{name}::{function}" for function in re.findall(r"\n(\w+)\(", public)}
    return names


def python() -> set[str]:
    """Returns the members of each class of the stubs, and the arguments of their functions."""
    stubs = read("python", "modelkeep", "_modelkeep.pyi")
    names = set(re.findall(r"\b(\w+): ", stubs))
    for name, body in re.findall(r"^class (\w+)[^:\n]*:\n((?:    .*\n|\n)+)", stubs, re.M):
        names |= {f"{name}.{member}" for member in re.findall(r"^    def (\w+)\(", body, re.M)}
    return names


def command() -> set[str]:
    """Returns the subcommands, each alone and with each of the options, and the options of all."""
    source = read("bindings", "cli", "src", "args.rs")
    (commands,) = re.findall(r"enum Command \{(.*?)^\}", source, re.M | re.S)
    (everywhere,) = re.findall(r"struct Args \{(.*?)^\}", source, re.M | re.S)
    names = {f"--{field.replace('_', '-')}" for field in re.findall(r"pub (\w+):", everywhere)}
    for name, fields in re.findall(r"^    (\w+)(?: \{(.*?)^    \}|\(\w+\))?,?$", commands, re.M | re.S):
        own = re.findall(r"\[arg\((?:long|short)[^]]*\]\s+(\w+):", fields)
        names |= {name.lower()} | {f"{name.lower()} --{one.replace('_', '-')}" for one in own}
    return names


def http() -> set[str]:
    """Returns the endpoints that are served."""
    source = read("bindings", "http", "src", "router.rs")
    routes = re.findall(r'\(\s*Method::(\w+),\s*"([^"]+)",\s*Endpoint::(\w+)', source)
    return {f"{method} {path}" for method, path, endpoint in routes if endpoint != "NotServed"}


BINDINGS = {"Rust": rust, "C": c, "C++": cpp, "Python": python, "command": command, "HTTP": http}


def rows(page: str) -> list[list[str]]:
    lines = [line for line in page.splitlines() if line.startswith("|")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    if cells[0] != ["call", *BINDINGS]:
        sys.exit(f"the columns are {cells[0]}")
    return [row for row in cells[2:] if not row[0].startswith("**")]


def faults(table: list[list[str]], offered: dict[str, set[str]]) -> list[str]:
    """Returns what is wrong with the table."""
    found = []
    for call, *cells in table:
        for (binding, names), cell in zip(offered.items(), cells, strict=True):
            written = re.findall(r"`([^`]+)`", cell)
            found += [f"{call}: {binding} has no {name}" for name in written if name not in names]
            if not written and not re.search(r"[a-z]{2}", cell):
                found.append(f"{call}: neither a name nor a reason of {binding}")
    written = {name for row in table for name in re.findall(r"`([^`]+)`", row[1])}
    needed = {name for name in offered["Rust"] if name.split("::")[0] in WHOLE and name.count("::") == 1}
    needed |= set(ALSO)
    return found + [f"no row for {name}" for name in sorted(needed - written)]


def wrong(table: list[list[str]], offered: dict[str, set[str]]) -> list[str]:
    """Returns which planted faults are not seen: a test of the test."""
    first = ["planted", "`Store::list`", "a reason", "`Store::list`", "`Store.list`", "`list`", "no"]
    unseen = []
    for place, name in enumerate(["Store::lits", "mkeep_lits", "Store::lits", "Store.lits", "lits", "GET /"]):
        planted = [*first]
        planted[place + 1] = f"`{name}`" if name != "GET /" else "`GET /api/ps`"
        if not faults([*table, planted], offered):
            unseen.append(name)
    if not faults([*table, [*first[:2], "", *first[3:]]], offered):
        unseen.append("an empty cell")
    if not faults([row for row in table if "`Store::gc`" not in row], offered):
        unseen.append("a missing row")
    if faults([*table, first], offered) != faults(table, offered):
        unseen.append("that all is well")
    return [f"this test does not see: {one}" for one in unseen]


def main() -> None:
    table = rows(PAGE.read_text())
    offered = {name: names() for name, names in BINDINGS.items()}
    found = faults(table, offered) or wrong(table, offered)
    print(*found, sep="\n", end="\n" if found else "")
    print(f"bindings: {len(table)} passed, {len(found)} failed")
    sys.exit(bool(found))


main()
