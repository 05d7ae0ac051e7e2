#!/usr/bin/env bash
# Measures a GPU and, beside it in the same run, PyTorch and sentence-transformers: what docs/performance.md lacks where
# there is none. Correctness first: every op is checked against double precision before it is timed, and small updates
# against those of a software device.
#
#   packages/bench/gpu.sh [OUTPUT]                                  in a built checkout
#   SYNGLOT_BUNDLE=FOLDER packages/bench/gpu.sh [OUTPUT]            with the unpacked offline bundle (docs/offline.md)
#   FOLDER/lib/node_modules/@synglot/bench/gpu.sh [OUTPUT]          the same from within the bundle
#
# OUTPUT (default gpu-results) receives the JSON files and a log. Python of PYTHON (default python3) needs torch, for the
# step transformers and sentence-transformers too; what it lacks is left out. A measurement that fails, or takes longer
# than LIMIT (300) seconds, is told and the next one runs; the script then ends with 1. Called again with the same OUTPUT,
# after it was stopped too, it measures what is not finished. DEVICE (default gpu), SHAPES ("xlm-r-base labse"),
# PAIRS (128) and RUNS (20) may be set: `DEVICE=lavapipe SHAPES=minilm PAIRS=4 RUNS=2 packages/bench/gpu.sh /tmp/rehearsal`
# is a rehearsal without a GPU (minutes).
set -uo pipefail
here=$(cd "$(dirname "$0")" && pwd)
out=$(mkdir -p "${1:-gpu-results}" && cd "${1:-gpu-results}" && pwd) || exit 1
device=${DEVICE:-gpu} pairs=${PAIRS:-128} runs=${RUNS:-20} python=${PYTHON:-python3} limit=${LIMIT:-300}
read -ra shapes <<<"${SHAPES:-xlm-r-base labse}"
around=$(cd "$here/../../../.." && pwd)
[ -x "$around/bin/synglot-bench" ] && SYNGLOT_BUNDLE=${SYNGLOT_BUNDLE:-$around}
# In the foreground: what stops this script stops what it runs.
limited() { timeout --foreground --kill-after=10 "$limit" "$@"; }
if [ -n "${SYNGLOT_BUNDLE:-}" ]; then
  synglot() { limited "$SYNGLOT_BUNDLE/bin/synglot" "$@"; }
  bench() { limited "$SYNGLOT_BUNDLE/bin/synglot-bench" "$@"; }
else
  synglot() { limited node "$here/../synglot/bin/synglot.js" "$@"; }
  bench() { limited node "$here/dist/$1.js" "${@:2}"; }
fi
peer() { limited "$python" "$here/peers/$1.py" "${@:2}"; }
# All results go to OUTPUT, whatever lies among the committed ones.
export SYNGLOT_RESULTS=$out
failed=0
finished=$out/finished.txt
touch "$finished"
measure() {
  local what="${SYNGLOT_UNCHECKED:+unchecked }${*//"$out"/OUTPUT}"
  grep -qxF -- "$what" "$finished" && return
  echo "== $what ($(date +%T))"
  if "$@" 2>&1; then
    echo "$what" >>"$finished"
  else
    echo "FAILED ($?): $what"
    failed=1
  fi
}
step() {
  measure bench step --device "$device" --pairs "$pairs" --lengths xquad-r --optimizer adamw --runs "$runs" "$@"
}

# A few small updates: on a software device, and on this one, whose losses must be the same. No single op shows that.
small() { bench step --shape minilm --pairs 4 --lengths 24 --optimizer adamw --runs 2 --warm-ups 1 "$@"; }
same_losses() {
  local expected=$1 found=$2 most=$3
  awk -F'[:,]' -v most="$most" '/"(first|last)":/ {
    if (FNR == NR) { expected[$1] = $2; next }
    seen++
    print $1 " loss" $2 ", on the software device" expected[$1]
    if ($2 - expected[$1] > most || expected[$1] - $2 > most) wrong = 1
  } END { exit wrong || seen != 2 }' "$expected" "$found"
}
small_updates() {
  local of=step-minilm-native
  SYNGLOT_RESULTS=$out/software measure small --device swiftshader
  SYNGLOT_RESULTS=$out/small measure small --device "$device"
  measure same_losses "$out/software/$of.json" "$out/small/$of.json" 1e-5
  SYNGLOT_RESULTS=$out/small measure small --device "$device" --precision mixed
  measure same_losses "$out/software/$of.json" "$out/small/$of-mixed.json" 1e-3
}
# What matters most comes first, in case time runs out, and what is compared is measured one after the other.
measure_all() {
  measure synglot devices
  synglot devices --json >"$out/devices.json"
  command -v nvidia-smi >/dev/null && nvidia-smi --query-gpu=name,driver_version --format=csv,noheader
  local torch='' sentence_transformers='' shape precision strategy
  if ! "$python" -c "import torch; assert '$device' in ('lavapipe', 'swiftshader') or torch.cuda.is_available()" 2>&1 | tail -1; then
    echo "no torch for this device in $python: synglot alone is measured"
  else
    torch=yes
    if "$python" -c 'import sentence_transformers' 2>&1 | tail -1; then
      sentence_transformers=yes
    else
      echo "no sentence_transformers in $python: the step of synglot alone is measured"
    fi
  fi
  measure bench kernels --device "$device"
  [ $torch ] && measure peer torch_products "$out/kernels.json" --output "$out/torch-products.json"
  small_updates
  for shape in "${shapes[@]}"; do
    measure bench step-batch --shape "$shape" --pairs "$pairs" --lengths xquad-r --output "$out/batch-$shape.json"
    for precision in f32 mixed; do
      step --shape "$shape" --precision "$precision" --profile --trace "$out/step-$shape-$precision-trace.json"
      # With the fastest kernels that computed the right thing; then without what Dawn's checks cost.
      step --shape "$shape" --precision "$precision" --tune "$out/tuned.json"
      SYNGLOT_RESULTS=$out/unchecked SYNGLOT_UNCHECKED=1 \
        step --shape "$shape" --precision "$precision" --tune "$out/tuned.json"
      [ $sentence_transformers ] && peer_step "$shape" "$precision"
    done
  done
  for strategy in workgroup subgroup_matrix portable; do measure bench kernels --device "$device" --attention "$strategy"; done
  for strategy in subgroup_matrix workgroup registers; do measure bench kernels --device "$device" --matmul "$strategy"; done
  measure bench host --device "$device"
  measure bench start --device "$device"
  measure bench encode --device "$device"
  return $failed
}
# The same step beside those of synglot that there are; again if a later call has more of them.
peer_step() {
  local shape=$1 ours=step-$1-native theirs=fp32 file beside=()
  [ "$2" = mixed ] && ours+=-mixed theirs=fp16
  for file in "$out/$ours.json" "$out/$ours-tuned.json" "$out/unchecked/$ours-tuned.json"; do
    [ -f "$file" ] && beside+=("$file")
  done
  measure peer sentence_transformers_step "$out/batch-$shape.json" --runs "$runs" --precision "$theirs" \
    --output "$out/torch-step-$shape-$theirs.json" --beside "${beside[@]}"
}

measure_all 2>&1 | tee -a "$out/log.txt"
exit "${PIPESTATUS[0]}"
