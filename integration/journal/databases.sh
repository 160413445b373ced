#!/usr/bin/env bash
# Installs the database servers that this module's tests start, if they are missing, on Debian or
# Ubuntu, as root. The packages start no service and make no cluster: the tests make their own.
set -euo pipefail

missing=()
compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || missing+=(postgresql)
# mariadb-install-db, which is the server's, needs a program of the client's.
{ [ -x /usr/sbin/mariadbd ] && [ -x /usr/bin/my_print_defaults ]; } || missing+=(mariadb-server-core mariadb-client-core)
[ ${#missing[@]} -gt 0 ] || exit 0

export DEBIAN_FRONTEND=noninteractive
apt-get update -qq

# Without a policy of the machine's own, a package's service would be started.
policy=/usr/sbin/policy-rc.d
if [ ! -e $policy ]; then
  printf '#!/bin/sh\nexit 101\n' >$policy
  chmod 755 $policy
  trap 'rm -f $policy' EXIT
fi

# postgresql-common alone makes no cluster, and is asked not to before the server comes.
if [[ " ${missing[*]} " == *" postgresql "* ]]; then
  apt-get install -y -qq --no-install-recommends postgresql-common
  mkdir -p /etc/postgresql-common/createcluster.d
  echo 'create_main_cluster = false' >/etc/postgresql-common/createcluster.d/no-main.conf
fi
apt-get install -y -qq --no-install-recommends "${missing[@]}"
