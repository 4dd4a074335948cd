"""langchain-ollama over a store: the model is validated, and what needs it to run is refused."""

import sys

# Beside a file of its own name.
sys.path.pop(0)

import ollama
from langchain_ollama import ChatOllama

import modelkeep

transport = modelkeep.transport(modelkeep.Store(sys.argv[1]))
chat = ChatOllama(
    model="shared", validate_model_on_init=True, client_kwargs={"transport": transport}
)
try:
    chat.invoke("Hello")
except ollama.ResponseError as error:
    assert error.status_code == 501 and "does not run them" in error.error, error
else:
    raise AssertionError("a store ran a model")
try:
    ChatOllama(
        model="nobody", validate_model_on_init=True, client_kwargs={"transport": transport}
    )
except ValueError as error:
    assert "nobody" in str(error), error
else:
    raise AssertionError("a missing model was found")
