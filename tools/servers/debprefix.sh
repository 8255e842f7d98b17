#!/usr/bin/env bash
# shellcheck disable=SC1091,SC2016
# debprefix.sh SUITE PREFIX PKG...  - unpack Debian packages of another suite (sid, trixie, ...) and
# everything they need, libc included, into PREFIX, without touching this system's dpkg. Idempotent.
# Runs as any user: apt gets its own state/cache folders, an EMPTY dpkg status and this system's keyring.
. "$(dirname "$0")/lib.sh"
suite="$1"; R="$2"; shift 2
stamp="$R/.done"; want="$suite $*"
[ -s "$stamp" ] && [ "$(head -1 "$stamp")" = "$want" ] && { tail -n +2 "$stamp"; exit; }
mkdir -p "$SERVERS_CACHE"; exec 9>"$SERVERS_CACHE/apt-$suite.lock"; flock 9
[ -s "$stamp" ] && [ "$(head -1 "$stamp")" = "$want" ] && { tail -n +2 "$stamp"; exit; }   # another got here first
A="$SERVERS_CACHE/apt-$suite"; mkdir -p "$A"/{state/lists/partial,archives/partial,etc}; : > "$A/status"
# the mirror this system's own apt uses: a second suite of it comes from the same place
mirror="${DEBIAN_MIRROR:-$(apt-get indextargets --format '$(REPO_URI) $(RELEASE)' 'Created-By: Packages' | awk '$2 !~ /security/ {print $1; exit}')}"
key="${DEBIAN_KEYRING:-/usr/share/keyrings/debian-archive-keyring.gpg}"
echo "deb [arch=amd64 signed-by=$key] $mirror $suite main" > "$A/etc/sources.list"
cat > "$A/apt.conf" <<CONF
Dir::State "$A/state"; Dir::State::status "$A/status"; Dir::State::lists "$A/state/lists";
Dir::Cache "$A"; Dir::Cache::archives "$A/archives";
Dir::Etc::sourcelist "$A/etc/sources.list"; Dir::Etc::sourceparts "/dev/null"; Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::preferences "/dev/null"; Dir::Etc::trusted "/dev/null"; Dir::Etc::trustedparts "/dev/null";
APT::Architecture "amd64"; APT::Architectures { "amd64"; };
APT::Install-Recommends "false"; APT::Get::Assume-Yes "true"; APT::Sandbox::User "root";
Acquire::Languages "none"; Acquire::IndexTargets::deb::Contents-deb::DefaultEnabled "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false"; Acquire::Retries "3";
Debug::NoLocking "true"; pkgCacheGen::Essential "none"; APT::Get::List-Cleanup "false";
CONF
export APT_CONFIG="$A/apt.conf"
apt-get update -q >&2
# --download-only with an empty status: apt resolves from nothing, checks every hash, fetches into our archives/
apt-get install -q --download-only -o Debug::pkgProblemResolver=false "$@" >&2
# which files: asked with an empty archive folder, as --print-uris leaves out what is already downloaded
# (and archives/ may hold older versions from an earlier sid)
mkdir -p "$A/none/partial"
debs=$(apt-get install -q --print-uris -o Dir::Cache::archives="$A/none" "$@" 2>/dev/null \
  | sed -n "s|^'[^']*' \([^ ]*\.deb\) .*|$A/archives/\1|p")
[ -n "$debs" ] || die "apt names no packages for: $*"
rm -rf "$R.new"; mkdir -p "$R.new"
for f in $debs; do dpkg-deb --fsys-tarfile "$f" | tar -x -C "$R.new" --no-same-owner --keep-directory-symlink \
  --exclude='./usr/share/doc/*' --exclude='./usr/share/man/*' --exclude='./usr/share/locale/*' \
  --exclude='./usr/share/perl*' --exclude='./usr/lib/x86_64-linux-gnu/perl*'; done
rm -rf "$R"; mv "$R.new" "$R"; chmod 755 "$R"
{ echo "$want"; for f in $debs; do basename "$f"; done; } > "$stamp"
tail -n +2 "$stamp"
