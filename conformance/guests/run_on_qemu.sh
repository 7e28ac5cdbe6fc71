#!/bin/sh
# Runs one guest kernel on qemu-system-alpha and checks its TAP.
# Usage: run_on_qemu.sh NAME ELF [QEMU OPTION...]
set -eu
here=$(dirname "$0")
name=$1
elf=$2
shift 2
transcript=$(mktemp)
trap 'rm -f "$transcript"' EXIT
timeout 120 "${QEMU_SYSTEM_ALPHA:-qemu-system-alpha}" -M clipper -m 128 -display none -nodefaults \
  -vga none -nic none -serial stdio -no-reboot "$@" -kernel "$elf" </dev/null >"$transcript" ||
  echo "qemu: exit $?" >&2
cat "$transcript"
python3 "$here/check_tap.py" --allow "$here/qemu_differences.txt" --guest "$name" <"$transcript"
