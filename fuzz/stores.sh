#!/usr/bin/env bash
# Makes stores at random, calls the engine on them from several processes, kills some, and looks
# from outside whether anything was lost.
#   fuzz/stores.sh [seconds [seed]]     what is found is printed with its seed and a smallest plan
#   fuzz/stores.sh quick                the same few hundred cases each time
#   fuzz/stores.sh plan FILE            makes the case of a plan again
set -euo pipefail
cd "$(dirname "$0")"
cargo build --quiet --release -p modelkeep-stores
stores=target/release/stores
case ${1:-60} in
    quick) exec "$stores" seeds 1 400 ;;
    plan | seeds | show | reduce) exec "$stores" "$@" ;;
    *) exec "$stores" run "${@:-60}" ;;
esac
