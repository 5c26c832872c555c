#include "runtime/node/triggers/deliveries.h"

#include <algorithm>
#include <charconv>
#include <set>
#include <utility>

namespace subito::node {
namespace {

using triggers::Outcome;

// The node had no room or closes, or the function cannot run at all: nobody saw the delivery.
bool is_refusal(const std::string& type) {
  static const std::set<std::string> kRefusals = {
      "queue-full", "quota",        "queue-too-long",     "in-flight-limit", "queue-timeout",
      "node-full",  "node-closing", "function-not-found", "out-of-service"};
  return kRefusals.contains(type);
}

// Seconds only; a date is not worth it here.
Duration retry_after(const http::Fields& fields) {
  const std::string* value = http::find_field(fields, "retry-after");
  unsigned seconds = 0;
  if (value != nullptr) std::from_chars(value->data(), value->data() + value->size(), seconds);
  return std::min<Duration>(std::chrono::seconds(seconds), triggers::kPauseMax);
}

void add_failed(std::string_view left, std::vector<std::string>& ids) {
  while (!left.empty()) {
    const std::size_t end = std::min(left.find_first_of(", "), left.size());
    if (end > 0) ids.emplace_back(left.substr(0, end));
    left.remove_prefix(std::min(end + 1, left.size()));
  }
}

// A handler may name each in a field of its own.
std::vector<std::string> failed_of(const http::Fields& fields) {
  std::vector<std::string> ids;
  for (const auto& [name, value] : fields) {
    if (name == kFailedField) add_failed(value, ids);
  }
  return ids;
}

std::string printable(std::string text) {
  for (char& c : text) {
    if (c < ' ' || c == '\x7f') c = ' ';
  }
  while (!text.empty() && text.back() == ' ') text.pop_back();
  return text;
}

}  // namespace

CallerToken Deliveries::begin(Invocation&& invocation, std::string body, Callback callback) {
  const CallerToken token = ++last_token_;
  Delivery& delivery = deliveries_[token];
  delivery.body = std::move(body);
  delivery.callback = std::move(callback);
  delivery.invocation = invoker_.invoke(*this, token, std::move(invocation));
  if (!delivery.body.empty()) send_body(token, kBodyWindowBytes);
  return token;
}

void Deliveries::send_body(CallerToken token, std::size_t room) {
  const auto found = deliveries_.find(token);
  if (found == deliveries_.end()) return;
  Delivery& delivery = found->second;
  if (delivery.sent == delivery.body.size()) return;
  const std::size_t size = std::min(room, delivery.body.size() - delivery.sent);
  const std::string_view bytes(delivery.body.data() + delivery.sent, size);
  delivery.sent += size;
  invoker_.body(delivery.invocation, bytes, delivery.sent == delivery.body.size());
}

// on_consumed is the one callback that may come from inside a call of ours: body() is called again
// from within, which only appends and sends.
void Deliveries::on_consumed(CallerToken token, std::size_t bytes) {
  send_body(token, bytes);
}

bool Deliveries::on_answer(CallerToken token, Answer&& answer, std::string_view body, bool end) {
  const auto found = deliveries_.find(token);
  if (found == deliveries_.end()) return true;
  found->second.status = answer.head.status;
  found->second.retry_after = retry_after(answer.head.fields);
  found->second.failed = failed_of(answer.head.fields);
  return on_answer_body(token, body, end);
}

bool Deliveries::on_answer_body(CallerToken token, std::string_view bytes, bool last) {
  const auto found = deliveries_.find(token);
  if (found == deliveries_.end()) return true;
  Delivery& delivery = found->second;
  const std::size_t room = kWhyBytesMax - std::min(kWhyBytesMax, delivery.words.size());
  delivery.words.append(bytes.substr(0, room));
  if (!last) return true;
  DeliveryResult result;
  const bool accepted = delivery.status >= 200 && delivery.status < 300;
  result.outcome = accepted ? Outcome::kAccepted : Outcome::kFailed;
  result.after = delivery.retry_after;
  if (accepted) {
    result.failed = std::move(delivery.failed);
  } else {
    result.why = "answered " + std::to_string(delivery.status) +
                 (delivery.words.empty() ? "" : ": " + printable(delivery.words));
  }
  end(token, std::move(result));
  return true;
}

void Deliveries::on_answer_abort(CallerToken token) {
  end(token, {Outcome::kFailed, "its answer broke off"});
}

void Deliveries::on_failure(CallerToken token, Failure&& failure) {
  DeliveryResult result;
  result.outcome = is_refusal(failure.type) ? Outcome::kRefused : Outcome::kFailed;
  result.why = failure.type + ": " + failure.detail;
  result.after = failure.retry_after.value_or(Duration::zero());
  end(token, std::move(result));
}

void Deliveries::end(CallerToken token, DeliveryResult result) {
  const auto delivery = deliveries_.extract(token);
  if (!delivery.empty()) delivery.mapped().callback(result);
}

}  // namespace subito::node
