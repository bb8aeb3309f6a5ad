#!/bin/sh
# What an image has to do before a studio may boot from it. Says what is wrong, and fails.

set -eu

wrong() {
    echo "smoke.sh: $*" >&2
    exit 1
}

program=/opt/visualneurons
state=/var/lib/visualneurons
folder=$(mktemp -d)
trap 'kill "$server" 2> /dev/null || true; rm -rf "$folder"' EXIT
server=

echo "smoke.sh: the units"
for unit in visualneurons.path visualneurons-watch.timer visualneurons-deadline.timer; do
    systemctl is-enabled --quiet "$unit" || wrong "$unit is not enabled."
done
systemctl is-active --quiet visualneurons-deadline.timer || wrong "Nothing ends this machine at its deadline."
systemd-analyze verify --recursive-errors=no /usr/lib/systemd/system/visualneurons* || wrong "A unit is not valid."
[ ! -e /etc/visualneurons ] || wrong "The image holds what one studio is told: /etc/visualneurons."

echo "smoke.sh: the GPU"
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader || wrong "There is no GPU, or no driver for it."

echo "smoke.sh: a painting"
chown visualneurons "$folder"
as_studio() {
    runuser -u visualneurons -- env HOME="$state" KERAS_HOME="$state/keras" CUDA_CACHE_PATH="$state/cuda" "$@"
}
site=$("$program/bin/python" -c "import website; print(next(iter(website.__path__)))")
as_studio "$program/bin/visualneurons" paint "$site/samples/canal_houses.jpg" "$site/artworks/mosaic.jpg" \
    --out "$folder/painting.png" --engine vgg19 --size 512 --iterations 20
[ -s "$folder/painting.png" ] || wrong "Nothing was painted."
as_studio "$program/bin/python" -c \
    "import tensorflow, sys; sys.exit(not tensorflow.config.list_physical_devices('GPU'))" ||
    wrong "TensorFlow sees no GPU."

echo "smoke.sh: the server"
as_studio "$program/bin/visualneurons" serve --port 8001 --gallery "$folder/gallery" &
server=$!
for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    curl --fail --silent --output /dev/null http://127.0.0.1:8001/healthz && answered=yes && break
done
[ "${answered:-}" ] || wrong "The server does not answer."
echo "smoke.sh: this image will do"
