#!/bin/bash
# Starts a worker of Kafka Connect with the arguments that engines/src/plans/connect-plan.ts has (a test holds them
# equal), or asks whether it is well.
set -euo pipefail

home=${DEVICEMESH_HOME:-/opt/devicemesh}
config=$home/config/connect-worker.properties
port=${CONNECT_PORT:-8083}

usage() {
  cat <<'END'
Usage: entry.sh connect
       entry.sh healthy

  connect   a worker as config/connect-worker.properties says; it tells the others its own address
  healthy   ends with 0 if the worker lists its connectors, else with 1 and why

DEVICEMESH_HEAP is the JVM's heap (512m), DEVICEMESH_ADDRESS the address that the other workers reach it at; by
default the first address of its host name.
END
}

start() {
  local addresses own=${TMPDIR:-/tmp}/connect-worker.properties
  read -ra addresses <<<"${DEVICEMESH_ADDRESS:-$(hostname -i)}"
  # Workers pass requests on to their leader: each must name the address of its own task, not that of them all.
  # Of two values the last one counts.
  { cat "$config"; printf '\nrest.advertised.host.name=%s\n' "${addresses[0]}"; } >"$own"
  exec java "-Xmx${DEVICEMESH_HEAP:-512m}" -XX:+UseSerialGC -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError \
    -Djava.awt.headless=true "-Dlog4j2.configurationFile=$home/config/log4j2.xml" \
    -cp "$home/kafka/lib/*" org.apache.kafka.connect.cli.ConnectDistributed "$own"
}

# first_line PATH: the status that the worker answers with.
first_line() {
  exec 3<>"/dev/tcp/127.0.0.1/$port" || return
  printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
  timeout 5 head -n 1 <&3
}

healthy() {
  local status
  # It can list its connectors only after it has joined its group and read its topics.
  status=$(first_line /connectors 2>&1) || true
  case $status in
    HTTP/*" 200 "*) ;;
    *) echo "Kafka Connect on $port does not list its connectors: ${status##*: }"; exit 1 ;;
  esac
}

case ${1:-help} in
  connect) start ;;
  healthy) healthy ;;
  help | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
