"""The `ollama` package of PyPI, unchanged, against the host that is named."""

import sys

import ollama

client = ollama.Client(host=sys.argv[1])
names = {model.model for model in client.list().models}
assert names == {"llava:latest", "llama3.2:latest", "llama3:13b"}, names
(llava,) = [model for model in client.list().models if model.model == "llava:latest"]
assert llava.details.family == "llama" and llava.size > 0 and llava.modified_at.year >= 2025
shown = client.show("llava")
assert shown.details.format == "gguf" and shown.modelinfo["general.architecture"] == "llama"
assert shown.capabilities == ["completion"], shown.capabilities
assert client.ps().models == []
assert client.copy("llama3.2", "from-python").status == "success"
assert client.delete("from-python").status == "success"
for call in (lambda: client.show("nope"), lambda: client.delete("nope"), lambda: client.copy("nope", "x")):
    try:
        call()
    except ollama.ResponseError as error:
        assert error.status_code == 404 and "not found" in error.error, error
    else:
        raise AssertionError("a missing model was found")
print("PyPI's ollama lists, shows, copies and deletes")
