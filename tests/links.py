"""Every link of the documentation leads somewhere."""

import re
import sys
from pathlib import Path

root = Path(__file__).resolve().parent.parent
pages = [root / "README.md", root / "CHANGELOG.md", root / "CONTRIBUTING.md", *(root / "docs").glob("*.md")]
broken = [
    f"{page.relative_to(root)}: {target}"
    for page in pages
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", page.read_text())
    if not (page.parent / target).exists()
]
print(*broken, f"links: {len(pages)} pages, {len(broken)} broken links", sep="\n")
sys.exit(bool(broken))
