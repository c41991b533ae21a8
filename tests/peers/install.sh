#!/bin/sh
# Installs what the peer tests need, where it may, and says in one line each what it left out; the tests skip what is missing.
#     sh tests/peers/install.sh
# PostgreSQL, Redis and libmagic come from the system (apt-get, as root); CKAN goes into tests/.run/ckan, exactly as
# ckan.lock says. Never fails: what may not be installed is no fault of the code. Logs are in tests/.run/.
set -u
cd "$(dirname "$0")/../.." || exit 1
run=tests/.run
ckan=$run/ckan
lock=tests/peers/ckan.lock
python=.venv/bin/python
[ -x "$python" ] || python=python3
mkdir -p "$run"

has_postgres() { ls /usr/lib/postgresql/*/bin/initdb >/dev/null 2>&1 || command -v initdb >/dev/null; }
has_redis() { command -v redis-server >/dev/null; }
has_magic() { "$python" -c 'import ctypes.util, sys; sys.exit(not ctypes.util.find_library("magic"))'; }
has_ckan() { cmp -s "$lock" "$ckan/installed.lock"; }

apt() { DEBIAN_FRONTEND=noninteractive apt-get -q -o Acquire::Retries=2 -o Acquire::http::Timeout=30 -o DPkg::Lock::Timeout=120 "$@"; }
install_packages() {  # packages
  if ! command -v apt-get >/dev/null; then why='no apt-get here'; return 1; fi
  if [ "$(id -u)" != 0 ]; then why='not root'; return 1; fi
  echo "peers: installing $*"
  why="apt-get failed, see $run/apt.log"
  { apt update; apt install -y --no-install-recommends "$@"; } >"$run/apt.log" 2>&1 </dev/null
}

install_ckan() {
  echo "peers: building $ckan"
  rm -rf "$ckan"
  { "$python" -m venv "$ckan" &&
    "$ckan/bin/python" -m pip install --disable-pip-version-check --no-input --no-deps --require-hashes -r "$lock" &&
    cp "$lock" "$ckan/installed.lock"; } >"$run/pip.log" 2>&1 </dev/null
}

missing=
has_postgres || missing="$missing postgresql"
has_redis || missing="$missing redis-server"
has_magic || missing="$missing libmagic1"
why=
# shellcheck disable=SC2086
[ -z "$missing" ] || install_packages $missing

left_out() { echo "peers: left out $1: $2"; }
has_postgres || left_out PostgreSQL "$why. To have it: apt-get install postgresql"
has_redis || left_out Redis "$why. To have it: apt-get install redis-server"
has_magic || left_out libmagic "$why. To have it: apt-get install libmagic1"

if ! { has_postgres && has_redis && has_magic; }; then
  left_out CKAN 'it needs PostgreSQL, Redis and libmagic'
elif has_ckan || install_ckan; then
  echo 'peers: everything is installed'
else
  left_out CKAN "pip failed, see $run/pip.log"
fi
exit 0
