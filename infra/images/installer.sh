#!/bin/sh
# In a container that no image is made of: puts uv, from its hash-pinned lock, into the volume /mnt, which those of install.sh share.
set -eu
. /tmp/host/settings
export PIP_CONFIG_FILE=/tmp/host/pip.conf PIP_DISABLE_PIP_VERSION_CHECK=1
python3 -m venv /mnt/pip
/mnt/pip/bin/pip install --quiet --no-cache-dir --no-deps --require-hashes -r /tmp/installer.txt
