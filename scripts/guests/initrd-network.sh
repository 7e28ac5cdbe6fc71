# shellcheck shell=bash
# Recipe: the initrd of guest initrd with what udhcpc does with a lease. Gives initrd.cpio.gz.

initrd_network_inputs() {
  printf '%s\n' "$ROOT/scripts/guests/initrd-network.sh" "$GUEST_SOURCES"/network/*
  initrd_more_inputs
}

initrd_network_build() {
  local out=$2 files=$WORK/network
  mkdir -p "$files/usr/share/udhcpc"
  cp "$GUEST_SOURCES/network/default.script" "$files/usr/share/udhcpc"
  chmod 755 "$files/usr/share/udhcpc/default.script"
  initrd_more_build "$files" "$out" usr/share usr/share/udhcpc usr/share/udhcpc/default.script
}
