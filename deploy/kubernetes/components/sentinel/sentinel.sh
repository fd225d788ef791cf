#!/bin/sh
# Starts this pod's Sentinel. It writes what it learns into its configuration, which outlives the pod beside the data.
set -eu
mine=/data/sentinel.conf
if ! test -e "$mine"; then
    cat > "$mine.new" <<END
port 26379
protected-mode no
dir /tmp
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel announce-ip $(hostname).valkey
sentinel monitor webapi valkey-0.valkey 6379 2
sentinel auth-user webapi sentinel
sentinel auth-pass webapi $(cat /run/secrets/valkey/sentinel-password)
sentinel down-after-milliseconds webapi 5000
sentinel failover-timeout webapi 15000
sentinel parallel-syncs webapi 1
END
    mv "$mine.new" "$mine"
fi
exec valkey-sentinel "$mine"
