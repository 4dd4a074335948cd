"""Shows the examples in docstrings as code: an extension of the reader of Python's reference."""

import re
from typing import Any

import griffe

# Lines of an example, and the lines that they print.
EXAMPLE = re.compile(r"(?:^(?:>>>|\.\.\.).*\n?(?:(?!>>>|\.\.\.)\S.*\n?)*)+", re.M)


class Doctests(griffe.Extension):
    def on_package(self, *, pkg: griffe.Module, **_: Any) -> None:
        fence_all(pkg)


def fence_all(owner: griffe.Object) -> None:
    if owner.docstring and "```" not in owner.docstring.value:
        owner.docstring.value = EXAMPLE.sub(fenced, owner.docstring.value)
    for member in owner.members.values():
        if not member.is_alias:
            fence_all(member)


def fenced(example: re.Match[str]) -> str:
    return f"```pycon\n{example[0].rstrip()}\n```\n"
