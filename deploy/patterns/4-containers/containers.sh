# shellcheck shell=bash
# The containers of this pattern, sourced after lib.sh. DOCKER_HOST and the like are docker's own.
#
#   NET   the first three numbers of the containers' addresses (10.92.0)
NET=${NET:-10.92.0}
readonly PROJECT=subito-shop # one at a daemon
readonly MORE_LABEL=dev.subito.shop=more
export NET STATE

host_of() { host_in_net "$1"; }
port_of() { if [[ $1 == redis ]]; then printf 6379; else printf 8080; fi; }

# Compose is a plugin of docker's, or Debian's program.
compose() {
  if docker compose version >/dev/null 2>&1; then
    docker compose -p "$PROJECT" -f "$PATTERN/compose.yaml" "$@"
  else
    docker-compose -p "$PROJECT" -f "$PATTERN/compose.yaml" "$@"
  fi
}

# Of whoever brought them up; compose itself would want that one's files.
project_containers() { docker ps -aq --filter "label=com.docker.compose.project=$PROJECT"; }

require_docker() {
  require docker docker.io
  docker info >/dev/null 2>&1 || die "use docker: no daemon answers; start one, or set DOCKER_HOST"
  docker compose version >/dev/null 2>&1 || require docker-compose docker-compose
}

# build_image NAME FOLDER [OPTION...]
build_image() {
  docker build -q -t "localhost/subito-shop/$1" "${@:3}" "$2" >/dev/null ||
    die "build the image of $1: see above"
}

build_service() {
  mkdir -p "$STATE/image"
  cp "$BUILD/shop/$1" "$STATE/image/"
  build_image "$1" "$STATE/image" -f "$PATTERN/Dockerfile" --build-arg "SERVICE=$1"
  rm -r "$STATE/image"
}

# Redis with its libraries, as they lie on this host.
build_redis() {
  local root=$STATE/image/root file
  mkdir -p "$root/usr/bin" "$root/data" "$root/etc"
  cp -L "$(command -v redis-server)" "$root/usr/bin/redis-server"
  while read -r file; do
    mkdir -p "$root${file%/*}"
    cp -L "$file" "$root$file"
  done < <(ldd "$(command -v redis-server)" | grep -o '/[^ ]*')
  build_image redis "$STATE/image" -f "$PATTERN/redis.Dockerfile"
  rm -r "$STATE/image"
}

# The process of each container, as this host numbers it.
container_pids() {
  local ids
  mapfile -t ids < <(compose ps -q)
  docker inspect -f '{{.State.Pid}}' "${ids[@]}" | paste -sd,
}

# run_more NAME HOST OPTION...: a further container of the catalogue, with the limits of
# compose.yaml; down.sh finds it by its label.
run_more() {
  docker run "${@:3}" --name "$PROJECT-$1" --label "$MORE_LABEL" --network "${PROJECT}_shop" \
    --ip "$2" --env-file "$STATE/catalogue.env" --memory 128m --pids-limit 64 --read-only \
    --cap-drop ALL --security-opt no-new-privileges:true \
    localhost/subito-shop/catalogue /catalogue --listen 0.0.0.0:8080
}

remove_more() {
  local ids
  mapfile -t ids < <(docker ps -aq --filter "label=$MORE_LABEL")
  [[ ${#ids[@]} == 0 ]] || docker rm -f "${ids[@]}" >/dev/null
}
