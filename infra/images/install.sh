#!/bin/sh
# Runs in a container of the base image or of the layer below: installs /tmp/packages.txt into /opt/venv. No other files remain.
# /tmp is in memory, so the lock, the host's package settings and these scripts are never in a layer. /mnt holds uv; see installer.sh.
set -eu
. /tmp/host/settings
export UV_CACHE_DIR=/opt/cache
[ -e /opt/venv ] || python3 -m venv --without-pip /opt/venv
# Packages that from_source.sh has built, with the same hashes.
if [ -d /mnt/cache ]; then cp -R /mnt/cache "$UV_CACHE_DIR"; fi
# The lock is complete, so dependencies are not resolved. Hard links instead of copies: the cache is on the same disk and is removed below.
if [ -s /tmp/packages.txt ]; then
  /mnt/pip/bin/uv pip install --link-mode=hardlink --no-deps --require-hashes --python /opt/venv/bin/python \
    --build-constraints /tmp/installer.txt -r /tmp/packages.txt
fi
# Only the last layer completes a lock, so only there the check can pass.
if [ -e /tmp/last ]; then /mnt/pip/bin/uv --config-file /tmp/uv.toml pip check --python /opt/venv/bin/python; fi
rm -rf "$UV_CACHE_DIR" /opt/venv/.lock # files of uv
python3 /tmp/slim.py /opt/venv
/opt/venv/bin/python /tmp/compile.py /opt/venv
