// OtlpReceiver: takes traces as a collector does, for tests: OTLP over HTTP on a port of its own.
// Its thread answers; the test asks what came.
#pragma once

#include <cstdint>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "runtime/base/unique_fd.h"
#include "runtime/traces/otlp.pb.h"

namespace subito::e2e {

struct ReceivedSpan {
  std::string service;
  otlp::Span span;

  bool has(const std::string& key) const {
    for (const auto& attribute : span.attributes()) {
      if (attribute.key() == key) return true;
    }
    return false;
  }
};

class OtlpReceiver {
 public:
  OtlpReceiver();
  ~OtlpReceiver();
  OtlpReceiver(const OtlpReceiver&) = delete;
  OtlpReceiver& operator=(const OtlpReceiver&) = delete;

  std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
  // Of one trace, by its id as 16 bytes; of all when that is empty.
  std::vector<ReceivedSpan> spans(const std::string& trace = {}) const;
  // The next requests are answered 503, Retry-After 1.
  void refuse(int requests);

 private:
  void run();
  void serve(int client);
  std::string answer_to(const std::string& body);

  UniqueFd listener_;
  UniqueFd stop_;
  std::uint16_t port_ = 0;
  mutable std::mutex mutex_;
  std::vector<ReceivedSpan> spans_;
  int refuse_ = 0;
  std::thread thread_;
};

}  // namespace subito::e2e
