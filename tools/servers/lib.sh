# shellcheck shell=bash disable=SC2016
# shellcheck disable=SC2034  # AS_USER and others are for the scripts that source this
# Shared by the server scripts (sourced). Needs: bash, coreutils, setpriv (util-linux), openssl, python3.
# Test servers: loopback only, self-made CA, nothing of theirs is worth keeping.
set -euo pipefail
say()  { printf '%s\n' "$*" >&2; }
die()  { say "error: $*"; exit 1; }

# Everything is below one folder: packages and templates in cache/, data, logs and pids of an instance in
# run/NAME. As root the servers run as `nobody`, who cannot traverse /root (mode 700): hence /var/cache.
if [ -z "${SLUICE_SERVERS:-}" ]; then
  if [ "$(id -u)" = 0 ]; then SLUICE_SERVERS=/var/cache/sluice/servers
  else SLUICE_SERVERS="${XDG_CACHE_HOME:-$HOME/.cache}/sluice/servers"; fi
fi
SERVERS_CACHE="$SLUICE_SERVERS/cache"
SERVERS_STATE="$SLUICE_SERVERS/run"
RUN_USER="${RUN_USER:-nobody}"

# "${AS_USER[@]}" CMD...  : as an unprivileged user when we are root, else as ourselves. An array and
# not a function, so that `"${AS_USER[@]}" setsid server & echo $!` gives the server's own pid.
if [ "$(id -u)" = 0 ]; then
  RUN_UID="$(id -u "$RUN_USER")"; RUN_GID="$(id -g "$RUN_USER")"
  AS_USER=(env HOME=/nonexistent setpriv --reuid="$RUN_UID" --regid="$RUN_GID" --clear-groups --)
  own()     { chown -R "$RUN_UID:$RUN_GID" "$@"; }
else
  AS_USER=(env)
  own()     { :; }
fi

free_port() { # a loopback port free now (ask the kernel; bash alone cannot bind)
  python3 -c 'import socket;s=socket.socket();s.bind(("127.0.0.1",0));print(s.getsockname()[1])'
}
# A dead server stays a zombie (and `kill -0` says yes) until pid 1 reaps it, here up to 2 s later. But Z alone
# is only its first thread's state: after kill -9 the others may still be going, with the data directory's locks.
running() {
  kill -0 "$1" 2>/dev/null || return 1
  case "$(sed 's/.*) //; s/ .*//' "/proc/$1/stat" 2>/dev/null)" in
    Z|X) set -- "/proc/$1/task"/*; [ $# -gt 1 ];;
  esac
}
alive() { [ -s "$1" ] && running "$(cat "$1")"; }
stop_pid() { # pidfile [seconds]
  local p n=$(( ${2:-60} * 10 )); [ -s "$1" ] || { say "not running ($1)"; return 0; }
  p="$(cat "$1")"; kill -TERM "$p" 2>/dev/null || { rm -f "$1"; return 0; }
  while running "$p"; do n=$((n-1)); [ $n -gt 0 ] || { kill -KILL "$p"; break; }; sleep 0.1; done
  rm -f "$1"
}
kill_pid() { # kill -9, and wait till pid 1 has reaped it: mysqld (sock.lock) and postgres (postmaster.pid) ask `kill -0` of
  # the pid in their lock file, take a zombie for a living server and refuse to start. (A parent that waits has no such delay.)
  [ -s "$1" ] || return 0; kill -KILL "$(cat "$1")" 2>/dev/null || true
  while kill -0 "$(cat "$1")" 2>/dev/null; do sleep 0.02; done; rm -f "$1"; }
make_tls() { # dir : self-made CA + server cert (SAN localhost, 127.0.0.1) ; kept if there
  local d="$1"; [ -s "$d/server-cert.pem" ] && return 0; mkdir -p "$d"
  openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -subj "/CN=test CA" \
    -addext "keyUsage=critical,keyCertSign,cRLSign" -keyout "$d/ca-key.pem" -out "$d/ca.pem" 2>/dev/null
  openssl req -newkey rsa:2048 -nodes -subj "/CN=localhost" -keyout "$d/server-key.pem" -out "$d/server.csr" 2>/dev/null
  printf 'subjectAltName=DNS:localhost,IP:127.0.0.1\nextendedKeyUsage=serverAuth\n' > "$d/ext"
  openssl x509 -req -in "$d/server.csr" -CA "$d/ca.pem" -CAkey "$d/ca-key.pem" -CAcreateserial \
    -days 3650 -extfile "$d/ext" -out "$d/server-cert.pem" 2>/dev/null
  chmod 600 "$d"/*-key.pem; rm -f "$d/server.csr" "$d/ext"
}
remember() { # for later starts of the same instance: the name of the user and database stay, flags may be given anew
  local v; for v in DB U P; do printf '%s=%q\n' "$v" "${!v}"; done
  for v in EXTRA BUFFER SERVER_ID PORT; do [ -z "${!v+x}" ] || printf ': ${%s=%q}\n' "$v" "${!v}"; done; }
locked() { # file CMD... : one at a time, over all processes (a test runner starts several servers at once)
  mkdir -p "$(dirname "$1")"; local f="$1"; shift; ( flock 9; "$@" ) 9>"$f"; }
wait_for() { # seconds pidfile CMD...
  local n=$(( $1 * 10 )) pf="$2"; shift 2
  until "$@" >/dev/null 2>&1; do
    n=$((n-1)); [ $n -gt 0 ] || return 1
    alive "$pf" || return 2
    sleep 0.1
  done
}
