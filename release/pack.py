"""Packs a directory into DIRECTORY/NAME.tar.gz, or .zip for Windows, the same way each time.

    pack.py FROM DIRECTORY

Prints the path of the archive. Times are that of the commit, or $SOURCE_DATE_EPOCH; owners are nobody's.
"""

import gzip
import os
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path


def moment() -> int:
    stated = os.environ.get("SOURCE_DATE_EPOCH")
    return int(stated or subprocess.check_output(["git", "log", "-1", "--format=%ct"]))


def entries(root: Path) -> list[Path]:
    return sorted(path for path in root.rglob("*") if path.is_symlink() or not path.is_dir())


def mode(path: Path) -> int:
    return 0o755 if path.stat().st_mode & 0o100 else 0o644


def tar(root: Path, archive: Path, seconds: int) -> None:
    def plain(entry: tarfile.TarInfo) -> tarfile.TarInfo:
        entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = seconds, 0, 0, "", ""
        entry.mode = 0o777 if entry.issym() else mode(root.parent / entry.name)
        return entry

    with (
        open(archive, "wb") as file,
        gzip.GzipFile("", "wb", mtime=seconds, fileobj=file) as packed,
        tarfile.open(fileobj=packed, mode="w") as out,
    ):
        for path in entries(root):
            out.add(path, path.relative_to(root.parent).as_posix(), filter=plain)


def zip(root: Path, archive: Path, seconds: int) -> None:
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for path in entries(root):
            entry = zipfile.ZipInfo(path.relative_to(root.parent).as_posix(), time.gmtime(seconds)[:6])
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100000 | mode(path)) << 16
            out.writestr(entry, path.read_bytes())


def main() -> None:
    root, directory = Path(sys.argv[1]).resolve(), Path(sys.argv[2])
    windows = "-windows-" in root.name
    archive = directory / f"{root.name}{'.zip' if windows else '.tar.gz'}"
    (zip if windows else tar)(root, archive, moment())
    print(archive)


main()
