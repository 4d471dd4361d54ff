#!/usr/bin/env bash
# Install the Debian packages that tests use: Redis, Prometheus, Alertmanager, a browser. If a program is missing, its tests are skipped with a reason.
set -euo pipefail
missing=()
for pair in redis-server:redis-server prometheus:prometheus amtool:prometheus-alertmanager chromium:chromium; do
  command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}")
done
[ ${#missing[@]} -gt 0 ] || exit 0
if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
  echo "test packages: ${missing[*]} missing, and only root on Debian can install them; their tests are skipped"
  exit 0
fi
echo "test packages: installing ${missing[*]}"
quiet="-qq -o=Dpkg::Use-Pty=0 -o=Acquire::Retries=5"
# Do not start the services of these packages: each test starts and stops its own process.
policy=/usr/sbin/policy-rc.d
[ -e "$policy" ] || { printf '#!/bin/sh\nexit 101\n' > "$policy"; chmod +x "$policy"; trap 'rm -f "$policy"' EXIT; }
apt-get $quiet update >/dev/null 2>&1 || true
DEBIAN_FRONTEND=noninteractive apt-get $quiet install --yes --no-install-recommends "${missing[@]}" fonts-dejavu-core >/dev/null 2>&1 ||
  echo "test packages: apt-get could not install ${missing[*]}; their tests are skipped"
