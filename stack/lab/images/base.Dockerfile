# What every base image of the lab has: Debian, and this machine's authorities, which builds need for its registries.
FROM dmlab/debootstrap:bookworm
COPY ca-certificates.crt /etc/ssl/certs/ca-certificates.crt
