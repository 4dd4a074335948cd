"""llama-index over a store: its client is the package's, and what needs a running model is refused."""

import sys

# Beside a file of its own name.
sys.path.pop(0)

import ollama
from llama_index.llms.ollama import Ollama

import modelkeep

transport = modelkeep.transport(modelkeep.Store(sys.argv[1]))
model = Ollama(model="shared", client=ollama.Client(transport=transport), request_timeout=5)
assert model.get_context_window() == 128, model.get_context_window()
try:
    model.complete("Hello")
except ollama.ResponseError as error:
    assert error.status_code == 501 and "does not run them" in error.error, error
else:
    raise AssertionError("a store ran a model")
