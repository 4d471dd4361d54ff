#!/usr/bin/env bash
# Create two environments from their locks: .venv for everything, .venv-validate only for TensorFlow Data Validation.
# A stamp file contains the digest of the inputs. If it matches, nothing is installed.
set -euo pipefail
cd "$(dirname "$0")/.."
umask g-w,o-w # with umask 000, other users could change the programs

digest() { cat "$1" pyproject.toml infra/setup.sh | sha256sum | cut -d' ' -f1; } # lock

is_current() { [ "$(cat "$1/.robo-poet-stamp" 2>/dev/null)" = "$(digest "$2")" ]; } # folder lock

install() { # folder lock
  local folder=$1 lock=$2 start=$SECONDS
  is_current "$folder" "$lock" && return
  echo "setup: $(grep -c '==' "$lock") packages → $folder"
  [ -x "$folder/bin/python" ] || "$UV" venv --quiet --python "$python" "$folder"
  # Compile bytecode now: several processes of each run import TensorFlow.
  "$UV" pip sync --quiet --compile-bytecode --require-hashes --python "$folder/bin/python" "$lock"
  if [ "$folder" = .venv ]; then
    "$UV" pip install --quiet --no-deps --no-build-isolation --python .venv/bin/python --editable .
  fi
  digest "$lock" > "$folder/.robo-poet-stamp"
  echo "setup: $folder ready after $((SECONDS - start)) s"
}

if is_current .venv requirements/all.txt && is_current .venv-validate requirements/validate.txt; then
  exit 0
fi
. infra/uv.sh
python=
if [ ! -x .venv/bin/python ] || [ ! -x .venv-validate/bin/python ]; then
  python=$(python_311)
fi
install .venv requirements/all.txt & # one downloads while the other compiles bytecode
main=$!
install .venv-validate requirements/validate.txt &
validate=$!
status=0
wait "$main" || status=$?
wait "$validate" || status=$?
exit "$status"
