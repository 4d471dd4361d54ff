# To be sourced. Sets UV to the path of uv in .tools. Installs the pinned version there if it is missing.
UV_VERSION=0.13.9
export UV_PYTHON_DOWNLOADS=never
UV=.tools/bin/uv
if [ ! -x "$UV" ]; then
  command -v python3.11 >/dev/null || { echo "error: python3.11 is not on the PATH; robo-poet needs Python 3.11" >&2; exit 2; }
  echo "setup: uv $UV_VERSION → .tools"
  python3.11 -m venv .tools || { echo "error: python3.11 -m venv failed; install your system's python3.11-venv package" >&2; exit 2; }
  .tools/bin/python -m pip install --quiet --disable-pip-version-check "uv==$UV_VERSION"
fi
