"""A table of the models with what each alone holds and what it shares.

    python table.py [DIRECTORY]
"""

import sys

import modelkeep


def size(count: float) -> str:
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.1f} {unit}" if unit != "B" else f"{count:.0f} B"
        count /= 1000
    return f"{count:.1f} TB"


def main() -> None:
    store = modelkeep.Store(*sys.argv[1:2])
    usage = {model.name: model for model in store.usage()}
    print(f"{'NAME':40} {'OWN':>10} {'SHARED':>10} {'CONTEXT':>8}  CAN")
    for model in sorted(store.list()):
        disk = usage[model.name]
        context = model.details.context_length or "-"
        own, shared = size(disk.exclusive), size(disk.shared)
        print(f"{model.name:40} {own:>10} {shared:>10} {context:>8}  {', '.join(model.capabilities)}")
    for problem in store.list().problems:
        print(problem, file=sys.stderr)


if __name__ == "__main__":
    main()
