#!/bin/sh
# A consistent copy of an image that a virtual machine may be writing to: the disk is quiescent while cp runs, and goes
# on afterwards. If this script died inside, the section would end with its connection.
. "$(dirname "$0")/qmp.sh"

truncate -s 16M "$folder/disk.img"
start_daemon \
    --blockdev "driver=file,node-name=disk0,filename=$folder/disk.img" \
    --export "type=vhost-user-blk,id=export0,node-name=disk0,addr.type=unix,addr.path=$folder/disk.sock,writable=on"

qmp '{"execute": "block-drain-begin", "arguments": {"id": "copy", "nodes": ["disk0"], "max-duration-ms": 30000}}'
qmp '{"execute": "query-block-drains"}'
cp --reflink=auto --sparse=always "$folder/disk.img" "$folder/copy.img"
qmp '{"execute": "block-drain-end", "arguments": {"id": "copy"}}'

cmp "$folder/disk.img" "$folder/copy.img"
