#!/bin/busybox sh
# The first process of the test guest: loads the drivers, then runs what the host sends over the serial line, one line
# of shell at a time, and answers with what it printed and "<end STATUS>".
/bin/busybox mount -t devtmpfs dev /dev
/bin/busybox mount -t proc proc /proc
/bin/busybox mount -t sysfs sys /sys
/bin/busybox mount -t tmpfs tmp /tmp
/bin/busybox --install -s /bin
export PATH=/bin

# Modules depend on each other, in an order that differs between kernels.
for pass in 1 2 3; do
    for module in /lib/*.ko; do
        insmod "$module" 2>/dev/null
    done
done

exec </dev/ttyS0 >/dev/ttyS0 2>&1
stty -echo -onlcr
echo "<ready>"
while IFS= read -r line; do
    (eval "$line")
    echo "<end $?>"
done
poweroff -f
