#!/bin/sh
# Runs one guest kernel on qemu-system-alpha, checks its TAP, and compares it with the transcript of the same guest on the
# isochron that ISOCHRON names, if any.
# Usage: run_on_qemu.sh NAME ELF [QEMU OPTION...]
set -eu
here=$(dirname "$0")
name=$1
elf=$2
shift 2
transcript=$(mktemp)
ours=$(mktemp)
trap 'rm -f "$transcript" "$ours"' EXIT
timeout 120 "${QEMU_SYSTEM_ALPHA:-qemu-system-alpha}" -M clipper -m 128 -display none -nodefaults \
  -vga none -nic none -serial stdio -no-reboot "$@" -kernel "$elf" </dev/null >"$transcript" ||
  echo "qemu: exit $?" >&2
cat "$transcript"
set -- --allow "$here/qemu_differences.txt" --guest "$name"
if [ -n "${ISOCHRON:-}" ]; then
  "$ISOCHRON" run --kernel "$elf" --memory 128M --max-cycles 20G </dev/null >"$ours"
  set -- "$@" --against "$ours"
fi
python3 "$here/check_tap.py" "$@" <"$transcript"
