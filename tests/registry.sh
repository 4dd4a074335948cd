#!/usr/bin/env bash
# `modelkeep serve --registry` for those who fetch from registries: Ollama itself, unmodified, and
# skopeo and curl, which know OCI.
set -euo pipefail
cd "$(dirname "$0")/.."
modelkeep=$PWD/target/debug/modelkeep
source tests/checks.sh
work=$(mktemp -d)
pids=()
# Ends programs without a word of the shell about it.
ends() { # PID...
    { kill -9 "$@" && wait "$@"; } 2>/dev/null || true
}
cleanup() { [ ${#pids[@]} = 0 ] || ends "${pids[@]}"; rm -rf "$work"; }

# A model of 96 MB, so that a pull takes a while.
python3 tests/large_gguf.py "$work/large.gguf" $((96 << 20))
for file in tests/data/tiny.gguf "$work/large.gguf"; do
    name=$(basename "$file" .gguf)
    "$modelkeep" --store "$work/models" import "$file" "$name" >/dev/null
done
"$modelkeep" --store "$work/models" cp tiny tiny:second >/dev/null
# Starts a registry; its address is in `address`.
serves() { # STORE LOG OPTION...
    local store=$1 log=$2
    shift 2
    "$modelkeep" --store "$work/$store" serve --registry --addr 127.0.0.1:0 "$@" 2>"$log" &
    pids+=($!)
    until address=$(grep -o '127.0.0.1:[0-9]*' "$log" | head -1); do sleep 0.05; done
}
if command -v htpasswd >/dev/null; then
    htpasswd -nbB -C 10 bob secret-word | head -1 >"$work/users"
    serves models "$work/closed-log" --htpasswd "$work/users"
fi
closed=${address:-}
serves models "$work/log"
port=${address#*:}
stored() { # NAME; the digest of its weights
    "$modelkeep" --store "$work/models" path "$1" | sed 's/.*sha256-//'
}

# A broken download goes on where it stopped, as curl does it.
weights=$(stored large)
blob=http://$address/v2/library/large/blobs/sha256:$weights
curl -sf -r 0-33333333 -o "$work/part" "$blob"
curl -sf -C - -o "$work/part" "$blob"
echo "$weights  $work/part" | sha256sum --check --quiet
pass "a blob in two parts"

if command -v skopeo >/dev/null; then
    repository=docker://$address/library/tiny
    skopeo list-tags --tls-verify=false "$repository" | grep -q '"second"'
    skopeo inspect --raw --tls-verify=false "$repository:latest" >"$work/manifest"
    cmp "$work/manifest" "$work/models/manifests/registry.ollama.ai/library/tiny/latest"
    pass "the tags and a manifest, by skopeo"
else
    skip "a registry and skopeo" "no skopeo on the path"
fi

# With passwords: as htpasswd writes them, skopeo logs in, and curl.
if [ -z "$closed" ]; then
    skip "a registry with passwords" "no htpasswd on the path"
else
    answers() { # OPTION...; the status
        curl -s -o /dev/null -w '%{http_code}' "$@" "http://$closed/v2/library/tiny/manifests/latest"
    }
    # Many that log in at once with the same password are all admitted.
    for _ in $(seq 40); do printf 'url = "http://%s/v2/"\noutput = /dev/null\n' "$closed"; done >"$work/many"
    statuses=$(curl -sS -Z --parallel-max 40 -u bob:secret-word -w '%{http_code}\n' -K "$work/many" 2>/dev/null | sort | uniq -c)
    [ "$(echo $statuses)" = "40 200" ]
    [ "$(answers) $(answers -u bob:wrong) $(answers -u bob:secret-word)" = "401 401 200" ]
    if command -v skopeo >/dev/null; then
        repository=docker://$closed/library/tiny
        skopeo login --authfile "$work/auth.json" --tls-verify=false -u bob -p secret-word "$closed" >/dev/null
        skopeo inspect --raw --authfile "$work/auth.json" --tls-verify=false "$repository" | cmp - "$work/manifest"
        skopeo inspect --raw --creds bob:secret-word --tls-verify=false "$repository" | cmp - "$work/manifest"
        said=$(skopeo inspect --raw --creds bob:wrong --tls-verify=false "$repository" 2>&1 || true)
        [[ $said == *unauthorized* ]]
    fi
    if grep -q secret-word "$work/closed-log"; then exit 1; fi
    pass "a registry with passwords, by curl and skopeo"
fi

ollama=
for place in "${MODELKEEP_OLLAMA:-}" "${MODELKEEP_SHARED:-../shared}/ref/ollama" "$(command -v ollama || true)"; do
    [ -n "$ollama" ] || [ ! -x "$place" ] || ollama=$(realpath "$place")
done
if [ -z "$ollama" ]; then
    skip "Ollama pulls" "no ollama in \$MODELKEEP_OLLAMA, ../shared/ref or \$PATH"
    exit
fi

# Starts Ollama on a store of its own; its address is in `node`.
node= node_pid=
starts() { # DIRECTORY
    local free
    free=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    mkdir -p "$1"
    (cd "$1" && HOME=$1 OLLAMA_MODELS=$1/models OLLAMA_HOST=127.0.0.1:$free OLLAMA_NO_CLOUD=1 \
        exec "$ollama" serve) >>"$work/ollama.log" 2>&1 &
    node_pid=$!
    pids+=("$node_pid")
    node=127.0.0.1:$free
    until curl -s "$node" >/dev/null; do sleep 0.05; done
}
pulls() { # NAME; what it says last
    curl -s "$node/api/pull" -d "{\"model\":\"$1\",\"insecure\":true}" | tail -1
}
both_pull() { # NAME; at the same time, on `first` and `second`
    node=$first pulls "$1" >"$work/said-one" &
    local one=$!
    node=$second pulls "$1" >"$work/said-two"
    wait "$one"
    grep -q success "$work/said-one" && grep -q success "$work/said-two"
}
shows() { # ADDRESS NAME; all but where and when
    curl -sf "$1/api/show" -d "{\"model\":\"$2\",\"verbose\":true}" | python3 -c '
import json, sys
shown = json.load(sys.stdin)
for key in ("modelfile", "modified_at"):
    del shown[key]
print(json.dumps(shown))'
}

# By address and by name: each is spelled otherwise in another way.
starts "$work/one"
[ "$(pulls "127.0.0.1:$port/library/tiny")" = '{"status":"success"}' ]
[ "$(pulls "localhost:$port/library/tiny:second")" = '{"status":"success"}' ]
diff <(shows "$address" tiny) <(shows "$node" "127.0.0.1:$port/library/tiny")
"$modelkeep" --store "$work/one/models" verify >/dev/null
pass "Ollama pulls by address and by name, and shows what we show"

# Ollama has no password for a registry, only its key, and says so.
if [ -n "$closed" ]; then
    [[ $(pulls "$closed/library/tiny") == *"realm host"*"does not match original host"* ]]
    pass "Ollama is refused where passwords are asked for"
fi

# Several at once; and one that is killed in the middle goes on with what it has.
first=$node
starts "$work/two"
second=$node two=$node_pid
curl -s "$second/api/pull" -d "{\"model\":\"127.0.0.1:$port/library/large\",\"insecure\":true}" >"$work/begun" &
until ls "$work"/two/models/blobs/*-partial* >/dev/null 2>&1 || grep -q success "$work/begun"; do sleep 0.01; done
begun=$!
ends "$two"
wait "$begun" || true
starts "$work/two"
second=$node
both_pull "127.0.0.1:$port/library/large"
for place in one two; do
    "$modelkeep" --store "$work/$place/models" verify >/dev/null
    [ -e "$work/$place/models/blobs/sha256-$weights" ]
done
pass "Ollama pulls beside another, and goes on after it was killed"

# A cache in front of it: two nodes that come at once have each blob fetched once, and Ollama sees no
# difference.
open=$address
serves models "$work/origin-log"
mkdir "$work/cache"
serves cache "$work/cache-log" --upstream "$address"
cache=$address
starts "$work/three"
first=$node
starts "$work/four"
second=$node
both_pull "$cache/library/large"
grep -q "/blobs/sha256:$weights" "$work/cache-log"
until grep -q "modelkeep: fetched large:latest: " "$work/cache-log"; do sleep 0.05; done
fetched=$(awk '/ GET .*\/blobs\// && $5 ~ /^20/ { sum += $6 } END { print sum + 0 }' "$work/origin-log")
[ "$fetched" = "$(find "$work/cache/blobs" -type f -printf '%s\n' | awk '{ sum += $1 } END { print sum + 0 }')" ]
diff <(shows "$open" large) <(shows "$first" "$cache/library/large")
for place in three/models four/models cache; do "$modelkeep" --store "$work/$place" verify >/dev/null; done
pass "Ollama pulls through a cache, which fetches each byte once"
