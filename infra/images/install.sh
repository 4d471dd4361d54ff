#!/bin/sh
# In a container of the base, or of the layer below: installs /tmp/packages.txt into /opt/venv, and leaves nothing else behind.
# /tmp is in memory: the lock, the host's way to packages and these scripts are never in a layer. /mnt holds uv; see installer.sh.
set -eu
. /tmp/host/settings
export UV_CACHE_DIR=/opt/cache
[ -e /opt/venv ] || python3 -m venv --without-pip /opt/venv
# What was built from source already, under the same hashes.
if [ -d /mnt/cache ]; then cp -R /mnt/cache "$UV_CACHE_DIR"; fi
# A lock is complete: what it does not name is not installed. Linked, not copied: the cache is beside it, and goes.
if [ -s /tmp/packages.txt ]; then
  /mnt/pip/bin/uv pip install --link-mode=hardlink --no-deps --require-hashes --python /opt/venv/bin/python \
    --build-constraints /tmp/installer.txt -r /tmp/packages.txt
fi
# A layer that others build on is no whole lock yet.
if [ -e /tmp/last ]; then /mnt/pip/bin/uv pip check --python /opt/venv/bin/python; fi
rm -rf "$UV_CACHE_DIR" /opt/venv/.lock # uv's own
python3 /tmp/slim.py /opt/venv
/opt/venv/bin/python /tmp/compile.py /opt/venv
