"""Lets the replayer speak to the Python module: in Python's own words where the body of a request
is well formed, by `Store.handle_request` otherwise. A refusal has to have the same status either way."""

import json
import os

import modelkeep

CALLS = {
    ("GET", "/api/tags"): "tags",
    ("POST", "/api/show"): "show",
    ("POST", "/api/copy"): "copy",
    ("DELETE", "/api/delete"): "delete",
}
KINDS = {
    "model": str,
    "name": str,
    "source": str,
    "destination": str,
    "system": str,
    "verbose": bool,
    "options": dict,
}


def well_formed(body):
    """The request, where it is an object with nothing in it but what Python's arguments take."""
    try:
        request = json.loads(body)
    except ValueError:
        return None
    if not isinstance(request, dict) or not request:
        return None
    fits = all(type(value) is KINDS.get(key) for key, value in request.items())
    return request if fits else None


class Store:
    def __init__(self, path, env):
        before = dict(os.environ)
        os.environ.update(env)
        try:
            self.store = modelkeep.Store(path, delete_delay=0)
        finally:
            os.environ.clear()
            os.environ.update(before)

    def call(self, call, request):
        if call == "tags":
            return self.store.list().to_json()
        if call == "copy":
            self.store.copy(request.get("source", ""), request.get("destination", ""))
            return ""
        name = request.get("model") or request.get("name", "")
        if call == "delete":
            self.store.delete(name)
            return ""
        verbose = request.get("verbose", False)
        asked = {key: request[key] for key in ("system", "options") if key in request}
        return self.store.show(name, verbose, **asked).to_json()

    def reply(self, call, body):
        request = {} if call == "tags" else well_formed(body)
        if request is None:
            return self.store.handle_request(call, body)
        try:
            return 200, self.call(call, request)
        except modelkeep.Error as error:
            status, text = self.store.handle_request(call, body)
            assert status == error.status, (status, error.status, str(error))
            return status, text

    def handle(self, method, path, body, headers):
        call = CALLS.get(("GET" if method == "HEAD" else method, path.partition("?")[0]))
        if call is None:  # The business of a door that speaks HTTP.
            return 200, {"content-type": "application/json"}, b'{"version": ""}'
        status, text = self.reply(call, body or b"")
        headers = {"content-type": "application/json; charset=utf-8"} if text else {}
        return status, headers, b"" if method == "HEAD" else text.encode()


def open(path, env):
    return Store(path, env)
