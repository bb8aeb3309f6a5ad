#!/bin/sh
# Powers the machine off once it has been up for longer than a studio may live; in the cloud that ends it.
#
# This is the last of those who see to it (the studio, the reaper), so it needs nothing but a shell and systemd: no
# network, no Python, and not even the file that says how long. The five minutes are for the others to be first.

uptime_file=${UPTIME_FILE:-/proc/uptime}
environment=${ENVIRONMENT_FILE:-/etc/visualneurons/environment}

deadline=3600
if [ -r "$environment" ]; then
    while IFS='=' read -r name value; do
        [ "$name" = DEADLINE ] && deadline=$value
    done < "$environment"
fi
# What is no number of seconds up to half a day is no deadline.
case $deadline in
    '' | 0* | *[!0-9]* | ??????*) deadline=3600 ;;
esac
[ "$deadline" -le 43200 ] || deadline=3600

read -r up _ < "$uptime_file"
if [ "${up%%.*}" -ge $((deadline + 300)) ]; then
    systemctl poweroff || systemctl poweroff --force --force
fi
