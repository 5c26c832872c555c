// DrawnAside: a workload whose arrivals a thread of its own draws, in blocks, while the simulation
// deals with those before: to draw is an eighth of what a simulated call takes.
// The same arrivals in the same order as without it. Owned by the simulation; next() is for one
// thread, its own thread uses the workload that was put in.
#pragma once

#include <array>
#include <condition_variable>
#include <cstdint>
#include <memory>
#include <mutex>
#include <thread>

#include "bench/simulate/workload.h"

namespace subito::simulate {

class DrawnAside final : public Workload {
 public:
  // `cpu_seconds`: what its thread took, there from the destructor on.
  DrawnAside(std::unique_ptr<Workload> source, double& cpu_seconds);
  ~DrawnAside() override;
  DrawnAside(const DrawnAside&) = delete;
  DrawnAside& operator=(const DrawnAside&) = delete;

  bool next(Arrival& arrival) override {
    if (at_ == taken_.size && !next_block()) return false;
    arrival = (*taken_.arrivals)[at_++];
    return true;
  }

  static constexpr std::size_t kBlock = 1024;  // arrivals, 24 KiB: fits a first cache
  static constexpr std::size_t kBlocks = 4;    // drawn and not taken; then its thread waits

 private:
  using Arrivals = std::array<Arrival, kBlock>;
  struct Block {
    const Arrivals* arrivals = nullptr;
    std::size_t size = 0;  // below kBlock: the last
  };

  bool next_block();
  void draw();

  const std::unique_ptr<Workload> source_;
  double& cpu_seconds_;
  Block taken_;
  std::size_t at_ = 0;                      // in it
  std::array<Arrivals, kBlocks + 1> ring_;  // one more is in use on the other side
  std::mutex mutex_;                        // of what follows
  std::condition_variable changed_;
  std::array<std::size_t, kBlocks + 1> sizes_{};
  std::uint64_t blocks_drawn_ = 0;
  std::uint64_t blocks_taken_ = 0;
  bool stopping_ = false;
  std::jthread thread_;  // the last: what it uses is there
};

}  // namespace subito::simulate
