#!/usr/bin/env bash
# Runs Envoy as the first process of a container and drains it on SIGTERM, because SIGTERM alone would cut the open
# streams. It reports that it is not ready, accepts calls for DRAIN_SECONDS, waits at most OPEN_CALLS_SECONDS until open
# calls have ended, and then stops it. Needs bash, cat, grep, tr and sleep. The grace period of the container must be
# longer than both together.
#
#   run.sh ADMIN_PORT DRAIN_SECONDS OPEN_CALLS_SECONDS envoy -c envoy.yaml ...
set -u
admin_port=$1 drain_seconds=$2 open_calls_seconds=$3
shift 3

ask() {
  exec 3<>"/dev/tcp/127.0.0.1/$admin_port" || return
  printf '%s %s HTTP/1.1\r\nhost: localhost\r\nconnection: close\r\n\r\n' "$1" "$2" >&3
  cat <&3
  exec 3>&-
}

calls_open() {
  ask GET '/stats?filter=downstream_rq_active$' | tr -d '\r' |
    grep -E '^http\.(plain|public|devices)\.downstream_rq_active: [1-9]' >/dev/null
}

drain() {
  trap '' TERM INT
  ask POST /healthcheck/fail >/dev/null
  ask POST '/drain_listeners?graceful' >/dev/null
  sleep "$drain_seconds"
  local tries=$((open_calls_seconds * 5))
  while [ "$tries" -gt 0 ] && calls_open; do
    sleep 0.2
    tries=$((tries - 1))
  done
  kill -TERM "$envoy"
}

trap drain TERM INT
"$@" --drain-time-s "$drain_seconds" --drain-strategy immediate &
envoy=$!
wait "$envoy"
status=$?
# A trapped signal ends the wait before Envoy has ended.
while kill -0 "$envoy" 2>/dev/null; do
  wait "$envoy"
  status=$?
done
exit "$status"
