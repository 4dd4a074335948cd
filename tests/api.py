"""The public surface of the library, a line for each item, compared with api.txt: a change of it is
seen where it is made. `BLESS=1 python3 tests/api.py` writes the file.

Reads the JSON that rustdoc makes, for which the compiler has to be told to allow what is unstable.
"""

import json
import os
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).parent.parent
RECORD = ROOT / "api.txt"
TARGET = ROOT / "target" / "api"
# The marker traits that a caller may rest on; the others follow from these.
MARKERS = ("Send", "Sync")
# What a derive writes for the compiler.
INTERNAL = ("StructuralPartialEq",)

# The traits that every public type has, and why some lack some of them.
COMMON = ("Debug", "Clone", "PartialEq", "Eq", "Hash")
HANDLES = "an open file or store, or a view of one: what would be equal is not said"
ERRORS = "holds errors, whose causes do not compare"
FLOATS = "holds floating-point numbers"
SECRETS = "holds a password, which nothing compares or keeps a hash of"
LACKING = {
    ("Clone", "PartialEq", "Eq", "Hash"): {
        HANDLES: "http_api::RegistryBlob http_api::RegistryBody http_api::RegistryResponse Upstream",
    },
    ("PartialEq", "Eq", "Hash"): {
        HANDLES: "Store Model GgufFile GgufParts ModelInfo Show gguf::Gguf gguf::Index gguf::Lossless "
        "gguf::Elements gguf::Writer",
        ERRORS: "Error ImportArchiveOptions Problem Deleted Listing Names Report SharedTensors Usage Uses VerifyOptions http_api::Response",
        SECRETS: "RegistryOptions PullOptions PushOptions",
    },
    ("Eq", "Hash"): {
        FLOATS: "Parameters ParameterValue ImportOptions ShowOptions gguf::Value gguf::OwnedValue "
        "gguf::OwnedArray gguf::Editor GgufDiff KeyDiff",
    },
}
# Enums that will never have another variant.
CLOSED = {
    "gguf::Data": "data are required or not",
    "gguf::Endian": "there are two orders",
}
# What prints and is not read back, and why.
ONE_WAY = {
    "Command": "is read as a line of a Modelfile",
    "ErrorKind": "prints words for people; `name` is for programs",
    "gguf::FileFormat": "prints words for people",
    "ParameterValue": "borrows what it was read from",
}


def rustdoc() -> dict:
    """Returns what rustdoc says of the library without its features."""
    command = "cargo rustdoc --quiet --package modelkeep --lib --features registry --"
    command += " -Z unstable-options --output-format json"
    environment = os.environ | {"RUSTC_BOOTSTRAP": "1", "CARGO_TARGET_DIR": str(TARGET)}
    subprocess.run(command.split(), cwd=ROOT, env=environment, check=True)
    return json.loads((TARGET / "doc" / "modelkeep.json").read_text())


class Surface:
    def __init__(self, crate: dict) -> None:
        self.index = crate["index"]
        self.lines: list[str] = []
        self.types: dict[str, tuple[str, set[str]]] = {}
        self.documented: list[tuple[str, str]] = []
        self.module(str(crate["root"]), "modelkeep")

    def add(self, item: dict, path: str, line: str) -> None:
        self.lines.append(line)
        self.documented.append((path, item["docs"] or ""))

    def module(self, number: str, path: str) -> None:
        module = self.index[number]
        self.add(module, path, f"mod {path}")
        for child in module["inner"]["module"]["items"]:
            self.item(self.index[str(child)], path)

    def item(self, item: dict, path: str) -> None:
        (kind, inner), = item["inner"].items()
        if kind == "use":
            target = self.index.get(str(inner["id"]))
            if target and inner["is_glob"]:
                sys.exit(f"a glob in {path}: name what is exported")
            if target:
                self.named(target, f"{path}::{inner['name']}")
        else:
            self.named(item, f"{path}::{item['name']}")

    def named(self, item: dict, path: str) -> None:
        (kind, inner), = item["inner"].items()
        match kind:
            case "module":
                self.module(str(item["id"]), path)
            case "function":
                must_use = "#[must_use] " if "must_use" in str(item["attrs"]) else ""
                self.add(item, path, must_use + self.function(inner, path))
            case "constant" | "assoc_const":
                self.add(item, path, f"const {path}: {self.type(inner['type'])}")
            case "type_alias":
                generics = self.generics(inner["generics"])
                self.add(item, path, f"type {path}{generics} = {self.type(inner['type'])}")
            case "assoc_type":
                pass
            case "struct" | "enum":
                self.data(item, kind, inner, path)
            case "trait":
                bounds = self.bounds(inner["bounds"])
                self.add(item, path, f"trait {path}{self.generics(inner['generics'])}" + (f": {bounds}" if bounds else ""))
                for child in inner["items"]:
                    child = self.index[str(child)]
                    self.named(child, f"{path}::{child['name']}")
            case other:
                sys.exit(f"{path}: a {other}, which this script does not know")

    def data(self, item: dict, kind: str, inner: dict, path: str) -> None:
        open_ended = "#[non_exhaustive] " if "non_exhaustive" in str(item["attrs"]) else ""
        must_use = "#[must_use] " if "must_use" in str(item["attrs"]) else ""
        self.add(item, path, f"{open_ended}{must_use}{kind} {path}{self.generics(inner['generics'])}")
        if kind == "enum":
            for variant in inner["variants"]:
                self.variant(self.index[str(variant)], path)
        elif "plain" in inner["kind"]:
            self.fields(inner["kind"]["plain"]["fields"], path)
        self.types[path] = (kind + " open" * bool(open_ended), self.impls(inner["impls"], path))

    def fields(self, fields: list[int], path: str) -> None:
        for field in fields:
            field = self.index[str(field)]
            self.lines.append(f"field {path}::{field['name']}: {self.type(field['inner']['struct_field'])}")

    def variant(self, variant: dict, path: str) -> None:
        kind = variant["inner"]["variant"]["kind"]
        path = f"{path}::{variant['name']}"
        if isinstance(kind, str):
            self.lines.append(f"variant {path}")
        elif "tuple" in kind:
            fields = [self.index[str(field)]["inner"]["struct_field"] for field in kind["tuple"]]
            self.lines.append(f"variant {path}({', '.join(map(self.type, fields))})")
        else:
            self.lines.append(f"variant {path}")
            self.fields(kind["struct"]["fields"], path)

    def impls(self, impls: list[int], path: str) -> set[str]:
        traits = set()
        names = set()
        for number in impls:
            item = self.index[str(number)]["inner"]["impl"]
            trait = item["trait"]
            if trait is None:
                for child in item["items"]:
                    child = self.index[str(child)]
                    self.named(child, f"{path}::{child['name']}")
            elif trait["path"] in INTERNAL or item["blanket_impl"] is not None:
                continue
            elif not item["is_synthetic"] or trait["path"] in MARKERS:
                text = "!" * item["is_negative"] + self.path(trait)
                whose = self.type(item["for"])
                traits.add(f"impl {text} for {whose}")
                names.add(trait["path"].split("::")[-1])
        self.lines += [f"{path}: {line}" for line in traits]
        return names

    def function(self, inner: dict, path: str) -> str:
        header, signature = inner["header"], inner["sig"]
        words = [word for word in ("const", "async", "unsafe") if header[f"is_{word}"]]
        inputs = [self.input(name, kind) for name, kind in signature["inputs"]]
        output = signature["output"]
        arrow = f" -> {self.type(output)}" if output else ""
        text = f"fn {path}{self.generics(inner['generics'])}({', '.join(inputs)}){arrow}"
        return " ".join([*words, text]) + self.where(inner["generics"])

    def input(self, name: str, kind: dict) -> str:
        text = self.type(kind)
        if name == "self":
            return {"Self": "self", "&Self": "&self", "&mut Self": "&mut self"}.get(text, f"self: {text}")
        return f"{name}: {text}"

    def generics(self, generics: dict) -> str:
        named = []
        for parameter in generics["params"]:
            (kind, inner), = parameter["kind"].items()
            if kind == "type" and not inner["is_synthetic"]:
                bounds = self.bounds(inner["bounds"])
                default = f" = {self.type(inner['default'])}" if inner["default"] else ""
                named.append(parameter["name"] + (f": {bounds}" if bounds else "") + default)
            elif kind == "lifetime":
                named.append(parameter["name"])
        return f"<{', '.join(named)}>" if named else ""

    def where(self, generics: dict) -> str:
        predicates = [next(iter(one.values())) for one in generics["where_predicates"]]
        texts = [f"{self.type(one['type'])}: {self.bounds(one['bounds'])}" for one in predicates if "type" in one]
        return f" where {', '.join(texts)}" if texts else ""

    def bounds(self, bounds: list[dict]) -> str:
        return " + ".join(map(self.bound, bounds))

    def bound(self, bound: dict) -> str:
        if "trait_bound" in bound:
            maybe = "?" if bound["trait_bound"]["modifier"] == "maybe" else ""
            return maybe + self.path(bound["trait_bound"]["trait"])
        return bound.get("outlives") or "use<..>"

    def path(self, path: dict) -> str:
        return path["path"].split("::")[-1] + self.arguments(path["args"])

    def arguments(self, arguments: dict | None) -> str:
        if not arguments:
            return ""
        if "parenthesized" in arguments:
            inner = arguments["parenthesized"]
            output = f" -> {self.type(inner['output'])}" if inner["output"] else ""
            return f"({', '.join(map(self.type, inner['inputs']))}){output}"
        inner = arguments["angle_bracketed"]
        texts = [self.argument(argument) for argument in inner["args"]]
        texts += [self.constraint(constraint) for constraint in inner["constraints"]]
        return f"<{', '.join(texts)}>" if texts else ""

    def argument(self, argument: dict) -> str:
        (kind, inner), = argument.items()
        return self.type(inner) if kind == "type" else str(inner if kind == "lifetime" else inner["expr"])

    def constraint(self, constraint: dict) -> str:
        (kind, inner), = constraint["binding"].items()
        if kind == "equality":
            return f"{constraint['name']} = {self.type(inner['type'])}"
        return f"{constraint['name']}: {self.bounds(inner)}"

    def type(self, kind: dict | None) -> str:
        if kind is None:
            return "()"
        (name, inner), = kind.items()
        match name:
            case "resolved_path":
                return self.path(inner)
            case "generic" | "primitive":
                return inner
            case "tuple":
                return f"({', '.join(map(self.type, inner))})"
            case "slice":
                return f"[{self.type(inner)}]"
            case "array":
                return f"[{self.type(inner['type'])}; {inner['len']}]"
            case "impl_trait":
                return f"impl {self.bounds(inner)}"
            case "dyn_trait":
                traits = " + ".join(self.path(one["trait"]) for one in inner["traits"])
                return f"dyn {traits}" + (f" + {inner['lifetime']}" if inner["lifetime"] else "")
            case "borrowed_ref":
                lifetime = f"{inner['lifetime']} " if inner["lifetime"] else ""
                return f"&{lifetime}{'mut ' * inner['is_mutable']}{self.type(inner['type'])}"
            case "qualified_path":
                return f"{self.type(inner['self_type'])}::{inner['name']}"
            case other:
                sys.exit(f"a type of the kind {other}, which this script does not know")


def breaches(surface: Surface) -> list[str]:
    """Returns what breaks a rule of the public surface; docs/design.md says why they are."""
    found = []
    for path, (kind, traits) in surface.types.items():
        name = path.removeprefix("modelkeep::")
        excused = {
            trait
            for lacking, reasons in LACKING.items()
            for names in reasons.values()
            if name in names.split()
            for trait in lacking
        }
        missing = [trait for trait in COMMON if trait not in traits]
        found += [f"{name} is not {trait}" for trait in missing if trait not in excused]
        found += [f"{name} is {trait} after all" for trait in sorted(excused) if trait in traits]
        if kind.startswith("enum"):
            if ("open" in kind) == (name in CLOSED):
                found.append(f"{name} is either non_exhaustive or closed, with a reason")
            if ("Display" in traits) != ("FromStr" in traits or name in ONE_WAY):
                found.append(f"{name} does not read what it prints")
    for path, docs in surface.documented:
        if (path in surface.types or path.startswith("modelkeep::Store::")) and "```" not in docs:
            found.append(f"{path} has no example")
        if not docs:
            found.append(f"{path} has no documentation")
    setter = re.compile(r"(const )?fn [\w:]+(<\w+>)?\(self, .*\) -> Self")
    for line in surface.lines:
        if setter.search(line) and "#[must_use]" not in line:
            found.append(f"not must_use: {line}")
        if re.search(r": (Option<)?bool\b.*\)", line) and "fn " in line and not setter.search(line):
            found.append(f"a bool, which no reader of a call understands: {line}")
    return found


def place(line: str) -> tuple[str, str]:
    """Returns what a line is sorted by: the path of its item, so that a type and what it has are
    together."""
    return re.search(r"modelkeep(::\w+)*", line).group(0), line


def main() -> None:
    surface = Surface(rustdoc())
    text = "".join(f"{line}\n" for line in sorted(set(surface.lines), key=place))
    with_example = sum("```" in docs for _, docs in surface.documented)
    print(f"{len(surface.lines)} public items, {with_example} of them with an example")
    broken = breaches(surface)
    print(*broken, sep="\n", end="\n" if broken else "")
    if os.environ.get("BLESS"):
        RECORD.write_text(text)
        sys.exit(bool(broken))
    recorded = RECORD.read_text() if RECORD.exists() else ""
    old, new = set(recorded.splitlines()), set(text.splitlines())
    if old != new:
        print(*(f"- {line}" for line in sorted(old - new)), sep="\n")
        print(*(f"+ {line}" for line in sorted(new - old)), sep="\n")
        sys.exit("the public surface is not what api.txt says; BLESS=1 writes it")
    sys.exit(bool(broken))


main()
