# shellcheck shell=bash
# Recipe: the boot loader that Linux has for SRM (arch/alpha/boot of 6.1), for the kernel of guest linux-disk. Gives
# bootloader (ELF) and kernel, the bytes that it reads from the disk behind itself.

linux_boot_inputs() {
  echo "$ROOT/scripts/guests/linux-boot.sh"
  linux_disk_inputs linux-disk
}

linux_boot_build() {
  local out=$2 package=linux-source-6.1 kernel objects=$WORK/objects boot=arch/alpha/boot
  local -a make
  kernel=$(guest_path linux-disk)
  linux_unpack "$package"
  rm -rf "$objects"
  mkdir -p "$objects/$boot"
  cp "$kernel/config" "$objects/.config"
  alpha-linux-gnu-objcopy -O binary "$kernel/vmlinux" "$out/kernel"
  # What it is told of the kernel. Its own rules for this want the kernel to be compiled again.
  printf '#define KERNEL_SIZE %s\n' "$(stat -c %s "$out/kernel")" >"$objects/$boot/ksize.h"
  make=(make -C "$WORK/$package" "O=$objects" ARCH=alpha CROSS_COMPILE=alpha-linux-gnu-
    # It includes stdarg.h, which kernels no longer find.
    "KCFLAGS=-I$objects/$boot -isystem $(alpha-linux-gnu-gcc -print-file-name=include)")
  run_step "configure linux-boot" "$LOG" "${make[@]}" olddefconfig prepare
  run_step "compile linux-boot" "$LOG" "${make[@]}" "$boot"/{head,stdio,main}.o arch/alpha/lib/
  run_step "link linux-boot" "$LOG" alpha-linux-gnu-ld -static -T "$WORK/$package/$boot/bootloader.lds" \
    "$objects/$boot"/{head,stdio,main}.o "$objects/arch/alpha/lib/lib.a" -o "$out/bootloader"
  rm -rf "$objects"
}
