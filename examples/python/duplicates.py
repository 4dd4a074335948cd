"""Finds models that are there in several quantizations, and what the smaller ones would free.

    python duplicates.py [DIRECTORY]
"""

import sys
from collections import defaultdict

import modelkeep


def main() -> None:
    store = modelkeep.Store(*sys.argv[1:2])
    own = {model.name: model.exclusive for model in store.usage()}
    groups = defaultdict(list)
    for model in store.list():
        details = model.details
        base = model.name.partition(":")[0]
        groups[base, details.family, details.parameter_size].append(model)
    for (base, family, parameters), models in sorted(groups.items()):
        if len({model.details.quantization_level for model in models}) < 2:
            continue
        print(f"{base} ({family}, {parameters})")
        for model in sorted(models, key=lambda model: model.size, reverse=True):
            print(f"  {model.details.quantization_level:8} {model.name}: frees {own[model.name]:,} bytes")


if __name__ == "__main__":
    main()
