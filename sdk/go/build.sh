#!/bin/sh
# Builds a Go handler: build.sh FOLDER OUT.wasm. `GO` names the go command, if it is not on the PATH.
# With Go 1.27 or newer, the package vector uses v128. Exits with 3 if there is no Go of 1.24 or newer.
set -eu
if [ $# -ne 2 ]; then
  echo "usage: build.sh FOLDER OUT.wasm" >&2
  exit 2
fi
go=${GO:-go}
if ! version=$("$go" env GOVERSION 2>/dev/null); then
  echo "Go is missing: install 1.24 or newer, or name it in GO" >&2
  exit 3
fi
minor=$(echo "$version" | sed -n 's/^go1\.\([0-9]*\).*/\1/p')
if [ "${minor:-0}" -lt 24 ]; then
  echo "Go is too old: this is $version, handlers need 1.24 or newer" >&2
  exit 3
fi
if [ "$minor" -ge 27 ]; then
  GOEXPERIMENT=simd
  export GOEXPERIMENT
fi
out=$(cd "$(dirname "$2")" && pwd)/$(basename "$2")
cd "$1"
GOOS=wasip1 GOARCH=wasm exec "$go" build -buildmode=c-shared -trimpath -ldflags=-s -o "$out" .
