#!/bin/sh
# Makes the secrets that compose.yaml reads, each once: a file that is there stays as it is.
# Only you can open the folder. The files in it can be read by whoever they are mounted for,
# because a container's user has another number than you.
set -eu
umask 022
folder="${1:-secrets}"
mkdir -p "$folder"
chmod 700 "$folder"

random() { # 64 hexadecimal digits: 256 bits
    od -An -N32 -tx1 /dev/urandom | tr -d ' \n'
}

keep() { # keep NAME TEXT
    [ -e "$folder/$1" ] || printf '%s\n' "$2" >"$folder/$1"
}

keep secret_key "$(random)"
keep postgres_password "$(random)"
keep database_url "postgresql://webapi:$(cat "$folder/postgres_password")@postgres:5432/webapi"
keep valkey_password "$(random)"
keep redis_url "redis://webapi:$(cat "$folder/valkey_password")@valkey:6379/0"
# Its own keys and channels only, and nothing that changes the server. A pattern that somebody subscribes to must be
# named as it is: remote control and Flower do.
keep valkey_acl "user default off
user webapi on >$(cat "$folder/valkey_password") resetkeys ~{webapi}* resetchannels &{webapi}* &{webapi}:/0.celery.pidbox &{webapi}:/0.celeryev/* +@all -@admin -@dangerous +info +config|get"
keep flower_config "basic_auth = ['flower:$(random)']
read_only = True"
