# The same images for those who have Docker: docker build --build-arg PROGRAM=server -t drover/server .
# `./drover image build` makes smaller ones without it.
FROM debian:bookworm-slim
ARG PROGRAM=agent
RUN apt-get update \
 && DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends ca-certificates libatomic1 nodejs npm \
 && rm -rf /var/lib/apt/lists/*
WORKDIR /usr/lib/drover
COPY . .
RUN ./drover version && useradd --uid 65532 --home-dir /var/lib/drover --create-home drover
ENV PROGRAM=${PROGRAM} DROVER_DATA_DIR=/var/lib/drover DROVER_LISTEN=0.0.0.0:8443 DROVER_CLUSTER=none
USER 65532:65532
EXPOSE 8443
ENTRYPOINT ["/bin/sh", "-c", "if [ \"$PROGRAM\" = server ]; then set -- up \"$@\"; else set -- agent \"$@\"; fi; exec /usr/lib/drover/drover \"$@\"", "drover"]
