#!/usr/bin/env bash
# Fetches the newest servers that can be had as packages into FOLDER, where nothing else of the machine is changed:
# MySQL, Valkey, Redis and PostgreSQL of Debian's unstable release, and FerretDB on PostgreSQL with DocumentDB, which
# speaks MongoDB's protocol. For root on Debian. It takes one to two minutes and 800 MB.
#
#   newest-servers.sh FOLDER
#
# FOLDER/programs then holds the programs, which run from there as any others do.
set -euo pipefail
folder=$1 ferretdb=v2.7.0

lacks() { printf 'The newest servers cannot be fetched: %s.\n' "$1" >&2; exit 1; }
[[ -e /etc/debian_version ]] || lacks "they are Debian's packages, and this is no Debian"
[[ $(id -u) == 0 ]] || lacks 'only root can unpack them'

# Two runs may ask at the same time: the second waits for what the first fetches.
mkdir -p "$(dirname "$folder")"
exec 9>"$folder.lock"
flock 9
[[ ! -e $folder/complete ]] || exit 0
rm -rf "$folder"

export DEBIAN_FRONTEND=noninteractive
quietly() { "$@" >"$folder.log" 2>&1 || { tail -5 "$folder.log" >&2; lacks "$1 failed"; }; }
if ! { command -v mmdebstrap && command -v patchelf; } >/dev/null; then
  quietly apt-get update
  quietly apt-get install -y --no-install-recommends mmdebstrap patchelf ca-certificates
fi

packages=mysql-server-core,valkey-server,valkey-tools,redis-server,redis-tools,postgresql-18-documentdb
# From 1.21 on, Go fetches the version that a module asks for.
go=$(command -v go || true)
[[ -n $go && $("$go" env GOVERSION) =~ ^go1\.(2[1-9]|[3-9]) ]] || go='' packages+=,golang-go

# The mirror that this machine uses already.
sources=$(cat /etc/apt/sources.list /etc/apt/sources.list.d/*.{list,sources} 2>/dev/null || true)
mirror=$(sed -nE 's/^(URIs:|deb( \[[^]]*\])?) *([^ ]+).*/\3/p' <<<"$sources" | head -1)
[[ -n $mirror ]] || lacks 'apt names no mirror'
# A mirror of yesterday will do.
quietly mmdebstrap --variant=extract --mode=root --aptopt='Acquire::Check-Valid-Until "false"' \
  --include="$packages" sid "$folder" "deb $mirror sid main"

# The programs run with the folder's own loader and libraries, which are newer than the machine's.
libraries=$(echo "$folder"/usr/lib/*-linux-gnu) postgres=$folder/usr/lib/postgresql/18
path=$libraries:$folder/usr/lib/mysql/private:$libraries/mysql/private:$postgres/lib
mkdir "$folder/programs"
for program in "$folder"/usr/{sbin/mysqld,bin/{valkey,redis}-{server,cli}} "$postgres"/bin/{postgres,initdb,psql,pg_basebackup}; do
  patchelf --set-interpreter "$(echo "$libraries"/ld-linux-*.so.*)" --force-rpath --set-rpath "$path" "$(readlink -f "$program")"
  ln -s "$program" "$folder/programs/"
done
# With paths of their own these would not look where the program does.
patchelf --remove-rpath "$postgres"/lib/pg_documentdb*.so
# Packages link it when they are set up, which these were not.
ln -s postgis-3.control "$folder/usr/share/postgresql/18/extension/postgis.control"

if [[ -z $go ]]; then
  go=$(echo "$folder"/usr/lib/go-*/bin/go)
  if patchelf --print-interpreter "$go" >/dev/null 2>&1; then
    patchelf --set-interpreter "$(echo "$libraries"/ld-linux-*.so.*)" --force-rpath --set-rpath "$libraries" "$go"
  fi
fi
build() { GOBIN=$folder/programs GOFLAGS=-modcacherw "$go" install "github.com/FerretDB/FerretDB/v2/cmd/ferretdb@$ferretdb"; }
quietly build
rm "$folder.log"
touch "$folder/complete"
