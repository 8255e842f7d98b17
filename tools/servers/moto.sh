#!/usr/bin/env bash
# tools/servers/moto.sh start|stop|uri|destroy|prepare [NAME]
# moto, one request at a time: its conditions have exactly one winner. It checks no signature and
# no checksum. Prints s3://BUCKET?endpoint=….
# shellcheck source=tools/servers/server.sh
. "$(dirname "$0")/server.sh"

venv=$SERVERS/moto-$MOTO_VERSION

prepare() {
  [ ! -x "$venv/bin/moto_server" ] || return 0
  say "installing moto $MOTO_VERSION"
  rm -rf "$venv.part"
  python3 -m venv "$venv.part" >&2
  "$venv.part/bin/python" -m pip install -qq --disable-pip-version-check --no-input \
    "moto[server,s3crc32c]==$MOTO_VERSION" >&2 || { rm -rf "$venv.part"; fail "moto $MOTO_VERSION cannot be had"; }

  mv "$venv.part" "$venv"
}

launch() {
  exec "$venv/bin/python" tools/servers/moto_one_thread.py "$1"
}

answers() { python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1])' "http://127.0.0.1:$1/moto-api/"; }
uri_of() {
  python3 -c 'import sys, urllib.request as u
u.urlopen(u.Request(sys.argv[1], method="PUT"))' "http://127.0.0.1:$1/sluice"
  echo "s3://sluice?endpoint=http://127.0.0.1:$1&region=us-east-1"
}

serve "$@"
