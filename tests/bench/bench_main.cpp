// Google Benchmark on all ranks: every rank runs the same number of calls, rank 0 reports.

#include "bench/bench_main.hpp"

#include <benchmark/benchmark.h>
#include <mpi.h>

#include <ctime>
#include <map>

#include "qheat/parallel/environment.hpp"

namespace qheat_bench {
namespace {

const qheat::Communicator* bench_world = nullptr;
std::map<std::string, std::map<std::string, double>> notes;

class Silent final : public benchmark::BenchmarkReporter {
 public:
  bool ReportContext(const Context&) override { return true; }
  void ReportRuns(const std::vector<Run>&) override {}
};

}  // namespace

void run_silently() {
  Silent silent;
  benchmark::RunSpecifiedBenchmarks(&silent);
}

const qheat::Communicator& world() {
  return *bench_world;
}

Seconds measure(const std::function<void()>& work) {
  MPI_Barrier(world().get());
  const double start = MPI_Wtime();
  const std::clock_t processor_start = std::clock();
  work();
  const auto processor = static_cast<double>(std::clock() - processor_start) / CLOCKS_PER_SEC;
  return {world().max(MPI_Wtime() - start), world().sum(processor)};
}

void note(const std::string& name, const std::string& counter, double value) {
  notes[name][counter] = value;
}

void add(const std::string& name, std::function<void()> work, int calls) {
  const auto run = [name, work = std::move(work)](benchmark::State& state) {
    work();
    for ([[maybe_unused]] auto _ : state) {
      MPI_Barrier(world().get());
      const double start = MPI_Wtime();
      work();
      state.SetIterationTime(world().max(MPI_Wtime() - start));
    }
    for (const auto& [counter, value] : notes[name]) state.counters[counter] = value;
  };
  benchmark::RegisterBenchmark(name.c_str(), run)
      ->UseManualTime()
      ->Iterations(calls)
      ->Unit(benchmark::kMillisecond);
}

}  // namespace qheat_bench

int main(int argc, char** argv) {
  qheat::prepare_process(argv);
  qheat::Environment environment(argc, argv);
  qheat_bench::bench_world = &environment.world();
  qheat_bench::register_all();
  benchmark::Initialize(&argc, argv);
  if (environment.world().rank() == 0) {
    benchmark::RunSpecifiedBenchmarks();
  } else {
    qheat_bench::run_silently();
  }
  return 0;
}
