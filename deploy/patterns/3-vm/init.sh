#!/bin/busybox sh
# shellcheck shell=sh
# The first process of a machine: sets the network up and becomes the service, which the kernel's
# command line names.
/bin/busybox mount -t devtmpfs dev /dev
for module in virtio_ring virtio virtio_mmio failover net_failover virtio_net; do
  /bin/busybox insmod "/modules/$module.ko"
done
/bin/busybox ifconfig lo 127.0.0.1 up
/bin/busybox ifconfig eth0 10.0.2.15 netmask 255.255.255.0 up
while IFS= read -r line; do export "${line?}"; done </environment
exec "/$SERVICE" --listen "0.0.0.0:80"
