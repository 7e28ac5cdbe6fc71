# shellcheck shell=bash
# Recipe: the initrd of guest initrd with what udhcpc does with a lease. Gives initrd.cpio.gz.

initrd_network_inputs() {
  printf '%s\n' "$ROOT/scripts/guests/initrd-network.sh" "$GUEST_SOURCES"/network/*
  initrd_inputs initrd
}

initrd_network_build() {
  local out=$2 files=$WORK/network
  mkdir -p "$files/usr/share/udhcpc"
  cp "$GUEST_SOURCES/network/default.script" "$files/usr/share/udhcpc"
  chmod 755 "$files/usr/share/udhcpc/default.script"
  find "$files" -exec touch -d "$GUEST_DATE" {} +
  # The kernel takes archives one after the other.
  cp "$(guest_path initrd)/initrd.cpio.gz" "$out/initrd.cpio.gz"
  (
    cd "$files" || exit 1
    printf '%s\n' usr/share usr/share/udhcpc usr/share/udhcpc/default.script |
      cpio -o -H newc --reproducible --owner=+0:+0 --quiet | gzip -n -9
  ) >>"$out/initrd.cpio.gz"
}
