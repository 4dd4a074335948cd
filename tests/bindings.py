"""The table of docs/bindings.md: made of tests/bindings.toml and of what each binding offers. `BLESS=1`
writes it. Each name in it stands in its binding, and each function that a reader looks for there has
a row.
"""

import os
import pathlib
import re
import sys
import tomllib

ROOT = pathlib.Path(__file__).parent.parent
PAGE = ROOT / "docs" / "bindings.md"
CALLS = ROOT / "tests" / "bindings.toml"
# The column of each key of a call.
KEYS = {"Rust": "rust", "C": "c", "C++": "cpp", "Python": "python", "command": "command", "HTTP": "http"}
COLUMNS = {"call", *KEYS.values()}
# Whose functions all have a row in Rust; of others, those that make something.
WHOLE = ("Store", "Model", "http_api")
ALSO = ("GgufFile::open", "GgufFile::look_up", "GgufParts::open", "StoreOptions::diagnose")

# What in a binding has a row as well: what belongs to its store, each subcommand, each endpoint.
OWN = {
    "C": r"mkeep_store_(?!options$|free$)\w+",
    "Python": r"Store\.[a-z]\w+",
    "command": r"[a-z]+(-[a-z]+)*",
    "HTTP": r"(GET|POST|PUT|DELETE) /.+",
}


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
    """Returns the functions of the stubs, the members of each class, and the arguments of all."""
    stubs = read("python", "modelkeep", "_modelkeep.pyi")
    names = set(re.findall(r"\b(\w+): ", stubs)) | set(re.findall(r"^def (\w+)\(", stubs, re.M))
    for name, body in re.findall(r"^class (\w+)[^:\n]*:\n((?:    .*\n|\n)+)", stubs, re.M):
        names |= {f"{name}.{member}" for member in re.findall(r"^    def (\w+)\(", body, re.M)}
    return names


def kebab(name: str) -> str:
    """Returns the name of a subcommand as it is typed: `ls-remote` of `LsRemote`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).lower()


def command() -> set[str]:
    """Returns the subcommands, each alone and with each of the options, and the options of all."""
    source = read("bindings", "cli", "src", "args.rs")
    (commands,) = re.findall(r"enum Command \{(.*?)^\}", source, re.M | re.S)
    (everywhere,) = re.findall(r"struct Args \{(.*?)^\}", source, re.M | re.S)
    names = {f"--{field.replace('_', '-')}" for field in re.findall(r"pub (\w+):", everywhere)}
    for name, fields in re.findall(r"^    (\w+)(?: \{(.*?)^    \}|\(\w+\))?,?$", commands, re.M | re.S):
        own = re.findall(r"\[arg\((?:long|short)[^]]*\]\s+(\w+):", fields)
        name = kebab(name)
        names |= {name} | {f"{name} --{one.replace('_', '-')}" for one in own}
    return names


def http() -> set[str]:
    """Returns the endpoints that are served."""
    source = read("bindings", "http", "src", "router.rs")
    routes = re.findall(r'\(\s*Method::(\w+),\s*"([^"]+)",\s*Endpoint::(\w+)', source)
    return {f"{method} {path}" for method, path, endpoint in routes if endpoint != "NotServed"}


BINDINGS = {"Rust": rust, "C": c, "C++": cpp, "Python": python, "command": command, "HTTP": http}


def following(call: dict[str, str]) -> dict[str, str]:
    """Returns what a call is named in the bindings that name it as Rust does."""
    name = re.fullmatch(r"(\w+)::(\w+)", call["rust"])
    if not name:
        return {}
    kind, verb = name.groups()
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", kind).lower()
    return {
        "C": f"mkeep_{snake}_{verb}",
        "C++": f"{kind}::{verb}",
        "Python": f"{kind}.{verb}",
        "command": verb,
    }


def names_in(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def row(call: dict[str, str], offered: dict[str, set[str]]) -> list[str]:
    """Returns the cells of a call."""
    names = following(call)
    cells = [call["call"], f"`{call['rust']}`" if names else call["rust"]]
    for binding, key in list(KEYS.items())[1:]:
        name = names.get(binding)
        follows = f"`{name}`" if name in offered[binding] else ""
        cells.append(call.get(key) or follows or ("not in the API" if binding == "HTTP" else ""))
    return cells


def table(groups: list[dict], offered: dict[str, set[str]]) -> str:
    """Returns the table as the page has it."""
    lines = ["| " + " | ".join(["call", *KEYS]) + " |", "|" + "--|" * (len(KEYS) + 1)]
    for group in groups:
        lines.append(f"| **{group['title']}** |" + " |" * len(KEYS))
        lines += ["| " + " | ".join(row(call, offered)) + " |" for call in group["calls"]]
    return "\n".join(lines) + "\n"


def faults(groups: list[dict], offered: dict[str, set[str]]) -> list[str]:
    """Returns what is wrong with the calls."""
    found, written = [], {binding: set() for binding in KEYS}
    for call in (call for group in groups for call in group["calls"]):
        found += [f"{call['call']}: no column is called {key}" for key in call if key not in COLUMNS]
        follows = following(call)
        for binding, cell in zip(KEYS, row(call, offered)[1:], strict=True):
            names = names_in(cell)
            written[binding].update(names)
            found += [f"{call['call']}: {binding} has no {name}" for name in names if name not in offered[binding]]
            if not names and not re.search(r"[a-z]{2}", cell):
                found.append(f"{call['call']}: neither a name nor a reason of {binding}")
            name, stated = follows.get(binding), call.get(KEYS[binding])
            if name in offered[binding] and stated == f"`{name}`":
                found.append(f"{call['call']}: that {binding} has {name} follows from its name")
            if name in offered[binding] and stated and not names and binding != "command":
                found.append(f"{call['call']}: {binding} has {name} by now")
    needed = {name for name in offered["Rust"] if name.split("::")[0] in WHOLE and name.count("::") == 1}
    missing = {"Rust": (needed | set(ALSO)) - written["Rust"]}
    for binding, form in OWN.items():
        missing[binding] = {name for name in offered[binding] if re.fullmatch(form, name)} - written[binding]
    return found + [f"no row for {name} of {binding}" for binding in missing for name in sorted(missing[binding])]


def wrong(groups: list[dict], offered: dict[str, set[str]]) -> list[str]:
    """Returns which planted faults are not seen: a test of the test."""
    first = {"call": "planted", "rust": "Store::list", "http": "`GET /api/tags`"}

    def seen(**changed: str) -> bool:
        planted = {"title": "planted", "calls": [first | changed]}
        return faults([*groups, planted], offered) != []

    plants = {
        "a name that Rust has not": {"rust": "Store::lits"},
        "a name that C has not": {"c": "`mkeep_lits`"},
        "a name that C++ has not": {"cpp": "`Store::lits`"},
        "a name that Python has not": {"python": "`Store.lits`"},
        "a name that the command has not": {"command": "`lits`"},
        "a name that HTTP has not": {"http": "`GET /api/none`"},
        "an empty cell": {"rust": "Manifest::parse"},
        "a reason that is none any more": {"c": "not yet"},
        "a name that follows": {"python": "`Store.list`"},
        "an unknown column": {"java": "no"},
    }
    unseen = [what for what, changed in plants.items() if not seen(**changed)]
    kept = [group | {"calls": [c for c in group["calls"] if c["rust"] != "Store::gc"]} for group in groups]
    if not faults(kept, offered):
        unseen.append("a missing row")
    if seen():
        unseen.append("that all is well")
    return [f"this test does not see: {one}" for one in unseen]


def main() -> None:
    groups = tomllib.loads(CALLS.read_text())["group"]
    offered = {name: names() for name, names in BINDINGS.items()}
    found = faults(groups, offered) or wrong(groups, offered)
    page = PAGE.read_text()
    words = page.split("| call |")[0]
    made = words + table(groups, offered)
    if os.environ.get("BLESS") and not found:
        PAGE.write_text(made)
    elif made != page:
        found.append("docs/bindings.md is not what tests/bindings.toml says: run with BLESS=1")
    print(*found, sep="\n", end="\n" if found else "")
    count = sum(len(group["calls"]) for group in groups)
    print(f"bindings: {count} passed, {len(found)} failed")
    sys.exit(bool(found))


main()
