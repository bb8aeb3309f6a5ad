#!/bin/sh
# Installs a studio: on a machine whose image is being made, or by hand on any machine with systemd and Python.
# What is there already is brought up to date, so it can be run again.

set -eu

usage="usage: install.sh --wheel FILE [--root DIR] [--offline]

  --wheel FILE  the program
  --root DIR    install into this folder rather than the running system; nothing is started
  --offline     without the network: the program alone, neither what it needs nor its weights

From its next boot on, the machine is a studio, which powers itself off at its deadline, or when its server ends."

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd)
wheel=
root=
offline=

say() { echo "install.sh: $*"; }
refuse() {
    echo "install.sh: $*" >&2
    exit 2
}

while [ $# -gt 0 ]; do
    case $1 in
        --wheel | --root)
            [ $# -ge 2 ] || refuse "$1 needs a value. $usage"
            case $1 in
                --wheel) wheel=$2 ;;
                --root) root=${2%/} ;;
            esac
            shift 2
            ;;
        --offline)
            offline=yes
            shift
            ;;
        -h | --help)
            echo "$usage"
            exit
            ;;
        *) refuse "There is no $1. $usage" ;;
    esac
done
[ -f "$wheel" ] || refuse "There is no wheel '$wheel'. Name one with --wheel; make one with: pip wheel --no-deps ."
[ -n "$root" ] || [ "$(id -u)" -eq 0 ] || refuse "This changes the system: run it as root, or give a folder with --root."

program=$root/opt/visualneurons
library=$root/usr/lib/visualneurons
units=$root/usr/lib/systemd/system

say "the user"
install -D -m 644 "$here/units/visualneurons.sysusers" "$root/usr/lib/sysusers.d/visualneurons.conf"
[ -n "$root" ] || systemd-sysusers visualneurons.conf  # which is done at each boot, too

apt_get() { apt-get --yes --quiet -o DPkg::Lock::Timeout=300 "$@"; }

say "the program"
if ! [ -x "$program/bin/python" ]; then
    fits='import sys; sys.exit(not (3, 10) <= sys.version_info < (3, 14))'
    for python in python3.13 python3.12 python3.11 python3.10 python3 ''; do
        "$python" -c "$fits" > /dev/null 2>&1 && break
    done
    [ "$python" ] || refuse "VisualNeurons needs Python 3.10 to 3.13, and there is none."
    # Debian and Ubuntu pack that part of Python apart.
    if [ -z "$root" ] && ! "$python" -c "import ensurepip" 2> /dev/null; then
        package=$("$python" -c 'import sys; print("python%d.%d-venv" % sys.version_info[:2])')
        # A machine that has just booted looks for news by itself. What waits for dpkg does not wait for the lists.
        for _ in 1 2 3 4 5 6 7 8 9 10; do
            apt_get update && break
            sleep 30
        done
        apt_get install "$package"
    fi
    "$python" -m venv "$program"
fi
pip() { "$program/bin/python" -m pip --disable-pip-version-check --quiet "$@"; }
if [ -n "$offline" ]; then
    pip install --no-index --no-deps --force-reinstall "$wheel"
else
    pip install "${wheel}[gpu,cloud]"
    # Of the same version it may still be another build.
    pip install --no-deps --force-reinstall "$wheel"
fi

say "what starts it, watches it and ends it"
install -d -m 755 "$library" "$units"
install -m 755 "$here/deadline.sh" "$here/watch.sh" "$here/smoke.sh" "$library"
install -m 644 "$here/start_studio.py" "$here/README.md" "$library"
for unit in "$here"/units/visualneurons*.service "$here"/units/visualneurons*.timer "$here"/units/visualneurons*.path; do
    install -m 644 "$unit" "$units"
done
want() { # as "systemctl enable" does, which some roots lack
    install -d -m 755 "$root/etc/systemd/system/$1.wants"
    ln -sf "/usr/lib/systemd/system/$2" "$root/etc/systemd/system/$1.wants/$2"
}
want multi-user.target visualneurons.path
want timers.target visualneurons-watch.timer
want sysinit.target visualneurons-deadline.timer
[ -n "$root" ] || systemctl daemon-reload

if [ -n "$offline" ]; then
    say "no weights and no compiled kernels: this is --offline, the studio fetches and compiles them when it starts"
elif [ -n "$root" ]; then
    say "no compiled kernels: this is --root, the studio compiles them when it starts"
else
    say "the weights, and what the GPU's driver compiles for it (this takes minutes)"
    state=/var/lib/visualneurons
    install -d -o visualneurons -g visualneurons -m 750 "$state"
    site=$("$program/bin/python" -c "import website; print(next(iter(website.__path__)))")
    cd "$state"
    for size in 512 1024; do
        runuser -u visualneurons -- env HOME="$state" KERAS_HOME="$state/keras" CUDA_CACHE_PATH="$state/cuda" \
            "$program/bin/visualneurons" paint "$site/samples/canal_houses.jpg" "$site/artworks/mosaic.jpg" \
            --out "$state/warm.png" --engine vgg19 --size "$size" --iterations 8
        rm -f "$state/warm.png"
    done
fi
say "done"
