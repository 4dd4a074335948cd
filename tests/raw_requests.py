"""Raw requests for tests/side_by_side.py: targets, hosts and origins of every form."""

import socket
import urllib.parse

METHODS = ["GET", "GET", "HEAD", "POST", "DELETE", "OPTIONS", "PUT", "PATCH", "TRACE", "get", "CONNECT"]
PATHS = ["/", "/api/tags", "/api/version", "/api/show", "/api/copy", "/api/delete", "/api/blobs/x", "/api/blobs",
         "/api/blobs/sha256:" + "a" * 64, "/api/blobs/sha256-" + "b" * 64, "/api/create", "/api/chat", "/api/ps",
         "/api/pull", "/api/me", "/api/user/keys/x", "/api/status", "/v1/models", "/v1/models/x", "/v1/chat/completions",
         "/api", "/nope", "/API/tags", "/api/Tags", "/v1"]
# What was pointed at this machine, what is its own, and what is malformed.
HOSTS = ["localhost", "127.0.0.1:11434", "evil.example", "foo.local", "x.internal", "8.8.8.8", "10.1.2.3", "[::1]:5",
         "[::1]", "::1", "[::]:1", "0.0.0.0", "LOCALHOST", "localhost.", "localhost.evil", "192.168.1.1:80", "127.1",
         "127.0.0.1.", "2130706433", "[::ffff:127.0.0.1]:1", "[::ffff:8.8.8.8]:1", "[fe80::1]:1", "[fd00::1]:1",
         "fc00::1", "224.0.0.1", "255.255.255.255", "172.16.0.1", "172.32.0.1", "100.64.0.1", "local", ".local",
         "a.localhost", "localhost:", "localhost:x", "localhost:1:2", "[localhost]:1", "[localhost]", "010.0.0.1",
         "127.0.0.1%lo", "a b", "local/host", "user@localhost", "localhost,evil", 'a"b', "%6c", "", "[::1", "::1]:2",
         socket.gethostname(), socket.gethostname() + ":1"]
ORIGINS = ["http://localhost", "http://localhost:3000", "https://127.0.0.1:1", "http://evil.example", "null", "app://x",
           "file://", "tauri://localhost", "vscode-webview://x", "http://foo.local", "https://0.0.0.0", "app:",
           "http://localhost:x", "chrome-extension://abc", "http://LOCALHOST", "HTTP://localhost", "http://[::1]:3",
           "http://localhost.evil", "https://evil.example", ""]


def escaped(random, path):
    """The path with some of its letters written as escapes, now and then a malformed one."""
    pieces = [f"%{ord(letter):02X}" if index and random.random() < 0.1 else letter for index, letter in enumerate(path)]
    return "".join(pieces) + random.choice(["", "", "", "", "%2F", "%zz", "%", "%2", "%20", "%00"])


def target(random):
    path = random.choice(PATHS)
    form = random.random()
    if form < 0.25:
        path = path.replace("/", random.choice(["//", "/./", "/x/../", "/../"]), 1)
    elif form < 0.4:
        path = escaped(random, path)
    elif form < 0.6:
        path += random.choice(["/", "//", "/.", "/..", "/x", "/%2e%2e"])
    if random.random() < 0.2:
        path += random.choice(["?", "?a=b&c", "?x=%zz"])
    form = random.random()
    if form < 0.1:
        return random.choice(["http", "https", "ftp"]) + "://" + random.choice(HOSTS[:9]) + path
    return random.choice(["*", "api/tags", "?x"]) if form < 0.13 else path


def request(random):
    """A request as text, up to the end of its head."""
    method, lines, asked = random.choice(METHODS), [], target(random)
    # Ollama stores what is sent to it, and what CONNECT says of another server is another's.
    method = "PUT" if method == "POST" and "blobs" in urllib.parse.unquote(asked) else method
    method = "GET" if method == "CONNECT" and not asked.startswith("/") else method
    hosts = random.choices([1, 0, 2], [20, 1, 1])[0]
    lines += [f"Host: {random.choice(HOSTS if random.random() < 0.5 else HOSTS[:1])}" for _ in range(hosts)]
    if random.random() < 0.4:
        lines += [f"Origin: {random.choice(ORIGINS)}" for _ in range(random.choice([1, 1, 1, 2]))]
    version = random.choices(["HTTP/1.1", "HTTP/1.0"], [10, 1])[0]
    odd = ["Expect: x"] + ["CopyMode-Encoding: gzip, chunked"] * (version == "HTTP/1.1")
    lines += [line for line in odd if random.random() < 0.02]
    return "\r\n".join([f"{method} {asked} {version}", *lines, "Connection: close", "", ""])


def ask(port, text):
    """The answer as far as it binds: the status, and what sends clients on or lets pages in."""
    with socket.create_connection(("127.0.0.1", port), timeout=20) as connection:
        connection.sendall(text.encode("latin1"))
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.decode("latin1").partition("\r\n\r\n")
    status, *lines = head.split("\r\n")
    status = int(status.split(" ")[1])
    if status == 400:
        return status, [], ""
    kept = ("allow", "location", "content-type", "access-control")
    headers = [(name.lower(), value.strip()) for name, _, value in (line.partition(":") for line in lines)]
    vary = [("vary", part.strip()) for name, value in headers if name == "vary" for part in value.split(",")]
    bound = sorted([pair for pair in headers if pair[0].startswith(kept)] + vary)
    if status == 403:
        # Ours says which host or origin was refused; Ollama says nothing.
        return status, [pair for pair in bound if pair[0] != "content-type"], ""
    return status, bound, body if 300 <= status < 500 and not body.startswith("{") else ""


def differ(want, got):
    """Whether two answers differ beyond what Ollama does and we do not: 501, and said so."""
    is_served = got[0] != 501 or want[0] == 501
    return is_served and want != got
