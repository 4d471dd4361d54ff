#!/usr/bin/env bash
# Create two environments from their locks: .venv for everything, .venv-validate only for TensorFlow Data Validation.
# A stamp file contains the digest of the inputs. If it matches, nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
umask g-w,o-w # with umask 000, other users could change the programs

install() { # folder lock
  local folder=$1 lock=$2 want
  want=$(cat "$lock" pyproject.toml infra/setup.sh | sha256sum | cut -d' ' -f1)
  [ "$(cat "$folder/.robo-poet-stamp" 2>/dev/null)" = "$want" ] && return
  . infra/uv.sh
  local start=$SECONDS
  echo "setup: $(grep -c '==' "$lock") packages → $folder"
  if [ ! -x "$folder/bin/python" ]; then
    local python
    python=$(python_311)
    "$UV" venv --quiet --python "$python" "$folder"
  fi
  # Compile bytecode now: several processes of each run import TensorFlow.
  "$UV" pip sync --quiet --compile-bytecode --require-hashes --python "$folder/bin/python" "$lock"
  if [ "$folder" = .venv ]; then
    "$UV" pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .
  fi
  echo "$want" > "$folder/.robo-poet-stamp"
  echo "setup: $folder ready after $((SECONDS - start)) s"
}

install .venv requirements/all.txt
install .venv-validate requirements/validate.txt
