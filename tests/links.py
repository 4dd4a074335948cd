"""Every link of the documentation leads somewhere, and tests/README.md names every test.

Links to files of the repository are relative while it has no public place. From the day on which
`repository` is stated in Cargo.toml, those of the README begin with it, because the README is shown
elsewhere as well, and `BLESS=1 tests/links.py` writes them so. That is the only place to state it.
"""

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
README = ROOT / "README.md"
# A link or a picture, up to its target.
LINK = re.compile(r"(\]\()([^)#\s]+)(?=[)#])")


def repository() -> str:
    """Returns the address of the repository, or nothing."""
    package = tomllib.loads((ROOT / "Cargo.toml").read_text())["workspace"]["package"]
    return str(package.get("repository", "")).rstrip("/")


def address(of: str, file: str) -> str:
    """Returns where a file of a repository is shown; a picture is where its bytes are."""
    return f"{of}/{'raw' if file.endswith('.svg') else 'blob'}/main/{file}"


def pages() -> list[Path]:
    listed = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md"), *(ROOT / ".github").rglob("*.md")]
    return [*listed, ROOT / "tests" / "README.md"]


def faults(page: Path, text: str, public: str) -> list[str]:
    """Returns what is wrong with the links of a page of a repository that may have an address."""
    found = []
    for _, target in LINK.findall(text):
        is_here = bool(public) and target.startswith(f"{public}/")
        file = page.parent / target
        if is_here:
            file = ROOT / target.split("/main/", 1)[-1]
        elif "://" in target:
            continue
        if not file.exists():
            found.append(f"{target} leads nowhere")
        elif page == README and public and not is_here:
            found.append(f"{target} is relative, and the repository has a public place")
    return [f"{page.relative_to(ROOT)}: {fault}" for fault in found]


def absolute(text: str, public: str) -> str:
    def there(link: re.Match[str]) -> str:
        return link[0] if "://" in link[2] else link[1] + address(public, link[2])

    return LINK.sub(there, text)


def unseen() -> list[str]:
    """Returns which planted faults are not seen: a test of the test."""
    public = "https://example.com/modelkeep"
    relative = "[a](CHANGELOG.md) ![b](docs/design.md#reading) [c](https://example.com/other)"
    planted = [
        (relative, "", 0),
        (relative, public, 2),
        (absolute(relative, public), public, 0),
        ("[a](nowhere.md)", "", 1),
        (f"[a]({address(public, 'nowhere.md')})", public, 1),
    ]
    return [
        f"this test does not see: {text} at {at}"
        for text, at, count in planted
        if len(faults(README, text, at)) != count
    ]


def unnamed() -> list[str]:
    """Returns the files of the tests that tests/README.md does not name."""
    page = (ROOT / "tests" / "README.md").read_text()
    listed = subprocess.check_output(["git", "ls-files", "tests"], cwd=ROOT, text=True).split()
    names = {name.split("/")[1] + ("/" if name.count("/") > 1 else "") for name in listed}
    names -= {"README.md"}
    return [f"tests/README.md: no rule for {name}" for name in sorted(names) if f"`{name}`" not in page]


def main() -> None:
    public = repository()
    if public and os.environ.get("BLESS"):
        README.write_text(absolute(README.read_text(), public))
    found = [fault for page in pages() for fault in faults(page, page.read_text(), public)]
    found += unseen() + unnamed()
    print(*found, f"links: {len(pages())} pages, {len(found)} broken links", sep="\n")
    sys.exit(bool(found))


main()
