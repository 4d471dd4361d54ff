# To be sourced. `start_engine` finds a Docker engine with room for all images, or prints why there is none and returns 1.
# If no engine responds and the user is root on Debian, it installs Debian's engine, starts it and sets DOCKER_HOST. `stop_engine` stops it.
engine_folder=

start_engine() {
  docker info >/dev/null 2>&1 && return 0
  [ "$(id -u)" = 0 ] || { echo "docker: no engine responds, and only root can start one"; return 1; }
  if ! command -v dockerd >/dev/null || ! command -v docker >/dev/null || ! command -v debootstrap >/dev/null; then
    command -v apt-get >/dev/null || { echo "docker: not installed, and apt-get is missing to install it"; return 1; }
    echo "docker: installing Debian's docker.io and debootstrap"
    local quiet="-qq -o=Dpkg::Use-Pty=0 -o=Acquire::Retries=5" packages="docker.io debootstrap"
    apt-get $quiet update >/dev/null 2>&1 || true
    apt-cache show docker-cli >/dev/null 2>&1 && packages="$packages docker-cli" # a separate package since Debian 13
    DEBIAN_FRONTEND=noninteractive apt-get $quiet install --yes --no-install-recommends $packages >/dev/null 2>&1 ||
      { echo "docker: apt-get could not install $packages"; return 1; }
    docker info >/dev/null 2>&1 && return 0 # the package may have started the engine
  fi
  engine_folder=$(mktemp -d /tmp/robo-poet-engine.XXXXXX) # short, as a socket path has at most 107 characters
  export DOCKER_HOST=unix://$engine_folder/socket
  # No bridge and no firewall rules: builds use the host's network, steps have no network.
  dockerd --iptables=false --ip6tables=false --bridge=none --data-root "$engine_folder/data" --exec-root "$engine_folder/exec" \
    --pidfile "$engine_folder/pid" -H "$DOCKER_HOST" > "$engine_folder/log" 2>&1 &
  for _ in $(seq 60); do
    docker info >/dev/null 2>&1 && break
    sleep 0.5
  done
  if ! docker info >/dev/null 2>&1; then
    echo "docker: the engine does not start: $(grep -aoE '(failed|error|Error).*' "$engine_folder/log" | tail -n 1)"
  elif [ "$(docker info --format '{{.Driver}}')" = vfs ]; then
    echo "docker: the engine has only the storage driver vfs, which copies each layer in full; the disk is too small for the images"
  elif [ "$(df --output=avail -k "$engine_folder" | tail -n 1)" -lt 20000000 ]; then
    echo "docker: the images need 20 GB of free disk space"
  else
    return 0
  fi
  stop_engine
  return 1
}

stop_engine() {
  [ -n "$engine_folder" ] || return 0
  if [ -s "$engine_folder/pid" ]; then
    local pid; pid=$(cat "$engine_folder/pid")
    kill "$pid" 2>/dev/null || true
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
  fi
  unset DOCKER_HOST
  awk -v below="$engine_folder/" 'index($2, below) == 1 {print $2}' /proc/mounts | sort -r | xargs -r umount 2>/dev/null || true
  rm -rf --one-file-system "$engine_folder" || true
  engine_folder=
}
