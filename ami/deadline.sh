#!/bin/sh
# Powers the machine off once it has been up for longer than a studio may live; in the cloud that ends it.
#
# This is the last of those who see to it (the studio, the reaper), so it needs nothing but a shell and systemd: no
# network, no Python, and not even the file that says how long.
#
# The ledger has reserved 300 seconds past the deadline (GRACE in lambda_launcher/settings.py), and this keeps within
# them: the others have 120 to be first, up to 61 pass until the timer has this look again, and services have 90 to stop.

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
if [ "${up%%.*}" -ge $((deadline + 120)) ]; then
    systemctl poweroff || systemctl poweroff --force --force
fi
