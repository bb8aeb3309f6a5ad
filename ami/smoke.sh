#!/bin/sh
# What an image has to do before a studio may boot from it. Says what is wrong, and fails.

set -eu

wrong() {
    echo "smoke.sh: $*" >&2
    exit 1
}

root=${ROOT:-}
port=${PORT:-8001}
program=$root/opt/visualneurons
units=$root/usr/lib/systemd/system
server=visualneurons-smoke.service
folder=$(mktemp -d "$root/var/lib/visualneurons/smoke.XXXXXX")
trap 'systemctl stop --quiet "$server" 2> /dev/null || true; rm -rf "$folder"' EXIT
chown visualneurons "$folder"

# With what a studio may do and no more: as its unit says, but for what it is told of itself, and its restarts.
others='Type|EnvironmentFile|ExecStart|Restart|RestartSec|TimeoutStopSec|RuntimeDirectory|RuntimeDirectoryMode'
sed -n '/^\[Service\]$/,$p' "$units/visualneurons.service" | grep '^[A-Z]' | grep -Ev "^($others)=" > "$folder/sandbox"
as_studio() {
    while read -r property; do
        set -- "--property=$property" "$@"
    done < "$folder/sandbox"
    systemd-run --quiet --collect "$@"
}

echo "smoke.sh: the units"
for unit in visualneurons.path visualneurons-watch.timer visualneurons-deadline.timer; do
    systemctl is-enabled --quiet "$unit" || wrong "$unit is not enabled."
done
systemctl is-active --quiet visualneurons-deadline.timer || wrong "Nothing ends this machine at its deadline."
systemd-analyze verify --recursive-errors=no "$units"/visualneurons* || wrong "A unit is not valid."
[ ! -e "$root/etc/visualneurons" ] || wrong "The image holds what one studio is told: /etc/visualneurons."

echo "smoke.sh: the GPU"
# First of all as a studio: whoever may do more has the driver loaded for it, too.
as_studio --wait --pipe "$program/bin/python" -c \
    "import tensorflow, sys; sys.exit(not tensorflow.config.list_physical_devices('GPU'))" ||
    wrong "TensorFlow sees no GPU."
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader || wrong "There is no driver for the GPU."

echo "smoke.sh: a painting"
site=$("$program/bin/python" -c "import website; print(next(iter(website.__path__)))")
as_studio --wait --pipe "$program/bin/visualneurons" paint "$site/samples/canal_houses.jpg" \
    "$site/artworks/mosaic.jpg" --out "$folder/painting.png" --engine vgg19 --size 512 --iterations 20
[ -s "$folder/painting.png" ] || wrong "Nothing was painted."

echo "smoke.sh: the server"
as_studio --unit="$server" "$program/bin/visualneurons" serve --port "$port" --gallery "$folder/gallery"
for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    curl --fail --silent --output /dev/null "http://127.0.0.1:$port/healthz" && answered=yes && break
done
[ "${answered:-}" ] || wrong "The server does not answer."
echo "smoke.sh: this image will do"
