#include "runtime/sdk/redis_spans.h"

#include <chrono>

namespace subito::sdk {
namespace {

constexpr std::size_t kFrameOfSpanBytes = 16;  // its key and length in the head, and the count

std::uint64_t now_ns() {
  const auto now = std::chrono::steady_clock::now().time_since_epoch();
  return static_cast<std::uint64_t>(std::chrono::nanoseconds(now).count());
}

// "HSET", "MULTI +3". The name is the first word: it is the program's, but for who builds commands
// of what users send; so nothing but letters and digits stays of it.
std::string name_of(std::span<const std::vector<std::string>> commands) {
  std::string name;
  if (!commands.front().empty()) {
    for (const char c : commands.front().front().substr(0, RedisSpans::kNameBytesMax)) {
      const bool lower = c >= 'a' && c <= 'z';
      const bool plain = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.';
      if (lower || plain) name += lower ? static_cast<char>(c - 'a' + 'A') : c;
    }
  }
  if (commands.size() > 1) name += " +" + std::to_string(commands.size() - 1);
  return name;
}

}  // namespace

RedisSpans::Batch::Batch(RedisSpans* spans, std::string_view binding,
                         std::span<const std::vector<std::string>> commands)
    : spans_(spans) {
  if (spans_ == nullptr || commands.empty()) return;
  if (spans_->told_.spans_size() == kSpansMax) {
    spans_->told_.set_spans_dropped(spans_->told_.spans_dropped() + 1);
    return;
  }
  span_ = spans_->told_.add_spans();
  span_->set_name(name_of(commands));
  span_->set_binding(std::string(binding));
  span_->set_commands(static_cast<std::uint32_t>(commands.size()));
  span_->set_begin_ns(now_ns());
}

RedisSpans::Batch::~Batch() {
  if (span_ == nullptr) return;
  span_->set_end_ns(now_ns());
  span_->set_failed(failed_);
}

void RedisSpans::give_to(protocol::Result& head, std::size_t head_bytes_max) {
  std::size_t bytes = head.ByteSizeLong() + kFrameOfSpanBytes;
  std::uint32_t dropped = told_.spans_dropped();
  for (auto& span : *told_.mutable_spans()) {
    bytes += span.ByteSizeLong() + kFrameOfSpanBytes;
    if (bytes > head_bytes_max) {
      ++dropped;
    } else {
      *head.add_spans() = std::move(span);
    }
  }
  if (dropped > 0 && bytes <= head_bytes_max) head.set_spans_dropped(dropped);
  told_.Clear();
}

}  // namespace subito::sdk
