"""The registry of Docker on loopback, for tests that push and pull."""

import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Why a test that needs it is skipped; nothing where it is there.
MISSING = "" if shutil.which("docker-registry") else "no docker-registry on the path"


@contextmanager
def docker_registry(
    directory: Path,
    user: tuple[str, str] | None = None,
    certificate: tuple[Path, Path] | None = None,
) -> Iterator[str]:
    """Runs one, of what is in a directory, and returns its address, `HOST:PORT`. With a user it wants
    name and password, and with a certificate and its key it speaks TLS."""
    directory.mkdir(exist_ok=True)
    config: dict[str, object] = {
        "version": "0.1",
        "log": {"level": "info", "accesslog": {"disabled": True}},
        "storage": {"filesystem": {"rootdirectory": str(directory / "storage")}},
    }
    http: dict[str, object] = {"addr": "127.0.0.1:0"}
    if certificate:
        http["tls"] = {"certificate": str(certificate[0]), "key": str(certificate[1])}
    if user:
        users = subprocess.run(["htpasswd", "-Bbn", *user], capture_output=True, check=True).stdout
        (directory / "htpasswd").write_bytes(users)
        config["auth"] = {"htpasswd": {"realm": "models", "path": str(directory / "htpasswd")}}
    # What is JSON is YAML.
    (directory / "config.yml").write_text(json.dumps(config | {"http": http}))
    log = directory / "log"
    command = ["docker-registry", "serve", str(directory / "config.yml")]
    with log.open("wb") as said:
        process = subprocess.Popen(command, stdout=said, stderr=said)
    try:
        while not (found := re.search(r"listening on (127\.0\.0\.1:\d+)", log.read_text())):
            assert process.poll() is None, log.read_text()
            time.sleep(0.01)
        yield found[1]
    finally:
        process.terminate()
        process.wait()


def certificates(directory: Path) -> tuple[Path, Path, Path]:
    """Makes a private authority, and what it signs for this machine and for `registry.test`: its own
    certificate, that of the server, and the server's key."""

    def make(name: str, *more: str) -> tuple[Path, Path]:
        certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
        command = ["openssl", "req", "-x509", "-nodes", "-newkey", "rsa:2048", "-days", "2", *more]
        command += ["-subj", f"/CN={name}", "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        return certificate, key

    authority, key = make("authority")
    signed = ["-CA", str(authority), "-CAkey", str(key), "-addext", "basicConstraints=CA:FALSE"]
    server = make("server", *signed, "-addext", "subjectAltName=IP:127.0.0.1,DNS:localhost,DNS:registry.test")
    return authority, *server


def main() -> None:
    """Runs one of what is in a directory, and says where, until this is ended."""

    def end(*_: object) -> None:
        sys.exit(0)

    signal.signal(signal.SIGTERM, end)
    with docker_registry(Path(sys.argv[1])) as address:
        print(address, flush=True)
        signal.pause()


if __name__ == "__main__":
    main()
