"""Prints what CHANGELOG.md says of a version: notes.py VERSION"""

import re
import sys
from pathlib import Path

changes = (Path(__file__).resolve().parent.parent / "CHANGELOG.md").read_text()
found = re.search(rf"^## {re.escape(sys.argv[1])}\b.*?\n(.*?)(?=^## |\Z)", changes, re.MULTILINE | re.DOTALL)
if not found:
    sys.exit(f"CHANGELOG.md has no entry for {sys.argv[1]}")
print(found[1].strip())
