# A broker of Kafka, or a worker of Kafka Connect with the MongoDB sink, from the jars that the tests run:
#   docker build -f stack/images/kafka.Dockerfile -t devicemesh/kafka:VERSION .
#   docker run devicemesh/kafka:VERSION broker | connect

FROM maven:3.9.11-eclipse-temurin-17-noble AS build
WORKDIR /build
COPY engines/kafka/ ./
RUN --mount=type=cache,target=/root/.m2 \
    mvn -B -q -Dengine.folder=/build/kafka prepare-package
# Every jar is one that was checked in, and none is there that was not.
RUN cd kafka \
    && sha256sum --check --strict --quiet ../SHA256SUMS \
    && test "$(find . -name '*.jar' | wc -l)" = "$(wc -l < ../SHA256SUMS)"
# The sink's jar lists its plugins nowhere. Without this the worker would not find it, since it reads
# manifests only (plugin.discovery=service_load).
RUN java -cp 'kafka/lib/*' org.apache.kafka.tools.ConnectPluginPath sync-manifests --plugin-path kafka/plugins
COPY engines/config/log4j2.xml config/
COPY stack/images/kafka-entry.sh entry.sh
RUN chmod -R u=rwX,go=rX . && chmod 755 entry.sh

FROM eclipse-temurin:17.0.19_10-jre-noble
ARG VERSION=development
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Device Mesh Kafka" \
      org.opencontainers.image.description="Kafka broker, and Kafka Connect with the MongoDB sink" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# A new volume for a broker's log gets the owner of this folder.
RUN groupadd --gid 10001 devicemesh \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/devicemesh devicemesh \
    && install -d -o devicemesh -g devicemesh /var/lib/devicemesh /var/lib/devicemesh/kafka
WORKDIR /var/lib/devicemesh
COPY --from=build /build/kafka/ /opt/devicemesh/kafka/
COPY --from=build /build/config/ /opt/devicemesh/config/
COPY --from=build /build/entry.sh /opt/devicemesh/entry.sh
USER devicemesh
ENTRYPOINT ["/opt/devicemesh/entry.sh"]
CMD ["help"]
