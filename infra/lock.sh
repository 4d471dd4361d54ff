#!/usr/bin/env bash
# Write requirements/*.txt from pyproject.toml, hash-pinned and without addresses. `all` is resolved first. All other groups except
# `validate` are constrained by it, so that a step has the same versions on this machine and in its image.
# With --check: exit 1 with a message if a lock differs from what pyproject.toml resolves to, or contains an address.
set -euo pipefail
cd "$(dirname "$0")/.."
. infra/uv.sh
target=requirements
[ "${1:-}" = --check ] && target=$(mktemp -d) && cp requirements/*.txt "$target"/
mkdir -p "$target"

resolve() { # name [more arguments]
  local name=$1; shift
  "$UV" --config-file infra/images/uv.toml pip compile --quiet --generate-hashes --no-emit-index-url --no-emit-find-links --no-header --no-annotate \
    --python-version 3.11 --python-platform x86_64-manylinux_2_28 "$@" --output-file "$target/$name.txt"
}
compile() { # group [more arguments]
  resolve "$1" --group "$@"
}

compile all
for group in data data-beam scrub scrub-beam tokenize report edge train train-gpu evaluate evaluate-gpu measure slices registry model-sync model-server gateway monitoring cli; do compile "$group" --constraints "$target/all.txt"; done
compile validate
# Tools that install and build packages for images. No image contains them.
printf '%s\n' "uv==$UV_VERSION" setuptools | resolve installer --constraints "$target/all.txt" -

if [ "${1:-}" = --check ]; then
  # Compare names and versions only: a new wheel for an old release changes the hashes, but the lock is still valid.
  for lock in "$target"/*.txt; do
    diff <(grep -oE '^[a-zA-Z0-9_.-]+==[^ ]+' "requirements/$(basename "$lock")") <(grep -oE '^[a-zA-Z0-9_.-]+==[^ ]+' "$lock") >/dev/null ||
      { echo "error: requirements/$(basename "$lock") does not match pyproject.toml; run make lock" >&2; exit 1; }
  done
  if grep -lE 'https?://|^--' requirements/*.txt; then echo "error: a lock file contains an address or an option; remove it" >&2; exit 1; fi
  echo "lock files match pyproject.toml: $(ls requirements/*.txt | wc -l) files"
fi
