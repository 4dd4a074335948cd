"""Verifies a store with a bar of tqdm; Ctrl-C stops it.

    python verify_tqdm.py [DIRECTORY]
"""

import sys

from tqdm.auto import tqdm

import modelkeep


def main() -> int:
    store = modelkeep.Store(*sys.argv[1:2])
    with tqdm(desc="verifying", unit="B", unit_scale=True, total=0) as bar:

        def tell(progress: modelkeep.Progress) -> None:
            bar.total = progress.total_bytes
            bar.set_postfix(files=f"{progress.files}/{progress.total_files}")
            bar.update(progress.bytes - bar.n)

        report = store.verify(progress=tell)
    for finding in report:
        if finding.status != "ok":
            print(finding.status, finding.path, *finding.models)
    print("all is well" if report.ok else "damaged")
    return 0 if report.ok else 1


if __name__ == "__main__":
    sys.exit(main())
