#!/usr/bin/env bash
# Programs that were written for Ollama, unchanged, against `modelkeep serve`: the packages of
# PyPI and npm; then a short load.
set -euo pipefail
cd "$(dirname "$0")/.."
modelkeep=$PWD/target/debug/modelkeep
source tests/checks.sh
work=$(mktemp -d)
server= closed=
cleanup() { kill $server $closed 2>/dev/null || true; rm -rf "$work"; }

for name in llava llama3.2 llama3:13b; do
    "$modelkeep" --store "$work/models" import tests/data/tiny.gguf "$name" >/dev/null
done
"$modelkeep" --store "$work/models" serve --addr 127.0.0.1:0 2>"$work/log" &
server=$!
until host=$(grep -o 'http://127.0.0.1:[0-9]*' "$work/log"); do sleep 0.05; done

python3 -m venv target/clients
target/clients/bin/pip install --quiet --disable-pip-version-check ollama openai
target/clients/bin/python tests/clients/client.py "$host"
pass "the client of PyPI"

echo 0123456789-secret-token >"$work/tokens"
"$modelkeep" --store "$work/models" serve --addr 127.0.0.1:0 --token-file "$work/tokens" 2>"$work/closed-log" &
closed=$!
until guarded=$(grep -o 'http://127.0.0.1:[0-9]*' "$work/closed-log"); do sleep 0.05; done
OLLAMA_API_KEY=0123456789-secret-token target/clients/bin/python tests/clients/client.py "$guarded"
said=$(target/clients/bin/python tests/clients/client.py "$guarded" 2>&1) && exit 1
[[ $said == *"authentication required"* ]]
kill "$closed"
wait "$closed"
closed=
pass "the client of PyPI brings a token"
target/clients/bin/python tests/clients/openai_client.py "$host"
pass "the client of OpenAI"

if command -v npm >/dev/null; then
    mkdir -p target/npm
    cp tests/clients/client.mjs target/npm/
    npm install --silent --no-fund --no-audit --prefix target/npm ollama >/dev/null
    node target/npm/client.mjs "$host"
    pass "the client of npm"
else
    skip "the client of npm" "no npm on the path"
fi

kill -INT "$server"
wait "$server"
server=
pass "an interrupt ends the server cleanly"

python3 tests/load.py --connections 200 --seconds 2 "$modelkeep"
pass "an honest client is answered beside many that are not"
