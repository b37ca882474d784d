#!/usr/bin/env bash
# Builds and runs the benchmarks on one and two ranks; prints a table and leaves JSON files in build/bench.
# Usage: tests/bench/run.sh [--quick]     (needs Google Benchmark: Debian libbenchmark-dev; python3-qutip if wanted)
set -euo pipefail
top=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
repetitions=7
skip='chain-28/nothing'
if [[ ${1:-} == --quick ]]; then
  repetitions=3
  skip='chain-28'
fi
if ! dpkg-query -W libbenchmark-dev >/dev/null 2>&1 && command -v apt-get >/dev/null && [[ $(id -u) -eq 0 ]]; then
  apt-get install -y -q --no-install-recommends libbenchmark-dev >/dev/null
fi
bash "$top/src/setup/packages.sh" run
source "$top/src/setup/mpi-environment.sh"
export OPENBLAS_NUM_THREADS=1
cd "$top"
cmake --preset release -DBUILD_TESTING=OFF -DQHEAT_BENCH=ON >/dev/null
cmake --build build/release --parallel "$(nproc)" >/dev/null
out=$top/build/bench
mkdir -p "$out"
bin=$top/build/release/bin

run() {  # NAME RANKS PROGRAM ARGUMENTS...: one JSON file
  local name=$1 ranks=$2 program=$3
  shift 3
  mpirun -n "$ranks" "$bin/$program" --benchmark_out="$out/$name.json" --benchmark_out_format=json \
    --benchmark_repetitions="$repetitions" "$@" >/dev/null
}
run product-1 1 bench_product --benchmark_filter="-$skip"
run product-2 2 bench_product --benchmark_filter="(copy|engine).*chain-(20|24|28)"
run evolution-1 1 bench_evolution
mpirun -n 2 "$bin/bench_spectrum" >"$out/spectrum-2.txt"
"$(command -v /usr/bin/python3 || command -v python3)" "$top/tests/bench/qutip_evolution.py" >"$out/qutip.json"
python3 "$top/tests/bench/table.py" "$out"
