# All services in TypeScript, in one image; the command selects the one that runs:
#   docker build -f stack/images/services.Dockerfile -t devicemesh/services:VERSION .
#   docker run devicemesh/services:VERSION node /opt/devicemesh/ingest/src/main.ts --help

# The Node that development has as well; a test holds this to package.json.
FROM node:24.21.0-bookworm-slim AS base
WORKDIR /opt/devicemesh

# Only what decides the dependencies, so that a change of code leaves this layer as it is. The workspaces that
# no service needs are left out, and with them what only they need.
FROM base AS dependencies
COPY package.json package-lock.json .npmrc ./
COPY proto/package.json proto/
COPY kit/package.json kit/
COPY identity/package.json identity/
COPY pipeline/package.json pipeline/
COPY ingest/package.json ingest/
COPY query/package.json query/
COPY web/package.json web/
COPY client/package.json client/
COPY import/package.json import/
COPY generator/package.json generator/
COPY gateway/package.json gateway/
COPY operator/package.json operator/
COPY aggregator/package.json aggregator/
COPY stack/package.json stack/
RUN --mount=type=cache,target=/root/.npm \
    npm ci --omit=dev --omit=optional --ignore-scripts \
    && find node_modules -type f \
      \( -name '*.map' -o -name '*.d.ts' -o -name '*.d.mts' -o -name '*.d.cts' \) -delete \
    && chmod -R u=rwX,go=rX node_modules

# Whatever modes the checkout has, in the image everybody may read and only root may write.
FROM base AS code
COPY proto/ proto/
COPY kit/ kit/
COPY identity/ identity/
COPY pipeline/ pipeline/
COPY ingest/ ingest/
COPY query/ query/
# The dashboard: what serves it, and what `npm run build:web` has made.
COPY web/ web/
COPY client/ client/
COPY import/ import/
COPY generator/ generator/
COPY gateway/ gateway/
COPY operator/ operator/
COPY aggregator/ aggregator/
# The jobs that set up the database, and that wait for replicas during an update.
COPY stack/ stack/
# What the operator gives to Kafka Connect.
COPY engines/config/connectors/ engines/config/connectors/
RUN rm -r stack/images && chmod -R u=rwX,go=rX .

FROM base
ARG VERSION=development
ARG REVISION=unknown
LABEL org.opencontainers.image.title="Device Mesh services" \
      org.opencontainers.image.description="ingest, query, gateway, generator, operator and aggregator" \
      org.opencontainers.image.version="${VERSION}" \
      org.opencontainers.image.revision="${REVISION}"
# For what a service keeps between starts, such as readings that the generator could not deliver.
RUN install -d -o node -g node /var/lib/devicemesh
COPY --from=dependencies /opt/devicemesh/node_modules/ node_modules/
COPY --from=code /opt/devicemesh/ ./
ENV NODE_ENV=production \
    NODE_OPTIONS=--disable-warning=TimeoutNegativeWarning
USER node
