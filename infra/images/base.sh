#!/usr/bin/env bash
# Build a base image from Debian packages, for hosts that cannot reach a container registry: infra/images/base.sh [name]
# Needs root, debootstrap and a Docker engine. An existing image of this name is kept.
# MIRROR names a Debian mirror; the default is debootstrap's. The image contains no files of this host.
set -euo pipefail
name=${1:-robo-poet/base:bookworm}

fail() { echo "error: $*" >&2; exit 2; }
docker version --format '{{.Server.Version}}' >/dev/null 2>&1 || fail "no Docker engine responds; start one, or set DOCKER_HOST"
if docker image inspect "$name" >/dev/null 2>&1; then echo "base image: $name exists"; exit 0; fi
[ "$(id -u)" = 0 ] || fail "debootstrap needs root; run this with sudo"
command -v debootstrap >/dev/null || fail "debootstrap is not installed; apt-get install debootstrap"
# Without the keys, debootstrap would only warn and install unverified packages.
keyring=/usr/share/keyrings/debian-archive-keyring.gpg
[ -s "$keyring" ] || fail "the keys of the Debian archive are missing: $keyring; apt-get install debian-archive-keyring"

work=$(mktemp -d)
trap 'rm -rf --one-file-system "$work"' EXIT
start=$SECONDS
for attempt in 1 2 3; do # downloads can fail temporarily
  debootstrap --force-check-gpg --keyring="$keyring" --variant=minbase --include=python3,python3-venv,ca-certificates bookworm "$work/root" ${MIRROR:+"$MIRROR"} > "$work/log" 2>&1 && break
  [ "$attempt" -lt 3 ] || fail "debootstrap failed: $(tail -n 1 "$work/log")"
  echo "base image: attempt $attempt failed ($(tail -n 1 "$work/log")); retrying" >&2
  rm -rf --one-file-system "$work/root"
done
cd "$work/root"
rm -rf var/cache/apt/*.bin var/cache/apt/archives/*.deb var/lib/apt/lists/* var/log/*.log var/log/apt usr/share/doc usr/share/man usr/share/info \
  usr/share/locale usr/share/lintian
: > etc/resolv.conf # debootstrap copies the file of this host
: > etc/hostname
tar --numeric-owner -c . | docker import --change 'CMD ["bash"]' - "$name" >/dev/null
echo "base image: $name built in $((SECONDS - start)) s"
