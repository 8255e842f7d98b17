#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2015
# tools/servers/mysql.sh start|stop|kill|freeze|thaw|uri|cli|replica|destroy [NAME] ...: MySQL from Debian sid as a
# test server, run out of a prefix: dpkg's own state is not touched, and no root is needed.
#   start NAME                 env: PORT DB USER_ PASS SERVER_ID EXTRA (more mysqld flags) BUFFER
#   replica NAME SOURCE [SECS] start NAME as a replica of SOURCE whose applier lags by SECS
#   cli NAME [mysql args]      the 9.x client over TLS with the CA checked
. "$(dirname "$0")/lib.sh"
verb="${1:-start}"; name="${2:-mysql}"; [ $# -lt 2 ] && shift $# || shift 2
d="$SERVERS_STATE/$name"; pf="$d/pid"
DB="${DB:-test}"; U="${USER_:-test}"; P="${PASS:-test}"
# shellcheck disable=SC1091
[ ! -s "$d/keep" ] || . "$d/keep"   # what an earlier start was given
R="$SERVERS_CACHE/mysql-sid"; L="$R/usr/lib/x86_64-linux-gnu"
ld=("$L/ld-linux-x86-64.so.2" --library-path "$L:$L/private")
# What mysqld finds by its own compiled-in paths has to be said, /proc/self/exe being ld.so:
flags=(--no-defaults --basedir="$R/usr" --lc-messages-dir="$R/usr/share/mysql" --character-sets-dir="$R/usr/share/mysql/charsets"
  --plugin-dir="$R/usr/lib/mysql/plugin" --secure-file-priv=NULL --mysqlx=OFF)
client() { local n="$1"; shift; "${ld[@]}" "$R/usr/bin/mysql" --no-defaults --protocol=tcp -h127.0.0.1 -P"$(cat "$SERVERS_STATE/$n/port")" \
  -u"$U" -p"$P" --ssl-mode=VERIFY_CA --ssl-ca="$SERVERS_STATE/$n/tls/ca.pem" "$@" 2> >(grep -v 'Using a password' >&2); }
case "$verb" in
  uri)  cat "$d/uri"; exit;;
  cli)  client "$name" "$@"; exit;;
  stop) stop_pid "$pf"; exit;;
  kill) kill_pid "$pf"; exit;;
  freeze) kill -STOP "$(cat "$pf")"; exit;;
  thaw)   kill -CONT "$(cat "$pf")"; exit;;
  destroy) stop_pid "$pf"; rm -rf "$d"; exit;;
  start|replica) ;;
  *) die "usage: $0 start|stop|kill|freeze|thaw|uri|cli|replica|destroy [NAME]";;
esac
alive "$pf" && { cat "$d/uri"; exit; }
"$(dirname "$0")/debprefix.sh" sid "$R" mysql-server-core mysql-client-core >/dev/null
mkdir -p "$d"; remember > "$d/keep"
ver="$(sed -n 's/^mysql-server-core_\(.*\)_amd64.deb/\1/p' "$R/.done")"
mkdir -p "$d"; chmod 755 "$SLUICE_SERVERS" "$SERVERS_STATE" "$d" "$SERVERS_CACHE"; make_tls "$d/tls"; port="${PORT:-$( [ -s "$d/port" ] && cat "$d/port" || free_port)}"
# An initialised data directory is kept as a template: a new instance is a copy of it.
T="$SERVERS_CACHE/mysql-data-$ver"
template() {
  [ ! -d "$T" ] || return 0
  rm -rf "$T.new"; mkdir -p "$T.new"; own "$T.new"
  "${AS_USER[@]}" "${ld[@]}" "$R/usr/sbin/mysqld" "${flags[@]}" --datadir="$T.new" --initialize-insecure >"$d/install.log" 2>&1 9>&- \
    || { tail -20 "$d/install.log" >&2; die "mysqld --initialize-insecure"; }
  rm -f "$T.new/auto.cnf" "$T.new"/*.pem "$T.new"/binlog.*; mv "$T.new" "$T"   # no auto.cnf: each copy makes its own server_uuid
}
locked "$T.lock" template
init=()
if [ ! -d "$d/data" ]; then
  cp -a --reflink=auto "$T" "$d/data.new"; mv "$d/data.new" "$d/data"
  cat > "$d/init.sql" <<SQL
SET sql_log_bin=0;
CREATE DATABASE IF NOT EXISTS \`$DB\`;
CREATE USER IF NOT EXISTS '$U'@'%' IDENTIFIED WITH caching_sha2_password BY '$P';
GRANT ALL PRIVILEGES ON *.* TO '$U'@'%' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$P';
SQL
  init=(--init-file="$d/init.sql")
fi
[ -s "$d/server_id" ] || echo "${SERVER_ID:-$(( port % 65000 + 1 ))}" > "$d/server_id"
echo "$port" > "$d/port"; own "$d"
# shellcheck disable=SC2086
"${AS_USER[@]}" setsid "${ld[@]}" "$R/usr/sbin/mysqld" "${flags[@]}" --datadir="$d/data" --socket="$d/sock" --pid-file="$d/mysqld.pid" \
  --bind-address=127.0.0.1 --port="$port" --server-id="$(cat "$d/server_id")" \
  --log-bin=binlog --binlog-format=ROW --binlog-row-image=FULL --gtid-mode=ON --enforce-gtid-consistency=ON \
  --innodb-buffer-pool-size="${BUFFER:-128M}" --local-infile=ON --skip-name-resolve --require-secure-transport="${REQUIRE_TLS:-OFF}" \
  --ssl-ca="$d/tls/ca.pem" --ssl-cert="$d/tls/server-cert.pem" --ssl-key="$d/tls/server-key.pem" \
  "${init[@]}" ${EXTRA:-} </dev/null >>"$d/log" 2>&1 &
echo $! > "$pf"
wait_for 90 "$pf" client "$name" "$DB" -e 'select 1' || { tail -30 "$d/log" >&2; die "mysqld did not start"; }
echo "mysql://$U:$P@127.0.0.1:$port/$DB?tls_ca=$d/tls/ca.pem" > "$d/uri"
if [ "$verb" = replica ]; then
  src="$1"; delay="${2:-0}"
  client "$name" -e "STOP REPLICA; CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=$(cat "$SERVERS_STATE/$src/port"),
    SOURCE_USER='$U', SOURCE_PASSWORD='$P', SOURCE_SSL=1, SOURCE_SSL_CA='$SERVERS_STATE/$src/tls/ca.pem', SOURCE_AUTO_POSITION=1,
    SOURCE_CONNECT_RETRY=1, SOURCE_RETRY_COUNT=86400, SOURCE_DELAY=$delay; START REPLICA; SET GLOBAL read_only=ON;"
fi
cat "$d/uri"
