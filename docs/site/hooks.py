"""What the site has beside the pages in docs/: those of the root, the references, and the plots."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

from mkdocs.structure.files import File, Files

ROOT = Path(__file__).resolve().parent.parent.parent
sys.path.insert(0, str(Path(__file__).parent))

import plots  # noqa: E402

# The pages of the repository that are not in docs/, and where they are in the site.
ELSEWHERE = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "tests/README.md": "tests.md",
}
LINK = re.compile(r"(!?)\[((?:[^\[\]]|\[[^\]]*\])*)\]\(([^)#\s]*)(#[^)]*)?\)")
# A group of calls in the header: its name, its title, what it is about.
GROUP = re.compile(r"@defgroup (\w+) (.*)\n((?: \* [^@].*\n)*)")
C = """# C and C++

Both headers, function by function, are in
<a href="c-api/index.html">the reference that Doxygen makes of them</a>. [The guide](../c-api.md) says
what holds for all of them.

| calls of | what |
|--|--|
{rows}
| <a href="c-api/annotated.html">Classes of C++</a> | owners, ranges and exceptions over the same calls |
"""
RUST = """# Rust

<a href="rust-api/modelkeep/index.html">The documentation of the crate</a> has every type and call, each
with an example that runs. [The guide](../rust.md) begins with what most programs need.
"""
PYTHON = """# Python

[The guide](../python.md) begins with what most programs need.

::: modelkeep

## modelkeep.ollama

::: modelkeep.ollama
    options:
      heading_level: 3
"""


def repository() -> str:
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    return str(package.get("repository", "")).rstrip("/")


def relinked(text: str, source: Path) -> str:
    """Returns a page with its links to files of the repository as they are in the site. A file that
    is no page of the site is linked where the repository has a public place, and else only named."""

    def there(link: re.Match[str]) -> str:
        bang, label, target, anchor = link[1], link[2], link[3], link[4] or ""
        if not target or "://" in target or target.startswith("mailto:"):
            return link[0]
        file = (ROOT / source).parent.joinpath(target).resolve().relative_to(ROOT)
        name = str(file)
        if name in ELSEWHERE:
            place = ELSEWHERE[name]
        elif file.parts[0] == "docs":
            place = str(Path(*file.parts[1:]))
        elif repository():
            return f"{bang}[{label}]({repository()}/blob/main/{name}{anchor})"
        else:
            return label
        return f"{bang}[{label}]({place}{anchor})"

    return LINK.sub(there, text)


def command_reference() -> str:
    """Returns what `--help` of every command prints."""
    command = ROOT / "target" / "debug" / "modelkeep"

    def help_of(*name: str) -> str:
        return subprocess.check_output([command, *name, "--help"], text=True)

    listed = re.search(r"^Commands:\n(.*?)\n\n", help_of(), re.M | re.S)
    assert listed, "no list of commands"
    names = [line.split()[0] for line in listed[1].splitlines() if line.startswith("  ") and line[2] != " "]
    pages = ["# The command", "What `--help` prints. [The guide](../command.md) shows it at work."]
    for name in ["", *(name for name in names if name != "help")]:
        pages.append(f"## modelkeep {name}".rstrip())
        pages.append(f"```text\n{help_of(*name.split()).strip()}\n```")
    return "\n\n".join(pages) + "\n"


def c_reference() -> str:
    header = (ROOT / "include" / "modelkeep.h").read_text()
    rows = [
        f'| <a href="c-api/group__{name}.html">{title}</a> | {" ".join(about.replace(" * ", "").split())} |'
        for name, title, about in GROUP.findall(header)
    ]
    assert rows, "no group in the header"
    return C.format(rows="\n".join(rows))


def on_files(files: Files, config: Any) -> Files:
    made = {
        "reference/command.md": command_reference(),
        "reference/python.md": PYTHON,
        "reference/c.md": c_reference(),
        "reference/rust.md": RUST,
    }
    for source, place in ELSEWHERE.items():
        made[place] = relinked((ROOT / source).read_text(), Path(source))
    for place, content in made.items():
        files.append(File.generated(config, place, content=content))
    for name, drawn in plots.drawn().items():
        files.append(File.generated(config, f"pictures/{name}.svg", content=drawn))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Files) -> str:
    source = page.file.src_uri
    if source == "performance.md":
        markdown = plots.placed(markdown)
    if source in ELSEWHERE.values() or source.startswith("reference/"):
        return markdown
    return relinked(markdown, Path("docs") / source)


def on_post_build(config: Any) -> None:
    """The references that other programs make are put in place by docs/build.sh."""
    for name in ("rust-api", "c-api"):
        shutil.rmtree(Path(config["site_dir"]) / "reference" / name, ignore_errors=True)
