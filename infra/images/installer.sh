#!/bin/sh
# Runs in a temporary container: installs uv from its hash-pinned lock into the volume /mnt. The containers of install.sh mount this volume.
set -eu
. /tmp/host/settings
export PIP_CONFIG_FILE=/tmp/host/pip.conf PIP_DISABLE_PIP_VERSION_CHECK=1
python3 -m venv /mnt/pip
/mnt/pip/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r /tmp/installer.txt
