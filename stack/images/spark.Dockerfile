# Spark as the engines of development have it: the same jars, the same arguments. Its part is the argument:
#   docker build -f stack/images/spark.Dockerfile -t devicemesh/spark:VERSION .
#   docker run devicemesh/spark:VERSION master | worker | connect

FROM maven:3.9.11-eclipse-temurin-17-noble AS build
WORKDIR /build
COPY engines/spark/ ./
RUN --mount=type=cache,target=/root/.m2 \
    mvn -B -q -Dengine.folder=/build/spark prepare-package
# Every jar is one that was checked in, and none is there that was not.
RUN cd spark \
    && sha256sum --check --strict --quiet ../SHA256SUMS \
    && test "$(find . -name '*.jar' | wc -l)" = "$(wc -l < ../SHA256SUMS)"
# Spark knows best which parts of the JVM it must be let into. This takes a compiler, so it is done here.
RUN java -cp 'spark/jars/*' ModuleOptions.java | grep -E '^(-XX:|--add)' > spark/module-options.txt
COPY engines/config/log4j2.xml config/
COPY stack/images/spark-entry.sh entry.sh
RUN chmod -R u=rwX,go=rX . && chmod 755 entry.sh

FROM eclipse-temurin:17.0.19_10-jre-noble
ARG VERSION=development
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Device Mesh Spark" \
      org.opencontainers.image.description="Spark with Spark Connect and the Kafka source" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# For what executors spill and the worker's folders; new volumes for checkpoints and recovery get the owner of their place.
RUN groupadd --gid 10001 devicemesh \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /var/lib/devicemesh devicemesh \
    && install -d -o devicemesh -g devicemesh /var/lib/devicemesh /var/lib/devicemesh/checkpoints /var/lib/devicemesh/recovery
WORKDIR /var/lib/devicemesh
COPY --from=build /build/spark/ /opt/devicemesh/spark/
COPY --from=build /build/config/ /opt/devicemesh/config/
COPY --from=build /build/entry.sh /opt/devicemesh/entry.sh
ENV SPARK_HOME=/opt/devicemesh/spark \
    SPARK_SCALA_VERSION=2.13
USER devicemesh
ENTRYPOINT ["/opt/devicemesh/entry.sh"]
CMD ["help"]
