#!/usr/bin/env bash
# The committed results of `synglot bench code`, and their tables in docs/compiled-kernels.md: of the GPUs named, else of the
# two in the tables. A GPU whose driver this system lacks says so in a line and keeps its results: run this once where
# Mesa 25 is and once where Mesa 26 is, in a built checkout whose changes are committed. Where git is not installed,
# SYNGLOT_COMMIT names the commit.
#
#   packages/bench/code.sh [navi31] [gh100]
set -euo pipefail
cd "$(dirname "$0")/../.."
[ $# -gt 0 ] || set -- navi31 gh100
for family in "$@"; do
  if node packages/bench/dist/code.js --family "$family"; then
    node packages/bench/dist/code.js --family "$family" --attention subgroup_matrix --precision mixed
  fi
done
node scripts/performance-tables.mjs
