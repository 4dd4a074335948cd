"""The client of OpenAI, unchanged, against `modelkeep serve`: it lists models, and says why none runs."""

import sys

import openai

host = sys.argv[1]
client = openai.OpenAI(base_url=f"{host}/v1", api_key="none", max_retries=0)

names = sorted(model.id for model in client.models.list())
assert "llama3.2:latest" in names, names
model = client.models.retrieve("llama3.2")
assert (model.id, model.owned_by) == ("llama3.2", "library"), model
assert model.created > 1_700_000_000, model

try:
    client.models.retrieve("nope")
except openai.NotFoundError as error:
    assert error.type == "not_found_error" and "nope" in error.message, error
else:
    raise SystemExit("a model that is not there was found")

try:
    client.chat.completions.create(model="llama3.2", messages=[{"role": "user", "content": "hi"}])
except openai.APIStatusError as error:
    assert error.status_code == 501 and "does not run them" in error.body["message"], error
else:
    raise SystemExit("a model ran")
