#!/bin/sh
# Writes secrets/ beside this file, once: random passwords that no two trials share.
set -eu
umask 077
cd "$(dirname "$0")"
test ! -e secrets || { echo "secrets/ is there already; remove it for new ones"; exit 0; }
random() { od -An -N32 -tx1 /dev/urandom | tr -d ' \n'; }
mkdir secrets
redis=$(random) postgres=$(random)
printf %s "$postgres" > secrets/password
cat > secrets/users.acl <<END
user default off
user webapi on >$redis ~{webapi}* &{webapi}* +@all -@admin -@dangerous +info +config|get
END
cat > secrets/webapi.env <<END
SECRET_KEY=$(random)
SECRET_KEY_FALLBACKS=[]
DATABASE_URL=postgresql://webapi:$postgres@postgres/webapi
REDIS_URL=redis://webapi:$redis@valkey:6379/0
END
