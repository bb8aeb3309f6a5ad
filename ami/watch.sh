#!/bin/sh
# Kills the studio once it has not answered three times in a row: a hang, which nothing else ends. It is started anew.

health=${HEALTH:-http://127.0.0.1:8000/healthz}
count=${COUNT_FILE:-/run/visualneurons-unanswered}

if ! systemctl is-active --quiet visualneurons.service || curl --fail --silent --max-time 10 --output /dev/null "$health"
then
    rm -f "$count"
    exit 0
fi
unanswered=$(($(cat "$count" 2> /dev/null || echo 0) + 1))
if [ "$unanswered" -ge 3 ]; then
    rm -f "$count"
    echo "The studio has not answered $unanswered times: it is killed and started anew."
    # Asked to end, it would not hear; and if it did, the machine would be powered off.
    exec systemctl kill --signal=KILL visualneurons.service
fi
echo "$unanswered" > "$count"
