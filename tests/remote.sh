#!/usr/bin/env bash
# `modelkeep push`, `pull` and `ls-remote` with a registry that others made: docker-registry, open, and
# with passwords, TLS and certificates of clients; and pulls that are killed.
set -euo pipefail
cd "$(dirname "$0")/.."
modelkeep=${MODELKEEP:-$PWD/target/debug/modelkeep}
source tests/checks.sh
registry=${MODELKEEP_REGISTRY:-docker-registry}
for program in "$registry" openssl htpasswd; do
    if ! command -v "$program" >/dev/null; then
        skip "push and pull" "no $program on the path"
        exit 0
    fi
done
work=$(mktemp -d)
pids=()
cleanup() {
    [ ${#pids[@]} = 0 ] || { kill -9 "${pids[@]}" && wait "${pids[@]}"; } 2>/dev/null || true
    rm -rf "$work"
}
# What the machine has of credentials and proxies is nothing to these tests.
unset DOCKER_AUTH_CONFIG REGISTRY_AUTH_FILE XDG_RUNTIME_DIR XDG_CONFIG_HOME
export HOME=$work/home DOCKER_CONFIG=$work/docker HTTPS_PROXY=http://127.0.0.1:1 HTTP_PROXY=http://127.0.0.1:1
unset NO_PROXY no_proxy
mkdir -p "$HOME" "$DOCKER_CONFIG"

# Starts a registry; its port is in `port`. What it is told of HTTP and of who may come follows.
starts() { # NAME HTTP REST
    port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    cat >"$work/$1.yml" <<END
version: 0.1
log: {level: error, accesslog: {disabled: true}}
storage: {filesystem: {rootdirectory: $work/$1}}
http: {addr: "127.0.0.1:$port", secret: x$2}
$3
END
    "$registry" serve "$work/$1.yml" >"$work/$1.log" 2>&1 &
    pids+=($!)
    until (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; do sleep 0.05; done
}
refused() { # WORDS COMMAND...; fails, and says so
    local words=$1
    shift
    if "$@" >"$work/said" 2>&1; then return 1; fi
    grep -q -e "$words" "$work/said" || { cat "$work/said" >&2; return 1; }
    if grep -q "secret-word\|wrong-word" "$work/said"; then return 1; fi
}

# A model of 96 MB, so that a pull takes a while.
python3 tests/large_gguf.py "$work/large.gguf" $((96 << 20))
ours=("$modelkeep" --store "$work/models")
"${ours[@]}" import tests/data/tiny.gguf tiny >/dev/null
"${ours[@]}" import "$work/large.gguf" large >/dev/null

starts open "" ""
open=127.0.0.1:$port
[ "$("${ours[@]}" push tiny "$open/team/tiny:a" | tail -1)" = "sent 882 B in 2 blobs; 0 there already" ]
[ "$("${ours[@]}" push tiny "$open/team/tiny:b" | tail -1)" = "sent 0 B in 0 blobs; 2 there already" ]
"${ours[@]}" push large "$open/team/large" >/dev/null
curl -s --noproxy '*' "http://$open/v2/team/tiny/manifests/a" -H 'accept: application/vnd.docker.distribution.manifest.v2+json' |
    cmp - "$work/models/manifests/registry.ollama.ai/library/tiny/latest"
[ "$("${ours[@]}" ls-remote "$open/team/tiny")" = "$open/team/tiny:a
$open/team/tiny:b" ]
[ "$("${ours[@]}" ls-remote "$open" --json)" = "[\"$open/team/large\",\"$open/team/tiny\"]" ]
pass "a model is pushed as it is, and once"

theirs=("$modelkeep" --store "$work/others")
mkdir "$work/others"
[ "$("${theirs[@]}" pull "$open/team/tiny:a" | head -1)" = "pulled $open/team/tiny:a" ]
"${theirs[@]}" pull "localhost:${open#*:}/team/tiny:b" mine | grep -q '^fetched 0 B in 0 blobs; 2 stored already'
cmp "$work/others/manifests/$open/team/tiny/a" "$work/models/manifests/registry.ollama.ai/library/tiny/latest"
refused "manifest unknown" "${theirs[@]}" pull "$open/team/tiny:none"
pass "a model is pulled as it is, and once"

# The names here tell which repositories have a blob already.
"${theirs[@]}" push "$open/team/tiny:a" "$open/team/copy:a" --json | grep -q '"sent_blobs":0,"sent_bytes":0,"mounted_blobs":2'
pass "blobs are mounted from another repository"

# A manifest that does not state its type goes, too.
untyped=$work/others/manifests/registry.ollama.ai/library/untyped
mkdir -p "$untyped"
sed 's|"mediaType":"application/vnd.docker.distribution.manifest.v2+json",||' \
    "$work/others/manifests/$open/team/tiny/a" >"$untyped/latest"
"${theirs[@]}" push untyped "$open/team/untyped" >/dev/null
"${theirs[@]}" pull "$open/team/untyped" typed >/dev/null
cmp "$untyped/latest" "$untyped/../typed/latest"
pass "a manifest without a type"

# Killed ever later, a pull goes on with what it has.
kept=0
for hundredths in 05 10 15 20 25 30 35 40 45 50 60 70 80 90; do
    { timeout -s KILL "0.$hundredths" "${theirs[@]}" pull "$open/team/large" || true; } >/dev/null 2>&1
    [ ! -e "$work/others/manifests/$open/team/large/latest" ] || break
    [ -z "$(find "$work/others/.modelkeep" -name '*-partial')" ] || kept=$((kept + 1))
done
"${theirs[@]}" pull "$open/team/large" --json >"$work/pulled"
"${theirs[@]}" verify >/dev/null
[ -z "$(find "$work/others/.modelkeep/tmp" -type f)" ]
pass "a pull that was killed $kept times in the middle ends whole, and leaves nothing"

# And so does a push: no manifest is there before its blobs are.
killed=0
for hundredths in 05 10 15 20 25 30 35 40 45 50 60 70 80 90; do
    { timeout -s KILL "0.$hundredths" "${ours[@]}" push large "$open/killed/large" || true; } >/dev/null 2>&1
    ! "${ours[@]}" ls-remote "$open/killed/large" >/dev/null 2>&1 || break
    killed=$((killed + 1))
done
"${ours[@]}" push large "$open/killed/large" >/dev/null
"${theirs[@]}" pull "$open/killed/large" again >/dev/null
curl -sf --noproxy '*' "http://$open/v2/killed/large/blobs/sha256:$("${ours[@]}" path large | sed 's/.*sha256-//')" |
    cmp - "$("${ours[@]}" path large)"
pass "a push that was killed $killed times in the middle ends whole"

# A proxy knows hosts that nobody else does; whoever may do without it does.
python3 - "${open#*:}" >"$work/proxy" <<'END' &
import socket, sys, threading
listener = socket.create_server(("127.0.0.1", 0))
print(listener.getsockname()[1], flush=True)
def pump(source, to):
    while data := source.recv(1 << 16):
        to.sendall(data)
    to.shutdown(socket.SHUT_WR)
while True:
    client, _ = listener.accept()
    head = b""
    while b"\r\n\r\n" not in head:
        head += client.recv(1)
    print(head.split(b" ")[1].decode(), flush=True)
    server = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    client.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    for pair in ((client, server), (server, client)):
        threading.Thread(target=pump, args=pair, daemon=True).start()
END
pids+=($!)
until proxy=$(head -1 "$work/proxy") && [ -n "$proxy" ]; do sleep 0.05; done
elsewhere=registry.invalid:5000/team/tiny:a
ALL_PROXY=http://127.0.0.1:$proxy "${theirs[@]}" pull --plain-http "$elsewhere" proxied >/dev/null
grep -q '^registry.invalid:5000$' "$work/proxy"
ALL_PROXY=http://127.0.0.1:$proxy NO_PROXY=registry.invalid refused "asking registry.invalid" \
    "${theirs[@]}" pull --plain-http "$elsewhere" proxied
pass "a proxy, and hosts without one"

# Certificates of an authority of our own, for the registry and for who comes.
authority() { # NAME EXTENSIONS
    openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/$1.key" -subj "/CN=$1" \
        -out "$work/$1.csr" 2>/dev/null
    openssl x509 -req -in "$work/$1.csr" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -days 2 \
        -extfile <(printf '%s' "$2") -out "$work/$1.pem" 2>/dev/null
}
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "$work/ca.key" -days 2 \
    -subj /CN=authority -addext basicConstraints=critical,CA:TRUE -out "$work/ca.pem" 2>/dev/null
authority server "subjectAltName=IP:127.0.0.1,DNS:localhost"
authority client "extendedKeyUsage=clientAuth"
htpasswd -nbB bob secret-word | head -1 >"$work/users"
tls=", tls: {certificate: $work/server.pem, key: $work/server.key}"
starts closed "$tls" "auth: {htpasswd: {realm: x, path: $work/users}}"
closed=127.0.0.1:$port
trusting=(--ca-file "$work/ca.pem")
refused "docker login" "${ours[@]}" push tiny "$closed/team/tiny" "${trusting[@]}"
refused "status 401" "${ours[@]}" push tiny "$closed/team/tiny" "${trusting[@]}" --username bob --password-stdin <<<wrong-word
"${ours[@]}" push tiny "$closed/team/tiny" "${trusting[@]}" --username bob --password-stdin <<<secret-word >/dev/null
auth=$(printf bob:secret-word | base64)
DOCKER_AUTH_CONFIG="{\"auths\":{\"$closed\":{\"auth\":\"$auth\"}}}" \
    "${theirs[@]}" pull "$closed/team/tiny" one "${trusting[@]}" >/dev/null
printf '{"auths":{"%s":{"auth":"%s"}}}' "$closed" "$auth" >"$DOCKER_CONFIG/config.json"
"${theirs[@]}" pull "$closed/team/tiny" two "${trusting[@]}" >/dev/null
# A helper is asked on its standard input, and answers on its output.
mkdir "$work/bin"
cat >"$work/bin/docker-credential-test" <<'END'
#!/bin/sh
read -r host
case $host in
    "$ITS_HOST") printf '{"ServerURL":"%s","Username":"bob","Secret":"%s"}' "$host" "$ITS_SECRET" ;;
    *) echo credentials not found in native keychain; exit 1 ;;
esac
END
chmod +x "$work/bin/docker-credential-test"
printf '{"credsStore":"test"}' >"$DOCKER_CONFIG/config.json"
export PATH=$work/bin:$PATH ITS_HOST=$closed ITS_SECRET=secret-word
"${theirs[@]}" pull "$closed/team/tiny" three "${trusting[@]}" >/dev/null
ITS_HOST=elsewhere refused "docker login" "${theirs[@]}" pull "$closed/team/tiny" four "${trusting[@]}"
ITS_SECRET=wrong-word refused "status 401" "${theirs[@]}" pull "$closed/team/tiny" four "${trusting[@]}"
pass "passwords of an option, of the environment, of a file and of a helper"

printf '{}' >"$DOCKER_CONFIG/config.json"
refused "plain-http.*ca-file" "${theirs[@]}" pull "localhost:${closed#*:}/team/tiny" five --ca-file "$work/client.pem"
refused "ca-file" "${theirs[@]}" pull "$closed/team/tiny" five
starts mutual ", tls: {certificate: $work/server.pem, key: $work/server.key, clientcas: [$work/ca.pem]}" ""
mutual=127.0.0.1:$port
refused "asking 127.0.0.1" "${ours[@]}" push tiny "$mutual/team/tiny" "${trusting[@]}"
"${ours[@]}" push tiny "$mutual/team/tiny" "${trusting[@]}" --client-cert "$work/client.pem" --client-key "$work/client.key" >/dev/null
pass "an authority of our own, and certificates of clients"
