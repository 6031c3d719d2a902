#!/bin/bash
# Starts a broker of Kafka or a worker of Kafka Connect with the arguments of engines/src/plans (a test compares them),
# or checks its health.
set -euo pipefail

home=${DEVICEMESH_HOME:-/opt/devicemesh}
broker_config=$home/config/broker.properties
connect_config=$home/config/connect-worker.properties
controller_port=${KAFKA_CONTROLLER_PORT:-9093}
connect_port=${CONNECT_PORT:-8083}

usage() {
  cat <<'END'
Usage: entry.sh broker | connect
       entry.sh healthy broker | connect

  broker    a broker and controller configured by config/broker.properties, of the cluster KAFKA_CLUSTER_ID; it prepares a
            data folder that is new
  connect   a worker configured by config/connect-worker.properties; it advertises its own address
  healthy   ends with 0 if the controller of the broker listens, or if the worker lists its connectors; else with 1
            and the reason

DEVICEMESH_HEAP is the JVM's heap (broker 1g, connect 512m). DEVICEMESH_ADDRESS is the address at which other workers
reach this one; by default the first address of its host name.
END
}

# start HEAP MAIN CONFIG: replaces itself by the JVM, so that it receives the container's signals.
start() {
  exec java "-Xmx${DEVICEMESH_HEAP:-$1}" -XX:+UseSerialGC -XX:-UsePerfData -XX:+ExitOnOutOfMemoryError \
    -Djava.awt.headless=true "-Dlog4j2.configurationFile=$home/config/log4j2.xml" \
    -cp "$home/kafka/lib/*" "$2" "$3"
}

broker() {
  java -XX:+UseSerialGC -XX:TieredStopAtLevel=1 -cp "$home/kafka/lib/*" kafka.tools.StorageTool format \
    --cluster-id "${KAFKA_CLUSTER_ID:?is missing: the id of the cluster, the same for all brokers}" \
    --config "$broker_config" --ignore-formatted
  start 1g kafka.Kafka "$broker_config"
}

connect() {
  local addresses own=${TMPDIR:-/tmp}/connect-worker.properties
  read -ra addresses <<<"${DEVICEMESH_ADDRESS:-$(hostname -i)}"
  # Workers forward requests to their leader: each must advertise the address of its own task, not that of the service.
  # The last of two values counts.
  { cat "$connect_config"; printf '\nrest.advertised.host.name=%s\n' "${addresses[0]}"; } >"$own"
  start 512m org.apache.kafka.connect.cli.ConnectDistributed "$own"
}

# first_line PATH: the status of the worker's response.
first_line() {
  exec 3<>"/dev/tcp/127.0.0.1/$connect_port" || return
  printf 'GET %s HTTP/1.0\r\n\r\n' "$1" >&3
  timeout 5 head -n 1 <&3
}

unhealthy() {
  echo "$1"
  exit 1
}

healthy() {
  local status
  case ${1:-} in
    broker)
      # The controller, not the broker: a broker listens only once a majority of the controllers has met.
      (exec 3<>"/dev/tcp/127.0.0.1/$controller_port") 2>/dev/null ||
        unhealthy "the controller does not listen on $controller_port"
      ;;
    connect)
      # The worker can list its connectors only after it has joined its group and read its topics.
      status=$(first_line /connectors 2>&1) || true
      case $status in
        HTTP/*" 200 "*) ;;
        *) unhealthy "Kafka Connect on $connect_port does not list its connectors: ${status##*: }" ;;
      esac
      ;;
    *) usage >&2; exit 2 ;;
  esac
}

case ${1:-help} in
  broker) broker ;;
  connect) connect ;;
  healthy) healthy "${2:-}" ;;
  help | --help) usage ;;
  *) usage >&2; exit 2 ;;
esac
