#!/usr/bin/env bash
# shellcheck disable=SC1091
# tools/servers/mariadb.sh start|stop|kill|freeze|thaw|uri|destroy [NAME]: Debian's MariaDB as a test server.
# start prints the URI.
# env: PORT (default: free), DB USER_ PASS, SERVER_ID, EXTRA (more mariadbd flags), TLS=0 to switch off
. "$(dirname "$0")/lib.sh"
verb="${1:-start}"; name="${2:-mariadb}"; d="$SERVERS_STATE/$name"; pf="$d/pid"
DB="${DB:-test}"; U="${USER_:-test}"; P="${PASS:-test}"
# shellcheck disable=SC1091
[ ! -s "$d/keep" ] || . "$d/keep"   # what an earlier start was given
case "$verb" in
  uri)  cat "$d/uri"; exit;;
  stop) stop_pid "$pf"; exit;;
  kill) kill_pid "$pf"; exit;;
  freeze) kill -STOP "$(cat "$pf")"; exit;;
  thaw)   kill -CONT "$(cat "$pf")"; exit;;
  destroy) stop_pid "$pf"; rm -rf "$d"; exit;;
  start) ;;
  *) die "usage: $0 start|stop|kill|freeze|thaw|uri|destroy [NAME]";;
esac
alive "$pf" && { cat "$d/uri"; exit; }
command -v mariadbd >/dev/null || die "mariadbd is not here: tools/bootstrap --servers installs it"
mkdir -p "$d"; remember > "$d/keep"
mkdir -p "$d"; chmod 755 "$SLUICE_SERVERS" "$SERVERS_STATE" "$d"; make_tls "$d/tls"; port="${PORT:-$(cat "$d/port" 2>/dev/null || free_port)}"; echo "$port" > "$d/port"
if [ ! -d "$d/data/mysql" ]; then
  rm -rf "$d/data"; mkdir -p "$d/data"; own "$d"
  "${AS_USER[@]}" mariadb-install-db --no-defaults --datadir="$d/data" --auth-root-authentication-method=normal \
    --skip-test-db --skip-name-resolve >"$d/install.log" 2>&1 || { tail -20 "$d/install.log" >&2; die "mariadb-install-db"; }
  # an init-file takes one statement a line
  cat > "$d/init.sql" <<SQL
SET sql_log_bin=0;
CREATE DATABASE IF NOT EXISTS \`$DB\`;
CREATE USER IF NOT EXISTS '$U'@'%' IDENTIFIED BY '$P';
GRANT ALL PRIVILEGES ON *.* TO '$U'@'%' WITH GRANT OPTION;
ALTER USER 'root'@'localhost' IDENTIFIED BY '$P';
FLUSH PRIVILEGES;
SQL
  init=(--init-file="$d/init.sql")
else init=(); fi
own "$d"
tls=(); [ "${TLS:-1}" = 0 ] || tls=(--ssl-ca="$d/tls/ca.pem" --ssl-cert="$d/tls/server-cert.pem" --ssl-key="$d/tls/server-key.pem")
# shellcheck disable=SC2086
"${AS_USER[@]}" setsid mariadbd --no-defaults --datadir="$d/data" --socket="$d/sock" --pid-file="$d/mariadbd.pid" \
  --bind-address=127.0.0.1 --port="$port" --server-id="${SERVER_ID:-1}" \
  --log-bin=binlog --binlog-format=ROW --binlog-row-image=FULL --gtid-strict-mode=ON --gtid-domain-id=0 \
  --local-infile=ON --skip-name-resolve --character-set-server=utf8mb4 \
  "${tls[@]}" "${init[@]}" ${EXTRA:-} </dev/null >"$d/log" 2>&1 &
echo $! > "$pf"
wait_for 60 "$pf" mariadb --no-defaults --protocol=tcp -h127.0.0.1 -P"$port" -u"$U" -p"$P" "$DB" -e 'select 1' \
  || { tail -30 "$d/log" >&2; die "mariadbd did not start"; }
echo "mysql://$U:$P@127.0.0.1:$port/$DB?tls_ca=$d/tls/ca.pem" | tee "$d/uri"
