# Redis as this host has it installed, so that no registry is asked; up.sh collects its files.
FROM scratch
COPY root /
USER 65534:65534
