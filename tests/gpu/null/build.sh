#!/bin/sh
# Builds the null GPU: sh build.sh SITE_PACKAGES OUT
#
# SITE_PACKAGES: of an environment with a CUDA 13 build of torch, whose wheels have NVIDIA's headers.
# OUT: a folder that gets libcuda.so.1, and libnvidia-ml.so.1 that is the same file: one process, one timeline.
set -eu
packages=${1:?usage: build.sh SITE_PACKAGES OUT}
out=${2:?usage: build.sh SITE_PACKAGES OUT}
here=$(dirname "$0")
mkdir -p "$out"
# -Bsymbolic: its own calls go to itself. Its SONAME makes a dlopen of libcuda.so.1 find it.
"${CC:-cc}" -std=gnu11 -D_GNU_SOURCE -O2 -g -Wall -Wextra -Werror -fPIC -shared -fvisibility=hidden \
  -Wl,-soname,libcuda.so.1 -Wl,-Bsymbolic \
  -isystem "$packages/nvidia/cu13/include" -isystem "$packages/triton/backends/nvidia/include" \
  -o "$out/libcuda.so.1" "$here"/*.c -ldl -lpthread -lm
ln -sf libcuda.so.1 "$out/libnvidia-ml.so.1"
