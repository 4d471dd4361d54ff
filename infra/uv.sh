# To be sourced in the root of the repository. Sets UV to the path of uv: in .tools, else on the PATH, else installed in .tools with any
# Python from 3.9 on. An installed uv must have one of the SHA-256 digests in requirements/installer.txt; a uv on the PATH is used unchecked.
# `python_311` prints the path of a CPython 3.11. If the machine has none, uv downloads it to .tools/python and verifies its SHA-256.
UV_VERSION=0.13.9
UV=.tools/bin/uv
export UV_PYTHON_INSTALL_DIR="${UV_PYTHON_INSTALL_DIR:-$PWD/.tools/python}"

fail() { echo "error: $1" >&2; exit 2; }

install_uv() { # into .tools, with a virtual environment, or with pip where the system's Python has no venv
  local python lock
  # Of the lock, only uv: its setuptools needs a newer Python than this may be.
  lock=$(sed -n '/^uv==/,/[^\\]$/p' requirements/installer.txt)
  [ "${lock%% *}" = "uv==$UV_VERSION" ] || fail "requirements/installer.txt has no hashes of uv $UV_VERSION; run make lock with uv $UV_VERSION on the PATH"
  for python in python3.11 python3 python3.13 python3.12 python3.10 python3.9; do
    "$python" -c 'import sys; sys.exit(sys.version_info < (3, 9))' 2>/dev/null || continue
    if "$python" -m venv .tools >/dev/null 2>&1; then
      .tools/bin/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes -r /dev/stdin <<< "$lock" && return
    elif "$python" -m pip --version >/dev/null 2>&1; then
      "$python" -m pip install --quiet --disable-pip-version-check --upgrade --target .tools/packages \
        --no-deps --require-hashes -r /dev/stdin <<< "$lock" || continue
      mkdir -p .tools/bin && ln -sf ../packages/bin/uv "$UV" && return
    fi
  done
  fail "no uv, and no Python 3.9 or newer that can install it; install your system's python3-venv package, or uv"
}

python_311() {
  "$UV" python find --system 3.11 2>/dev/null && return
  local problem="Python 3.11 is not on this machine"
  [ "${UV_PYTHON_DOWNLOADS:-}" != never ] || fail "$problem, and UV_PYTHON_DOWNLOADS=never forbids its download; install python3.11, or unset UV_PYTHON_DOWNLOADS"
  echo "setup: CPython 3.11 → $UV_PYTHON_INSTALL_DIR" >&2
  local output
  output=$("$UV" python install --no-bin 3.11 2>&1) ||
    fail "$problem, and uv could not download it ($(echo "$output" | tail -1 | sed 's/^ *cause: //')); install python3.11, or set UV_PYTHON_INSTALL_MIRROR"
  "$UV" python find --system 3.11
}

if [ ! -x "$UV" ]; then
  found=$(uv --version 2>/dev/null | cut -d' ' -f2) || found=""
  if [ -n "$found" ] && printf '%s\n' "$UV_VERSION" "$found" | sort -V -C; then
    UV=$(command -v uv)
    echo "setup: uv $found of this machine is used; its hash is not checked" >&2
  else
    echo "setup: uv $UV_VERSION → .tools"
    install_uv
  fi
fi
