#!/bin/sh
# Two bitmaps appear together; a third request fails as a whole because one of its parts cannot be done.
. "$(dirname "$0")/qmp.sh"

start_daemon --blockdev driver=null-co,node-name=disk0,size=1048576

qmp '{"execute": "transaction", "arguments": {"actions": [
    {"type": "block-dirty-bitmap-add", "data": {"node": "disk0", "name": "daily"}},
    {"type": "block-dirty-bitmap-add", "data": {"node": "disk0", "name": "hourly"}}]}}'
if qmp '{"execute": "transaction", "arguments": {"actions": [
    {"type": "block-dirty-bitmap-remove", "data": {"node": "disk0", "name": "daily"}},
    {"type": "block-dirty-bitmap-add", "data": {"node": "disk0", "name": "hourly"}}]}}'; then exit 1; fi

# "daily" is still there.
qmp '{"execute": "block-dirty-bitmap-clear", "arguments": {"node": "disk0", "name": "daily"}}'
