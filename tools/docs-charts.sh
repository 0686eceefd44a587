#!/bin/sh
# Draws the pictures of docs/charts.md again, by the commands that stand there. Takes some minutes.
set -eu
cd "$(dirname "$0")/.."
runs=$(mktemp -d)
trap 'rm -rf "$runs"' EXIT
out=$runs/figures
pictures=docs/images/charts
sample="--trace traces/src/main/resources/io/fusespill/traces/sample.csv --model vicuna-7b --device a10:blocks=500 --quiet"

# charts NAME OPTIONS…: one figure, whose only PNG becomes NAME.png.
charts() {
  name=$1
  shift
  rm -rf "$out"
  ./fusespill charts "$@" -o "$out" --format png --quiet >/dev/null
  mv "$out"/*.png "$pictures/$name.png"
}

# shellcheck disable=SC2086 # the options are words
{
  ./fusespill simulate $sample --swap-space 16 --policy vllm-0.2.7 --policy-option preemption=recompute --out "$runs/vllm-recompute"
  ./fusespill simulate $sample --swap-space 16 --policy vllm-0.2.7 --policy-option preemption=swap --out "$runs/vllm-swap"
  ./fusespill simulate $sample --host xeon-8358p --policy fusespill --out "$runs/fusespill"
} >/dev/null
for figure in throughput latency; do
  charts "$figure" "$runs/vllm-recompute" "$runs/vllm-swap" "$runs/fusespill" --figure "$figure"
done
charts kv-dark "$runs/fusespill" --figure kv --theme dark
for figure in kv utilisation lives step-time remaining-length; do
  charts "$figure" "$runs/fusespill" --figure "$figure"
done

./fusespill evaluate specs/ablation.yaml --only workload=sharegpt-1000 --csv "$runs/ablation.csv" --quiet >/dev/null
charts ablation "$runs/ablation.csv" --figure ablation
./fusespill evaluate specs/alpha.yaml --csv "$runs/alpha.csv" --quiet >/dev/null
charts curve "$runs/alpha.csv" --figure curve --x spill-share
./fusespill evaluate specs/paper.yaml --only platform=1xa10,model=vicuna-7b --csv "$runs/paper.csv" --quiet >/dev/null
charts heatmap "$runs/paper.csv" --figure heatmap --x workload --y policy
./fusespill sweep specs/rates.yaml --out "$runs/rates" --quiet >/dev/null
charts pareto "$runs/rates" --figure pareto
charts rates "$runs/rates" --figure curve --only platform=1xa10
charts decision-map --figure decision-map
