#!/bin/sh
# Runs in a temporary container: builds the source-only packages of /tmp/packages.txt into uv's cache in the volume /mnt.
# So no layer contains a compiler. The build tool (setuptools) is hash-pinned too.
set -eu
. /tmp/host/settings
own=$(python3 -c 'import sys; print("python3-dev" if sys.prefix == "/usr" else "")')
apt-get -q -o Acquire::Retries=5 update
apt-get -q -o Acquire::Retries=5 install --yes --no-install-recommends g++ libc6-dev $own
UV_CACHE_DIR=/mnt/cache /mnt/pip/bin/uv pip install --target /tmp/built --no-deps --require-hashes --python python3 \
  --build-constraints /tmp/installer.txt -r /tmp/packages.txt
