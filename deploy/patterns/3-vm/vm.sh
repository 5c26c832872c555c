# shellcheck shell=bash
# The machines of this pattern, sourced after lib.sh: QEMU's microvm with Debian's cloud kernel and
# a memory file system that holds the service, busybox to set up the network, and six modules. No
# disk and no root; the network is QEMU's own, in which this host is 10.0.2.2.
#
#   KERNEL_DIR    where the kernel's package is unpacked (vm-kernel in the build folder): a folder
#                 that is not there yet, or was made by this
#   VM_MEMORY_MB  of each machine (96)
#   VM_ACCEL      kvm or tcg; by default kvm where it works, else tcg: ten to twenty times slower
# shellcheck disable=SC2034 # used by those who source it
KERNEL_DIR=${KERNEL_DIR:-$BUILD/vm-kernel}
VM_MEMORY_MB=${VM_MEMORY_MB:-96}
readonly HOST_IN_GUEST=10.0.2.2
readonly MODULES=(virtio_ring virtio virtio_mmio failover net_failover virtio_net) # of init.sh
START_SECONDS_MAX=240 # emulated, five machines on two cores

# The newest Debian cloud kernel, of its package: it is unpacked, not installed.
fetch_kernel() {
  local package deb
  [[ ! -e $KERNEL_DIR/complete ]] || return 0
  package=$(apt-cache depends linux-image-cloud-amd64 |
    sed -n 's/.*Depends: \(linux-image-.*-cloud-amd64\)$/\1/p' | head -n 1)
  [[ -n $package ]] || die "find a kernel: linux-image-cloud-amd64 depends on none; apt-get update"
  [[ ! -e $KERNEL_DIR || -e $KERNEL_DIR/vm-kernel ]] ||
    die "unpack a kernel in $KERNEL_DIR: it is there, for something else; set KERNEL_DIR"
  rm -rf "$KERNEL_DIR"
  mkdir -p "$KERNEL_DIR"
  touch "$KERNEL_DIR/vm-kernel" # it is ours to empty
  (cd "$KERNEL_DIR" && apt-get -qq download "$package") || die "download $package: see above"
  deb=("$KERNEL_DIR"/*.deb)
  dpkg-deb --fsys-tarfile "${deb[0]}" | tar -x -C "$KERNEL_DIR" --wildcards \
    './boot/vmlinuz-*' './lib/modules/*/kernel/drivers/virtio/*' \
    './lib/modules/*/kernel/drivers/net/*failover.ko' \
    './lib/modules/*/kernel/drivers/net/virtio_net.ko' './lib/modules/*/kernel/net/core/failover.ko'
  rm -f "${deb[0]}"
  touch "$KERNEL_DIR/complete"
}

# make_image SERVICE: $STATE/SERVICE.cpio
make_image() {
  local root=$STATE/$1.root module
  (umask 077 && mkdir -p "$root"/{bin,dev,modules})
  cp /bin/busybox "$root/bin/"
  cp "$BUILD/shop/$1" "$root/$1"
  for module in "${MODULES[@]}"; do
    find "$KERNEL_DIR/lib" -name "$module.ko" -exec cp {} "$root/modules/" \;
  done
  cp "$PATTERN/init.sh" "$root/init"
  cp "$STATE/$1.env" "$root/environment"
  (cd "$root" && find . | /bin/busybox cpio -o -H newc 2>/dev/null) >"$STATE/$1.cpio"
  rm -rf "$root"
}

# kvm only where it makes a machine: its device may be there and not work.
accelerator() {
  if [[ -n ${VM_ACCEL-} ]]; then
    printf '%s' "$VM_ACCEL"
  elif [[ -w /dev/kvm ]] && timeout 10 qemu-system-x86_64 -M microvm -accel kvm -cpu max -m 64 \
    -nodefaults -display none -S -monitor stdio <<<quit >/dev/null 2>&1; then
    printf kvm
  else
    printf tcg
  fi
}

# An emulated microvm has nothing that the kernel could measure its clock by: it is told, and counts
# as this host does. Under KVM the kernel asks KVM.
clock_of() {
  [[ $1 == tcg ]] || return 0
  printf 'no_timer_check tsc_early_khz=%s' \
    "$(awk '/^cpu MHz/ {printf "%d", $4 * 1000; exit}' /proc/cpuinfo)"
}

# boot SERVICE ACCELERATOR: its console is $STATE/SERVICE.log.
boot() {
  local model=host words="console=ttyS0 quiet panic=-1 random.trust_cpu=on"
  [[ $2 != tcg ]] || model=Nehalem # one that its clocks work with
  start "$1" qemu-system-x86_64 -M microvm,rtc=on -accel "$2" -cpu "$model" -smp 1 \
    -m "$VM_MEMORY_MB" -nodefaults -no-user-config -display none -serial stdio -no-reboot \
    -kernel "$KERNEL_DIR"/boot/vmlinuz-* -initrd "$STATE/$1.cpio" \
    -append "$words $(clock_of "$2") SERVICE=$1" \
    -netdev "user,id=net,hostfwd=tcp:127.0.0.1:$(port_of "$1")-:80" \
    -device virtio-net-device,netdev=net
}
