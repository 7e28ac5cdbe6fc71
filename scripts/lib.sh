# shellcheck shell=bash
# What the scripts share. Sourced, never run.

ROOT=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
PROGRAM=${PROGRAM:-$(basename "$0")}
CACHE=${ISOCHRON_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/isochron}
export ROOT PROGRAM CACHE

# Progress goes to stderr: stdout belongs to what a script was asked to print.
say() {
  printf '%s: %s\n' "$PROGRAM" "$*" >&2
}

die() {
  say "$*"
  exit 1
}

# Prints the comment block below the first line of the calling script, which is its help text.
print_help() {
  sed -n '2,/^[^#]/{/^#/s/^# \{0,1\}//p}' "$0"
}

# run_step LABEL LOG COMMAND...: runs COMMAND with its output appended to LOG, says that it started and how long it
# took, and every 15 seconds that it is still at work. When it fails, shows the end of LOG and its name, and exits.
run_step() {
  local label=$1 log=$2
  shift 2
  local start=$SECONDS parent=$BASHPID status=0 ticker
  say "$label ..."
  printf '\n== %s: %s\n' "$label" "$*" >>"$log"
  (
    # The sleep outlives the ticker by a little: it must hold neither our output nor a lock.
    while sleep 15 >/dev/null 2>&1 8>&- 9>&-; do
      kill -0 "$parent" 2>/dev/null || exit 0
      say "$label: $((SECONDS - start)) s; $(grep . "$log" | tail -n 1 | cut -c 1-72)"
    done
  ) 8>&- 9>&- &
  ticker=$!
  "$@" >>"$log" 2>&1 </dev/null || status=$?
  kill "$ticker" 2>/dev/null || true
  wait "$ticker" 2>/dev/null || true
  if ((status != 0)); then
    tail -n 20 "$log" | sed 's/^/  | /' >&2
    say "$label failed (status $status); the whole log: $log"
    exit 1
  fi
  say "$label: done, $((SECONDS - start)) s"
}

# A compiler's answers are kept with the guests, so that they serve every clone; ccache(1) looks at them by content.
if command -v ccache >/dev/null; then
  export CMAKE_CXX_COMPILER_LAUNCHER=${CMAKE_CXX_COMPILER_LAUNCHER-ccache}
  export CCACHE_DIR=${CCACHE_DIR:-$CACHE/ccache} CCACHE_MAXSIZE=${CCACHE_MAXSIZE:-3G}
  export CCACHE_BASEDIR=${CCACHE_BASEDIR:-$ROOT} CCACHE_NOHASHDIR=1
fi

# build_preset PRESET [TARGET...]: configures and builds a preset of CMakePresets.json, wholly or some targets of it.
build_preset() {
  local preset=$1 log=$CACHE/logs/build-$1.log
  shift
  mkdir -p "$CACHE/logs"
  : >"$log"
  run_step "configure $preset" "$log" cmake -S "$ROOT" --preset "$preset"
  run_step "compile $preset" "$log" cmake --build "$ROOT/build/$preset" ${1:+--target "$@"}
}

# run_module MODULE ARGUMENT...: goes on as a Python program of this tree, which finds this tree's driver, too. Debian's
# python3 by its full name: another one first on PATH may lack the packages.
run_module() {
  PYTHONPATH=$ROOT:$ROOT/python${PYTHONPATH:+:$PYTHONPATH} exec /usr/bin/python3 -P -m "$@"
}
