# shellcheck shell=bash
# Sourced by the scripts beside it: a test server's own folder, port and process, on loopback.
# A script sets NAME and the functions prepare, launch PORT (prints nothing, execs the server) and
# answers PORT, then calls serve "$@".
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
. tools/versions.env

folder=  # of the instance; set by serve
SERVERS=${XDG_CACHE_HOME:-${HOME:-$PWD/build}/.cache}/sluice/servers

say() { printf '%s: %s\n' "$(basename "$0" .sh)" "$*" >&2; }
fail() { say "$*"; exit 1; }

free_port() {
  python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'
}

# A zombie is dead, whatever kill -0 says.
is_running() {
  local state
  [ -n "${1:-}" ] && state=$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null) && [[ $state != [ZX] ]]
}

start() {
  local port tries
  if is_running "$(cat "$folder/pid" 2>/dev/null)"; then cat "$folder/uri"; return; fi
  prepare
  mkdir -p "$folder"
  for tries in 1 2 3; do  # another process may take the port first
    port=$(free_port)
    (launch "$port") </dev/null >"$folder/log" 2>&1 9>&- &
    echo $! >"$folder/pid"
    if wait_for_answer "$port"; then
      uri_of "$port" | tee "$folder/uri"
      return
    fi
    stop
    say "try $tries failed: $(tail -n 3 "$folder/log")"
  done
  fail "does not start; its log is $folder/log"
}

wait_for_answer() {
  local n
  for ((n = 0; n < 300; n++)); do
    if answers "$1" >/dev/null 2>&1; then return; fi
    is_running "$(cat "$folder/pid")" || return 1
    sleep 0.1
  done
  return 1
}

stop() {
  local pid n
  pid=$(cat "$folder/pid" 2>/dev/null || true)
  rm -f "$folder/pid" "$folder/uri"
  is_running "$pid" || return 0
  kill -TERM "$pid" 2>/dev/null || true
  for ((n = 0; n < 100; n++)); do
    is_running "$pid" || return 0
    sleep 0.1
  done
  kill -KILL "$pid" 2>/dev/null || true
}

# serve VERB [NAME]
serve() {
  local verb=${1:-start}
  folder=$SERVERS/$(basename "$0" .sh)/${2:-default}
  case $verb in
    start) mkdir -p "$folder"; exec 9>"$folder.lock"; flock 9; start ;;
    stop) stop ;;
    uri) cat "$folder/uri" ;;
    destroy) stop; rm -rf "$folder" "$folder.lock" ;;
    prepare) prepare ;;
    *) fail "usage: $0 start|stop|uri|destroy|prepare [NAME]" ;;
  esac
}
