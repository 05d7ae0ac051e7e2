#!/usr/bin/env bash
# Measures a GPU and, beside it in the same run, PyTorch and sentence-transformers: what docs/performance.md lacks where
# there is none. Correctness first: every op is checked against double precision before it is timed.
#
#   packages/bench/gpu.sh [OUTPUT]                                  in a built checkout
#   SYNGLOT_BUNDLE=FOLDER packages/bench/gpu.sh [OUTPUT]            with the unpacked offline bundle (docs/offline.md)
#   FOLDER/lib/node_modules/@synglot/bench/gpu.sh [OUTPUT]          the same from within the bundle
#
# OUTPUT (default gpu-results) receives the JSON files and a log. Python of PYTHON (default python3) needs torch,
# transformers and sentence-transformers; without them that half is left out. A measurement that fails is told and the
# next one runs; the script then ends with 1. DEVICE (default gpu), SHAPES ("xlm-r-base labse"), PAIRS (128) and
# RUNS (20) may be set: `DEVICE=lavapipe SHAPES=minilm PAIRS=4 RUNS=2 packages/bench/gpu.sh /tmp/rehearsal` is a
# rehearsal without a GPU (minutes).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:-gpu-results}" && cd "${1:-gpu-results}" && pwd) || exit 1
device=${DEVICE:-gpu} pairs=${PAIRS:-128} runs=${RUNS:-20} python=${PYTHON:-python3}
read -ra shapes <<<"${SHAPES:-xlm-r-base labse}"
around=$(cd "$here/../../../.." && pwd)
[ -x "$around/bin/synglot-bench" ] && SYNGLOT_BUNDLE=${SYNGLOT_BUNDLE:-$around}
if [ -n "${SYNGLOT_BUNDLE:-}" ]; then
  synglot() { "$SYNGLOT_BUNDLE/bin/synglot" "$@"; }
  bench() { "$SYNGLOT_BUNDLE/bin/synglot-bench" "$@"; }
else
  synglot() { node "$here/../synglot/bin/synglot.js" "$@"; }
  bench() { node "$here/dist/$1.js" "${@:2}"; }
fi
# All results go to OUTPUT, whatever lies among the committed ones.
export SYNGLOT_RESULTS=$out
failed=0
measure() {
  echo "== $* ($(date +%T))"
  "$@" 2>&1 || { echo "FAILED ($?): $*"; failed=1; }
}
step() {
  measure bench step --device "$device" --pairs "$pairs" --lengths xquad-r --optimizer adamw --runs "$runs" "$@"
}

measure_all() {
  measure synglot devices
  synglot devices --json >"$out/devices.json"
  command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
  measure bench kernels --device "$device"
  for strategy in workgroup subgroup_matrix portable; do measure bench kernels --device "$device" --attention "$strategy"; done
  for strategy in subgroup_matrix workgroup registers; do measure bench kernels --device "$device" --matmul "$strategy"; done
  for shape in "${shapes[@]}"; do
    for precision in f32 mixed; do
      step --shape "$shape" --precision "$precision" --profile --trace "$out/step-$shape-$precision-trace.json"
      # With the fastest kernels that computed the right thing; then without what Dawn's checks cost.
      step --shape "$shape" --precision "$precision" --tune "$out/tuned.json"
      SYNGLOT_RESULTS=$out/unchecked SYNGLOT_UNCHECKED=1 \
        step --shape "$shape" --precision "$precision" --tune "$out/tuned.json"
    done
    measure bench step-batch --shape "$shape" --pairs "$pairs" --lengths xquad-r --output "$out/batch-$shape.json"
  done
  measure bench host --device "$device"
  measure bench start --device "$device"
  measure bench encode --device "$device"
  if "$python" -c 'import torch, sentence_transformers' 2>/dev/null; then
    for shape in "${shapes[@]}"; do
      for precision in fp32 fp16; do
        measure "$python" "$here/peers/sentence_transformers_step.py" "$out/batch-$shape.json" --runs "$runs" \
          --precision "$precision" --output "$out/torch-step-$shape-$precision.json"
      done
    done
    measure "$python" "$here/peers/torch_products.py" "$out/kernels.json" --output "$out/torch-products.json"
  else
    echo "no torch and sentence_transformers in $python: synglot alone was measured"
  fi
  return $failed
}

measure_all 2>&1 | tee "$out/log.txt"
exit "${PIPESTATUS[0]}"
