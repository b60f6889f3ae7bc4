#!/usr/bin/env bash
# Compares reverb-go with soketi and with a bare uWebSockets pub/sub on this machine, in turn, and writes the
# table of docs/performance.md and a page with charts.
#
#   compare.sh REVERB-GO [NAME=URL]…      URLs as bench --compare takes them, of servers that run already
#
# ROUNDS (3) is how often, OUT (bin) the folder for reports, DOC (docs/performance.md) the document; an empty
# DOC leaves it alone. FRESH are the scenarios each round of which has servers that were just started, REST those that share
# them, and REPORT is the name of the report.
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
bin=$(cd "$(dirname "$1")" && pwd)/$(basename "$1")
shift
out=${OUT:-bin}
doc=${DOC-docs/performance.md}
rounds=${ROUNDS:-3}
fresh=${FRESH-memory memory-own}
rest=${REST-scenarios}
report=${REPORT:-compare}
mkdir -p "$out"

work=$(mktemp -d)
pids=()
stop() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  for pid in "${pids[@]}"; do wait "$pid" 2>/dev/null || true; done
  pids=()
}
trap 'stop; rm -rf "$work"' EXIT
trap 'exit 130' INT TERM

# install gets soketi and uWebSockets; without npm or its registry there is nothing to compare with.
install() {
  command -v node >/dev/null && command -v npm >/dev/null || { echo "no npm here: soketi and uWebSockets are left out" >&2; return 1; }
  cp "$here/uws.js" "$work/"
  "$here/install.sh" "$work" >"$work/npm.log" 2>&1 ||
    { tail -3 "$work/npm.log" >&2; echo "npm cannot install them: soketi and uWebSockets are left out" >&2; return 1; }
}

free_port() {
  local port
  while port=$((RANDOM % 20000 + 10000)); do
    (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
  done
}

# await waits until somebody listens on a port.
await() {
  local i
  for i in $(seq 100); do
    (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null && return
    sleep 0.1
  done
  echo "nobody listens on port $1" >&2
  cat "$work"/*.log >&2
  return 1
}

start_reverb_go() {
  (cd "$work" && REVERB_APP_ID=app-id REVERB_APP_KEY=app-key REVERB_APP_SECRET=app-secret \
    exec "$bin" start --host 127.0.0.1 --port "$1") >"$work/reverb-go.log" 2>&1 &
}

start_soketi() {
  (cd "$work" && SOKETI_DEFAULT_APP_ID=app-id SOKETI_DEFAULT_APP_KEY=app-key SOKETI_DEFAULT_APP_SECRET=app-secret \
    SOKETI_DEFAULT_APP_ENABLE_CLIENT_MESSAGES=true SOKETI_HOST=127.0.0.1 SOKETI_PORT="$1" \
    SOKETI_METRICS_HOST=127.0.0.1 SOKETI_METRICS_SERVER_PORT="$(free_port)" \
    exec node node_modules/@soketi/soketi/bin/server.js start) >"$work/soketi.log" 2>&1 &
}

start_uws() {
  (cd "$work" && exec node uws.js 127.0.0.1 "$1") >"$work/uws.log" 2>&1 &
}

# start puts a fresh server of each kind into targets.
targets=()
start() {
  local name port
  targets=()
  for name in "${names[@]}"; do
    port=$(free_port)
    "start_${name//-/_}" "$port"
    pids+=($!)
    targets+=(--compare "$name=ws://app-key:app-secret@127.0.0.1:$port/app-id?pid=$!")
    await "$port"
  done
}

names=(reverb-go)
if install; then names+=(soketi uws); fi
more=()
for other in "$@"; do more+=(--compare "$other"); done

# bench tests what a file says. A failed run is part of the result, and no reason to stop.
bench() {
  "$bin" bench --file "$here/$1" --rounds "$2" "${targets[@]}" "${others[@]}" --json "$3" >/dev/null || [ $? = 1 ]
}

# Servers that run already are fresh once at most.
others=("${more[@]}")
reports=()
for file in $fresh; do
  for round in $(seq "$rounds"); do
    start
    bench "$file.yaml" 1 "$work/$file-$round.json"
    reports+=("$work/$file-$round.json")
    stop
    others=()
  done
done
for file in $rest; do
  start
  others=("${more[@]}")
  bench "$file.yaml" "$rounds" "$work/$file.json"
  reports+=("$work/$file.json")
  stop
done

"$bin" bench show "${reports[@]}" --json "$out/$report.json" --html "$out/$report.html" ${doc:+--markdown "$doc"} || [ $? = 1 ]
