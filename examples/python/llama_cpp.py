"""Opens a model of the store in xllamacpp, a binding of llama.cpp, by its path.

    python llama_cpp.py NAME [PROMPT] [DIRECTORY]
"""

import os
import sys

import xllamacpp

import modelkeep


def main() -> None:
    name, prompt, *directory = [*sys.argv[1:], "Hello"][:2] + sys.argv[3:]
    model = modelkeep.Store(*directory)[name]
    parameters = xllamacpp.CommonParams()
    parameters.model.path = os.fspath(model)
    parameters.n_ctx = min(model.context_length or 4096, 4096)
    parameters.n_predict = 32
    print("loading", parameters.model.path, "with a context of", parameters.n_ctx)
    server = xllamacpp.Server(parameters)
    answer = server.handle_completions({"prompt": prompt, "max_tokens": 32})
    print(answer["choices"][0]["text"])


if __name__ == "__main__":
    main()
