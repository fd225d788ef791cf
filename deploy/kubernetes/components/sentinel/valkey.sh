#!/bin/sh
# Starts this pod's Valkey as what the Sentinels say it is. The first time of all nobody answers: pod 0 is the master.
set -eu
me="$(hostname).valkey"
master=$(timeout 5 valkey-cli -h valkey -p 26379 sentinel get-master-addr-by-name webapi 2>/dev/null | head -n 1) || true
case "$master" in
    *.valkey) ;;
    *) master=valkey-0.valkey ;;
esac
set -- /etc/valkey/valkey.conf --include /run/secrets/valkey/replication.conf --replica-announce-ip "$me"
test "$master" = "$me" || set -- "$@" --replicaof "$master" 6379
exec valkey-server "$@"
