"""Compares the vocabularies of two models with numpy: what they share, and whose scores differ.

    python vocabularies.py NAME NAME [DIRECTORY]
"""

import sys

import numpy

import modelkeep


def main() -> None:
    one, other, *directory = sys.argv[1:]
    store = modelkeep.Store(*directory)
    files = [store[name].gguf for name in (one, other)]
    words = [numpy.array(file["tokenizer.ggml.tokens"].tolist()) for file in files]
    shared = numpy.intersect1d(*words)
    print(f"{one}: {len(words[0]):,} tokens; {other}: {len(words[1]):,}; {len(shared):,} in both")
    same = min(len(words[0]), len(words[1]))
    print(f"{numpy.count_nonzero(words[0][:same] == words[1][:same]):,} have the same number")
    if all("tokenizer.ggml.scores" in file for file in files):
        # Views of the files: nothing is copied.
        scores = [numpy.frombuffer(file["tokenizer.ggml.scores"], "f4") for file in files]
        print(f"scores: mean {scores[0].mean():.3f} and {scores[1].mean():.3f}")


if __name__ == "__main__":
    main()
