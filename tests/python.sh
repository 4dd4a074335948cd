#!/usr/bin/env bash
# The Python binding: builds the wheel and the source distribution of a release into target/dist, and
# tests the wheel in an environment of its own.
#   tests/python.sh [pytest arguments]
# PYTHON names the interpreter; else the first of 3.11 or newer on the path.
set -euo pipefail
cd "$(dirname "$0")/.."

venv=target/venv

suits() { "$1" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; }

find_python() {
    local name
    for name in ${PYTHON:-python3 python3.15 python3.14 python3.13 python3.12 python3.11}; do
        if suits "$name"; then
            echo "$name"
            return
        fi
    done
    echo "Python 3.11 or newer is needed; PYTHON=... names one" >&2
    return 1
}

if ! suits "$venv/bin/python"; then
    python=$(find_python)
    "$python" -m venv --clear "$venv"
fi
export PATH="$PWD/$venv/bin:$PATH" PYTHONPYCACHEPREFIX="$PWD/target/pycache"
pip() { python -m pip --disable-pip-version-check --quiet "$@"; }
pip install pytest mypy pyright numpy gguf ollama tqdm rich
# What works on the transport, and a binding of llama.cpp: their tests are skipped where they are not.
pip install langchain-ollama litellm llama-index-llms-ollama xllamacpp || true
rm -rf target/dist
bash release/wheels.sh target/dist "$(rustc -vV | sed -n 's/^host: //p')" sdist
pip install --force-reinstall --no-deps target/dist/*.whl

python -m mypy --strict tests/python python/modelkeep
allowed="$PWD/tests/python/stubtest.txt"
(cd target && python -m mypy.stubtest modelkeep --allowlist "$allowed" --ignore-unused-allowlist)
cat >target/pyrightconfig.json <<END
{"include": ["../python/modelkeep"], "typeCheckingMode": "strict", "venvPath": "$PWD/target", "venv": "venv"}
END
python -m pyright -p target/pyrightconfig.json
echo "types of Python: 3 passed, 0 failed"
python -m pytest --quiet "$@"
