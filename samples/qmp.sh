# Sourced by the other samples: starts a daemon in a temporary folder and talks QMP to it.
#
#   start_daemon ARGUMENT...   starts qmpd with a QMP monitor and these further arguments, and opens a connection
#   qmp JSON                   sends one command and prints its reply
#
# The folder, the daemon and the connection go when the script ends.
set -eu

QMPD=${QMPD:-$(ls -t "$(dirname "$0")"/../src/qmpd/bin/*/net10.0/qmpd 2>/dev/null | head -n 1)}
[ -x "$QMPD" ] || { echo "build first: dotnet build src/qmpd" >&2; exit 1; }

folder=$(mktemp -d)
daemon=
connection=
finish() {
    [ -z "$connection" ] || kill "$connection" 2>/dev/null || true
    [ -z "$daemon" ] || { kill "$daemon" 2>/dev/null && wait "$daemon" 2>/dev/null; } || true
    rm -rf "$folder"
}
trap finish EXIT

start_daemon() {
    "$QMPD" --chardev "socket,id=qmp0,path=$folder/qmp.sock,server=on,wait=off" --monitor qmp0 \
        --pidfile "$folder/qmpd.pid" "$@" &
    daemon=$!
    # the pid file appears when all arguments have been carried out
    while [ ! -s "$folder/qmpd.pid" ]; do
        kill -0 "$daemon" || { echo "qmpd did not start" >&2; exit 1; }
        sleep 0.05
    done
    mkfifo "$folder/to" "$folder/from"
    socat "UNIX-CONNECT:$folder/qmp.sock" STDIO <"$folder/to" >"$folder/from" &
    connection=$!
    exec 3>"$folder/to" 4<"$folder/from"
    read -r greeting <&4
    echo "<- $greeting"
    qmp '{"execute": "qmp_capabilities"}'
}

qmp() {
    echo "-> $1"
    echo "$1" >&3
    while read -r line <&4; do
        echo "<- $line"
        case $line in
            *'"event":'*) ;;
            *'"error":'*) return 1 ;;
            *) return 0 ;;
        esac
    done
    return 1
}
