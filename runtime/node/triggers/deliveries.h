// Deliveries: the requests that triggers make: sends their bodies, waits for the end of each answer
// and says what it means. They go through the engine like those of any other caller.
//
// Owned by the node, on the loop's thread. The callback of a delivery runs on the loop, once, never
// inside begin(); it may begin others.
#pragma once

#include <functional>
#include <string>
#include <unordered_map>
#include <vector>

#include "runtime/gateway/invoker.h"
#include "runtime/triggers/feed.h"

namespace subito::node {

struct DeliveryResult {
  triggers::Outcome outcome = triggers::Outcome::kFailed;
  std::string why;                       // for people: "answered 500: out of cheese"
  Duration after{};                      // not again before that
  std::vector<std::string> failed = {};  // accepted, but for these of its entries
};

// By this field of a 2xx the handler of a batch names the entries that are to come again: ids
// with commas between them, in one field or several.
inline constexpr char kFailedField[] = "subito-failed";

class Deliveries final : private Caller {
 public:
  using Callback = std::function<void(const DeliveryResult&)>;

  explicit Deliveries(Invoker& invoker) : invoker_(invoker) {}

  // Returns its token. `invocation` is whole but for the body.
  CallerToken begin(Invocation&& invocation, std::string body, Callback callback);
  // Its callback will not run; the function may do it nevertheless.
  void forget(CallerToken token) { deliveries_.erase(token); }

 private:
  // Of an answer that is no success so much is kept, to say why.
  static constexpr std::size_t kWhyBytesMax = 300;

  struct Delivery {
    InvocationId invocation;
    std::string body;
    std::size_t sent = 0;
    Callback callback;
    int status = 0;
    Duration retry_after{};
    std::vector<std::string> failed;
    std::string words;  // the beginning of its answer
  };

  void send_body(CallerToken token, std::size_t room);
  bool on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) override;
  bool on_answer_body(CallerToken token, std::string_view bytes, bool end) override;
  void on_answer_abort(CallerToken token) override;
  void on_failure(CallerToken token, Failure&& failure) override;
  void on_consumed(CallerToken token, std::size_t bytes) override;
  void end(CallerToken token, DeliveryResult result);

  Invoker& invoker_;
  std::unordered_map<CallerToken, Delivery> deliveries_;
  CallerToken last_token_ = 0;
};

}  // namespace subito::node
