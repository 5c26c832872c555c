// RedisSpans: what a traced handler run asked of Redis, until its answer takes it to the node.
// Names of commands, never their arguments. Bounded; belongs to one handler run, on its thread.
#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "runtime/protocol/pod.pb.h"

namespace subito::sdk {

class RedisSpans {
 public:
  static constexpr int kSpansMax = 64;
  static constexpr std::size_t kNameBytesMax = 32;

  // One batch of commands, from its making to its end. Failed unless it is told otherwise.
  class Batch {
   public:
    // `spans` null: the run is not traced, nothing is done.
    Batch(RedisSpans* spans, std::string_view binding,
          std::span<const std::vector<std::string>> commands);
    ~Batch();
    Batch(const Batch&) = delete;
    Batch& operator=(const Batch&) = delete;
    void succeeded() { failed_ = false; }

   private:
    RedisSpans* spans_;
    protocol::PodSpan* span_ = nullptr;
    bool failed_ = true;
  };

  // As many as fit into a head of at most that many bytes; the rest is counted in it.
  void give_to(protocol::Result& head, std::size_t head_bytes_max);

 private:
  protocol::Result told_;  // its spans alone
};

}  // namespace subito::sdk
