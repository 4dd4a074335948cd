"""litellm over a store: what it asks of Ollama about a model, through a client of httpx."""

import sys

# Beside a file of its own name.
sys.path.pop(0)

import httpx
import litellm

import modelkeep

transport = modelkeep.transport(modelkeep.Store(sys.argv[1]))
client = httpx.Client(transport=transport)
litellm.module_level_client.client = client
info = litellm.OllamaConfig().get_model_info("ollama/shared", api_base="http://127.0.0.1:11434")
assert (info["max_tokens"], info["litellm_provider"]) == (128, "ollama"), info
