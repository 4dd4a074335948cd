"""The recorded answers to list, show, copy and delete through the Python module."""

import importlib.util
import json
import os
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import modelkeep

TESTS = Path(__file__).resolve().parent.parent


def load_replayer() -> Any:
    spec = importlib.util.spec_from_file_location("replay", TESTS / "golden" / "replay.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def cases() -> list[Path]:
    shared = [os.environ.get("MODELKEEP_SHARED"), TESTS.parent.parent / "shared"]
    places = [TESTS / "golden"] + [Path(place) / "golden" for place in shared if place]
    found: dict[str, Path] = {}
    for place in places:
        for case in sorted(place.glob("*/cases.jsonl")):
            found.setdefault(case.parent.name, case.parent)
    return list(found.values())


class Door:
    """Calls the module as a server of the API would that is written in Python."""

    def __init__(self, store: str, env: dict[str, str]) -> None:
        prefer = env.get("OLLAMA_GO_TEMPLATE")
        go_template = None if prefer is None else prefer not in ("0", "f", "false")
        self.store = modelkeep.Store(store, settle=0.0, go_template=go_template)

    def handle(
        self, method: str, path: str, body: bytes | None, headers: dict[str, str]
    ) -> tuple[int, dict[str, str], bytes]:
        fields = decoded(body)
        try:
            answer = self.call(path.partition("?")[0], fields)
        except modelkeep.Error as error:
            kind = {"content-type": "application/json"}
            return error.status, kind, json.dumps({"error": str(error)}).encode()
        if method == "HEAD":
            answer = ""
        headers = {"content-type": "application/json"} if answer or method == "HEAD" else {}
        return 200, headers, answer.encode()

    def call(self, path: str, fields: dict[str, Any]) -> str:
        match path:
            case "/api/tags":
                return self.store.list().to_json()
            case "/api/show":
                shown = self.store.show(
                    fields.get("model") or fields.get("name") or "",
                    fields.get("verbose") or False,
                    system=fields.get("system") or "",
                    options=fields.get("options") or None,
                )
                return shown.to_json()
            case "/api/copy":
                self.store.copy(fields.get("source") or "", fields.get("destination") or "")
            case "/api/delete":
                self.store.delete(fields.get("model") or fields.get("name") or "")
        return ""


def decoded(body: bytes | None) -> dict[str, Any]:
    text = (body or b"null").decode("utf-8", "replace")
    value, _ = json.JSONDecoder().raw_decode(text.lstrip())
    return {} if value is None else {key.lower(): item for key, item in value.items()}


CALLS = {("GET", "/api/tags"), ("HEAD", "/api/tags"), ("POST", "/api/show")}
CALLS |= {("POST", "/api/copy"), ("DELETE", "/api/delete")}


def is_well_formed(line: dict[str, Any]) -> bool:
    """Whether a request is one of the four calls, with a body that means something."""
    if (line["method"], line["path"].partition("?")[0]) not in CALLS or "request_headers" in line:
        return False
    body = line["request_body"]
    data = body if line.get("request_body_is_raw") else json.dumps(body)
    try:
        fields = decoded(data.encode()) if data else {}
    except (ValueError, AttributeError):
        return False
    types = {"verbose": bool, "options": dict}
    sound = all(item is None or isinstance(item, types.get(key, str)) for key, item in fields.items())
    return sound and not any("\ud800" <= c < "\ue000" for c in json.dumps(fields, ensure_ascii=False))


@pytest.mark.parametrize("case", cases(), ids=lambda case: case.name)
def test_the_module_answers_as_it_is_recorded(case: Path) -> None:
    replayer = load_replayer()
    compare = replayer.check
    # A Python exception has a text of its own; its status and everything else is compared.
    replayer.for_people = lambda body: False
    ran = 0

    def check(line: dict[str, Any], *rest: Any) -> Any:
        nonlocal ran
        if not is_well_formed(line):
            return []
        ran += 1
        *others, own = rest
        if own is not None and own["status"] >= 400:
            own = {key: value for key, value in own.items() if key != "body"}
        return compare(line, *others, own)

    replayer.check = check
    replayer.importlib = SimpleNamespace(import_module=lambda name: SimpleNamespace(open=Door))
    options = SimpleNamespace(
        url=None, store=None, cmd=None, python="door:open", port=None, real=False, fs=True,
        status_only_errors=True, known=json.loads((TESTS / "golden" / "differs.json").read_text()),
    )
    _, bad = replayer.run_case(str(case), options)
    assert not bad, bad[:3]
    assert ran > 0
