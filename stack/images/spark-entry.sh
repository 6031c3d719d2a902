#!/bin/bash
# Starts one part of Spark with the arguments of engines/src/plans/spark-plan.ts (a test compares them), or checks its
# health.
set -euo pipefail

home=${DEVICEMESH_HOME:-/opt/devicemesh}
state=${DEVICEMESH_STATE:-/var/lib/devicemesh}
config=$home/config/spark-defaults.conf
master_url=${SPARK_MASTER_URL:-spark://spark-master:7077}
master_port=${SPARK_MASTER_PORT:-7077}
master_page_port=${SPARK_MASTER_WEBUI_PORT:-8080}
worker_page_port=${SPARK_WORKER_WEBUI_PORT:-8081}
connect_port=${SPARK_CONNECT_PORT:-15002}
recovery=$state/recovery

usage() {
  cat <<'END'
Usage: entry.sh master | worker | connect [ARGUMENT...]
       entry.sh healthy master | worker | connect

  master    watches the workers: SPARK_MASTER_PORT (7077), page on SPARK_MASTER_WEBUI_PORT (8080)
  worker    starts executors: SPARK_MASTER_URL (spark://spark-master:7077), SPARK_WORKER_CORES (1),
            SPARK_WORKER_MEMORY (1200m), SPARK_WORKER_PORT (7078), page on SPARK_WORKER_WEBUI_PORT (8081)
  connect   serves Spark Connect configured by config/spark-defaults.conf
  healthy   ends with 0 if that part answers in this container, else with 1 and why; connect is unhealthy as well
            while a living master does not know its application, since only a new start helps it then

The master remembers workers and applications in DEVICEMESH_STATE/recovery (/var/lib/devicemesh/recovery): a volume.

SPARK_CONNECT_AUTHENTICATE_TOKEN, or the file SPARK_CONNECT_AUTHENTICATE_TOKEN_FILE, is what clients of connect must show.
DEVICEMESH_HEAP is the JVM's heap (128m; of connect 768m), DEVICEMESH_ADDRESS the address that others reach a master or worker at;
by default the master's is its host name, a worker's the first address of its host name.
END
}

# own_address: the address of this container for other containers.
own_address() {
  local addresses
  read -ra addresses <<<"${DEVICEMESH_ADDRESS:-$(hostname -i)}"
  echo "${addresses[0]}"
}

# start HEAP QUICK MAIN ARGUMENT...: replaces itself by the JVM, so that it receives the container's signals.
start() {
  local heap=$1 quick=$2 module_options properties=() more=()
  shift 2
  read -ra module_options <"$home/spark/module-options.txt"
  if [ "$1" = org.apache.spark.sql.connect.service.SparkConnectServer ]; then
    mapfile -t properties < <(
      sed -nE 's/^[[:space:]]*([^#[:space:]=][^[:space:]=]*)([[:space:]]*=[[:space:]]*|[[:space:]]+)(.*[^[:space:]])?[[:space:]]*$/-D\1=\3/p' "$config"
    )
  fi
  if [ "$1" = org.apache.spark.deploy.master.Master ]; then
    # Any client that reaches it could run anything; this port is not used.
    properties=(
      -Dspark.master.rest.enabled=false
      -Dspark.deploy.recoveryMode=FILESYSTEM
      "-Dspark.deploy.recoveryDirectory=$recovery"
      -Dspark.deploy.recoveryTimeout=15
      -Dspark.deploy.maxExecutorRetries=-1
    )
  fi
  if [ "$quick" = quick ]; then more=(-XX:TieredStopAtLevel=1); fi
  exec java "${module_options[@]}" "${properties[@]}" \
    "-Xmx${DEVICEMESH_HEAP:-$heap}" -XX:+UseSerialGC -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError "${more[@]}" \
    -Djava.awt.headless=true "-Dlog4j2.configurationFile=$home/config/log4j2.xml" \
    -cp "$home/spark/jars/*" "$@"
}

# prepare_recovery: a master that did not become healthy at its last start may have damaged files, for example after a
# power cut; it then starts without them, and the health check of connect restores the application.
prepare_recovery() {
  if [ -e "$recovery/.starting" ]; then rm -rf "${recovery:?}"/*; fi
  mkdir -p "$recovery" && touch "$recovery/.starting"
}

# get HOST PORT PATH: returns a page of a part.
get() {
  # shellcheck disable=SC2016
  timeout 3 bash -c 'exec 3<>"/dev/tcp/$0/$1" && printf "GET %s HTTP/1.0\r\n\r\n" "$2" >&3 && cat <&3' "$@" 2>/dev/null
}

# property NAME: of the configuration.
property() {
  sed -nE "s/^$1[[:space:]]+(.*[^[:space:]])[[:space:]]*$/\1/p" "$config" 2>/dev/null || true
}

# is_application_lost: a live master does not know the application. A master that does not answer has lost nothing yet.
is_application_lost() {
  local page
  [[ $(property 'spark\.master') =~ ^spark://([^:]+): ]] || return 1
  page=$(get "${BASH_REMATCH[1]}" "$master_page_port" /json/) || return 1
  [[ $page == *'"ALIVE"'* ]] || return 1
  page=${page#*'"activeapps"'}
  [[ ${page%%'"completedapps"'*} != *"\"$(property 'spark\.app\.name')\""* ]]
}

unhealthy() {
  echo "$1"
  exit 1
}

healthy() {
  case ${1:-} in
    master)
      get 127.0.0.1 "$master_page_port" /json/ | grep -q '"ALIVE"' || unhealthy "the master is not alive"
      rm -f "$recovery/.starting"
      ;;
    worker) get 127.0.0.1 "$worker_page_port" /json/ | grep -qF "$master_url" || unhealthy "the worker is not registered at $master_url" ;;
    connect)
      (exec 3<>"/dev/tcp/127.0.0.1/$connect_port") 2>/dev/null || unhealthy "Spark Connect does not listen on $connect_port"
      if is_application_lost; then unhealthy "the master does not know the application of Spark Connect"; fi
      ;;
    *) usage >&2; exit 2 ;;
  esac
}

part=${1:-help}
shift || true
case $part in
  master)
    prepare_recovery 2>/dev/null || true
    start 128m quick org.apache.spark.deploy.master.Master \
      --host "${DEVICEMESH_ADDRESS:-$(hostname)}" --port "$master_port" --webui-port "$master_page_port" "$@"
    ;;
  worker)
    start 128m quick org.apache.spark.deploy.worker.Worker \
      --host "$(own_address)" --port "${SPARK_WORKER_PORT:-7078}" --webui-port "$worker_page_port" \
      --cores "${SPARK_WORKER_CORES:-1}" --memory "${SPARK_WORKER_MEMORY:-1200m}" --work-dir "$state/work" \
      "$@" "$master_url"
    ;;
  connect)
    if [ -n "${SPARK_CONNECT_AUTHENTICATE_TOKEN_FILE:-}" ]; then
      SPARK_CONNECT_AUTHENTICATE_TOKEN=$(<"$SPARK_CONNECT_AUTHENTICATE_TOKEN_FILE")
      export SPARK_CONNECT_AUTHENTICATE_TOKEN
    fi
    start 768m thorough org.apache.spark.sql.connect.service.SparkConnectServer "$@"
    ;;
  healthy) healthy "$@" ;;
  help | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
