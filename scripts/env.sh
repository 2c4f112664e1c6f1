# Sourced by the scripts here: where things are built and cached, and how a missing system package is installed.
# Everything lies outside the checkout, so that a second clone (or CI) doesn't compile DuckDB again.

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd)
cache=${SEVENWALLS_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/sevenwalls}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$cache/target}
bin=$CARGO_TARGET_DIR/release
export SEVENWALLS_PYTHON=${SEVENWALLS_PYTHON:-$cache/venv/bin/python}

die() {
  printf 'error: %s\n' "$*" >&2
  exit 2
}

# need COMMAND PACKAGE: installs a Debian package unless the command is there.
need() {
  command -v "$1" >/dev/null 2>&1 && return
  [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null 2>&1 ||
    die "$1 is missing: install it (Debian: apt-get install $2)"
  printf 'installing %s\n' "$2" >&2
  DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null 2>&1 ||
    { apt-get update -qq >/dev/null && DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "$2" >/dev/null; } ||
    die "can't install $2"
}

# Cargo tells the crates of two checkouts apart by the age of their files only. What another checkout built of them
# goes; the dependencies, DuckDB among them, stay.
claim_target() {
  local stamp=$CARGO_TARGET_DIR/checkout
  [ "$(cat "$stamp" 2>/dev/null)" = "$root" ] && return
  mkdir -p "$CARGO_TARGET_DIR"
  (cd "$root" && cargo clean --quiet --release --locked -p handoff -p collect -p analyze -p diagram -p report -p fixtures)
  printf '%s\n' "$root" > "$stamp"
}

# The workspace is always built whole and in one profile: other selections of crates choose other features, and
# each choice would compile DuckDB (53 CPU-minutes) once more.
build() {
  command -v cargo >/dev/null 2>&1 || die 'cargo is missing: install Rust from https://rustup.rs'
  need c++ g++
  claim_target
  (cd "$root" && cargo build --release --locked --workspace "$@")
}
