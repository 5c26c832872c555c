// Recording: a scheduler's life as bytes: every input with its time, and a digest of the effects of
// each, so that a replay can tell whether it decides the same and, if not, where first. Pure: bytes
// in and out; who writes them to a file is the owner (runtime/node/recorder.h).
//
//   recording = "subito recording 4\n" record*
//   record    = size payload checksum      size: of the payload, a varint
//   checksum  = FNV-1a of the payload, 32 bits, little-endian
//   payload   = of the first record the NodeLimits; of each other one
//               kind fields effects digest
//
// `kind` is the index in Input, one byte; `effects` their number; `digest` the Digest of them, 64
// bits, little-endian. Fields stand in the order of the code (recording.cc): numbers as varints of
// 7 bits, the low ones first; times as the zigzag difference to the previous input's time, with
// which the first begins at 0; what is optional as 0, or 1 and itself. An input takes about 25
// bytes.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "runtime/base/result.h"
#include "scheduler/inputs.h"

namespace subito::scheduler {

class RecordingWriter {
 public:
  // Appends the beginning.
  RecordingWriter(const NodeLimits& limits, std::string& out);
  void append(const Input& input, std::span<const Effect> effects, std::string& out);

 private:
  TimePoint latest_{};
  std::string payload_;
};

struct RecordedInput {
  Input input;
  std::uint64_t effects = 0;  // how many
  std::uint64_t digest = 0;
  std::size_t offset = 0;  // of its record
};

// A broken recording is kProtocol: "byte 1234: checksum differs".
class RecordingReader {
 public:
  // `bytes` must outlive it.
  static Result<RecordingReader> open(std::string_view bytes);
  const NodeLimits& limits() const { return limits_; }
  // Nothing: the end.
  Result<std::optional<RecordedInput>> next();

 private:
  explicit RecordingReader(std::string_view bytes) : bytes_(bytes) {}
  Result<std::string_view> next_payload();
  Error broken(const std::string& reason) const;

  std::string_view bytes_;
  std::size_t offset_ = 0;  // behind the last record
  std::size_t record_ = 0;  // where the last record began
  NodeLimits limits_;
  TimePoint latest_{};
};

}  // namespace subito::scheduler
