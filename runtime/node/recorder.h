// Recorder: `subito up --record FILE`: every input of the scheduler, as scheduler/recording.h
// writes it, for `subito simulate --replay FILE`. Owned by the node, on the loop's thread; the file
// is written on another one, so that no decision waits for a disk.
//
// What is not yet on its way to the file is bounded by kBufferMax. Beyond that, or when the file
// cannot be written, the recording ends with a warning, and the node goes on: one with a gap could
// not be replayed. What was written by then can.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "runtime/base/result.h"
#include "runtime/loop/loop.h"
#include "scheduler/recording.h"

namespace subito::node {

class Recorder final : public scheduler::InputObserver {
 public:
  static constexpr std::size_t kBufferMax = 16 << 20;  // some 600,000 inputs
  static constexpr Duration kWriteEvery = std::chrono::milliseconds(100);

  // Makes the file, or empties it.
  static Result<std::unique_ptr<Recorder>> create(Loop& loop, const std::string& file,
                                                  const scheduler::NodeLimits& limits);
  // Writes what is left.
  ~Recorder() override;

  void on_input(const scheduler::Input& input, std::span<const scheduler::Effect> effects) override;
  bool ended() const { return ended_; }

 private:
  struct Shared;
  Recorder(Loop& loop, std::shared_ptr<Shared> shared, const scheduler::NodeLimits& limits);
  void write();
  void written();
  void end(const std::string& reason);

  Loop& loop_;
  std::shared_ptr<Shared> shared_;  // with the thread that writes
  std::string buffer_;
  scheduler::RecordingWriter writer_;
  Timer timer_;
  std::optional<Background> writing_;
  bool ended_ = false;
};

}  // namespace subito::node
