#!/usr/bin/env bash
# run_on_isochron.sh ISOCHRON KERNEL [OPTION...]: runs a guest kernel and checks its TAP.
set -euo pipefail
here=$(dirname "$(readlink -f "$0")")
isochron=$1
kernel=$2
shift 2
output=$("$isochron" run --kernel "$kernel" --memory 128M --max-cycles 20G "$@" </dev/null) || {
  status=$?
  printf '%s\n' "$output"
  echo "isochron ended with status $status"
  exit 1
}
printf '%s\n' "$output"
printf '%s\n' "$output" | PYTHONDONTWRITEBYTECODE=1 python3 "$here/check_tap.py"
