"""Gives the C header to Doxygen with every function and type in a group, by its name: the filter of
docs/site/Doxyfile.

    docs/site/groups.py FILE
"""

import re
import sys
from pathlib import Path

HEADER = Path(__file__).resolve().parent.parent.parent / "include" / "modelkeep.h"
# A group, its title, what it is about, and the nouns that calls of it have after `mkeep_`.
GROUPS = [
    ("store", "Stores", "opening a store, and every call on one", ["store", "endpoint", "progress"]),
    ("list", "Lists", "what a listing found", ["list"]),
    ("show", "Shown models", "everything about one model", ["show"]),
    ("model", "Models", "a snapshot of one model, and its layers", ["model"]),
    ("uses", "Uses", "the models of a digest, an ID or a file", ["uses"]),
    ("gguf", "GGUF files", "metadata, arrays and tensors; split models", ["gguf", "parts", "array"]),
    ("import", "Imports and archives", "what was made, taken in and written", ["imported", "exported"]),
    ("delete", "Deletes", "what a delete removed, and what stays", ["deleted"]),
    ("verify", "Verification", "which blobs are damaged, and what was moved", ["report", "repaired"]),
    ("usage", "Disk usage", "what each model takes, and what nobody uses", ["usage"]),
    ("diagnosis", "Diagnoses", "where models may be, and what is wrong", ["diagnosis"]),
    ("collect", "Garbage", "what was collected and maintained", ["collected", "maintained"]),
    ("basics", "Basics", "errors, strings, versions", ["error", "string", "abi", "version", "str", "status"]),
]
# A comment in the first column, and what it is about: a function or a type.
DECLARED = re.compile(
    r"^/\*\*\n((?: \*(?!/)[^\n]*\n)+) \*/\n(typedef (?:struct|enum) \{.*?^\} \w+;|(?!#)[^;]+;)$",
    re.M | re.S,
)


def group_of_noun(name: str) -> str | None:
    """Returns the group of the longest noun that a name begins with."""
    found = [
        (len(noun), group)
        for group, _, _, nouns in GROUPS
        for noun in nouns
        if re.match(rf"mkeep_{noun}(_|$)", name)
    ]
    return max(found)[1] if found else None


def name_of(declaration: str) -> str:
    """Returns the name that a declaration gives: of a function, a callback, or a type."""
    if declaration.startswith("typedef"):
        callback = re.search(r"\(\*(mkeep_\w+)\)", declaration)
        return callback[1] if callback else re.findall(r"(mkeep_\w+);$", declaration)[0]
    return re.findall(r"\b(mkeep_\w+)\(", declaration)[0]


def groups(header: str) -> dict[str, str]:
    """Returns the group of each name: of a type without a noun of its own, that of the first function
    or type that has it."""
    declared = {name_of(about): about for _, about in DECLARED.findall(header)}
    found = {name: group for name in declared if (group := group_of_noun(name))}
    for _ in range(3):
        for name, about in declared.items():
            for other in re.findall(r"\bmkeep_\w+\b", about):
                if name in found and other in declared:
                    found.setdefault(other, found[name])
    missing = sorted(declared.keys() - found.keys())
    if missing:
        sys.exit(f"{HEADER.name}: in no group of docs/site/groups.py: {', '.join(missing)}")
    return found


def filtered(header: str) -> str:
    """Returns the header with its groups, and with its first comment as the main page."""
    group = groups(header)

    def grouped(found: re.Match[str]) -> str:
        return f"/**\n{found[1]} * @ingroup {group[name_of(found[2])]}\n */\n{found[2]}"

    defined = "".join(f"/** @defgroup {name} {title}\n * {what} */\n" for name, title, what, _ in GROUPS)
    main = header.replace("/* modelkeep: ", "/** @mainpage modelkeep.h\n * ", 1)
    return DECLARED.sub(grouped, main) + defined


def pages() -> list[tuple[str, str, str]]:
    """Returns the name, the title and the subject of each group."""
    groups(HEADER.read_text())
    return [(name, title, what) for name, title, what, _ in GROUPS]


if __name__ == "__main__":
    sys.stdout.write(filtered(Path(sys.argv[1]).read_text()))
