#!/bin/sh
# Builds a Rust handler: build.sh FOLDER OUT.wasm. Exits with 3 if cargo or the target wasm32-wasip1
# is missing.
set -eu
if [ $# -ne 2 ]; then
  echo "usage: build.sh FOLDER OUT.wasm" >&2
  exit 2
fi
if ! sysroot=$(rustc --print sysroot 2>/dev/null) || ! command -v cargo >/dev/null; then
  echo "Rust is missing: install rustc and cargo, 1.95 or newer" >&2
  exit 3
fi
if [ ! -d "$sysroot/lib/rustlib/wasm32-wasip1/lib" ]; then
  echo "Rust has no target wasm32-wasip1: rustup target add wasm32-wasip1" >&2
  exit 3
fi
out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
cd "$1"
# Flags for the machine's own programs would replace those of .cargo/config.toml.
unset RUSTFLAGS CARGO_ENCODED_RUSTFLAGS
package=$(sed -n 's/^name = "\(.*\)"$/\1/p' Cargo.toml | head -n 1)
target=$(cargo metadata --format-version 1 --no-deps | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')
cargo build --quiet --release --target wasm32-wasip1 --package "$package"
cp "$target/wasm32-wasip1/release/$(echo "$package" | tr - _).wasm" "$out"
