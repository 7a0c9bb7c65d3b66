#!/bin/sh
# An image becomes a disk for a virtual machine; QMP shows it, grows it and takes it away.
. "$(dirname "$0")/qmp.sh"

truncate -s 64M "$folder/disk.img"
start_daemon \
    --object iothread,id=loop0 \
    --blockdev "driver=file,node-name=file0,filename=$folder/disk.img" \
    --blockdev driver=raw,node-name=disk0,file=file0 \
    --export "type=vhost-user-blk,id=export0,node-name=disk0,addr.type=unix,addr.path=$folder/disk.sock,writable=on,iothread=loop0"

qmp '{"execute": "query-version"}'
qmp '{"execute": "query-block-exports"}'
qmp '{"execute": "block_resize", "arguments": {"node-name": "disk0", "size": 134217728}}'
[ "$(stat -c %s "$folder/disk.img")" = 134217728 ] || { echo "the image did not grow" >&2; exit 1; }

# A mistake is an error with a reason, and the daemon goes on.
if qmp '{"execute": "block_resize", "arguments": {"node-name": "nothing", "size": 0}}'; then exit 1; fi

qmp '{"execute": "block-export-del", "arguments": {"id": "export0"}}'
qmp '{"execute": "quit"}'
wait "$daemon"
daemon=
