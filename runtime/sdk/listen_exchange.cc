#include "runtime/sdk/listen_exchange.h"

#include <utility>

namespace subito::sdk {

ListenExchange::ListenExchange(server::ExchangeId id, http::RequestHead head, bool end,
                               ListenDeadline deadline, std::function<void()> post)
    : id_(id),
      head_(std::move(head)),
      deadline_(deadline),
      post_(std::move(post)),
      body_ended_(end) {}

void ListenExchange::add_body(std::string_view bytes, bool end) {
  const std::lock_guard lock(mutex_);
  body_ += bytes;
  body_ended_ = body_ended_ || end;
  changed_.notify_all();
}

void ListenExchange::abort() {
  const std::lock_guard lock(mutex_);
  aborted_ = true;
  changed_.notify_all();
}

void ListenExchange::set_writable() {
  const std::lock_guard lock(mutex_);
  writable_ = true;
  changed_.notify_all();
}

std::vector<ListenExchange::Out> ListenExchange::take() {
  const std::lock_guard lock(mutex_);
  return std::exchange(outs_, {});
}

void ListenExchange::passed_on(std::size_t bytes, bool writable) {
  const std::lock_guard lock(mutex_);
  unsent_bytes_ -= bytes;
  writable_ = writable;
  changed_.notify_all();
}

std::string ListenExchange::read_body(std::size_t bytes_max) {
  std::unique_lock lock(mutex_);
  changed_.wait_until(lock, deadline_,
                      [this] { return !body_.empty() || body_ended_ || aborted_; });
  if (body_.empty() && body_ended_) return {};
  throw_if_over();
  std::string taken = body_.substr(0, bytes_max);
  body_.erase(0, taken.size());
  Out out;
  out.consumed_bytes = taken.size();
  outs_.push_back(std::move(out));
  post_();
  return taken;
}

void ListenExchange::send(Out out) {
  std::unique_lock lock(mutex_);
  if (!out.end && !out.abort) {
    changed_.wait_until(lock, deadline_, [this] {
      return aborted_ || (writable_ && unsent_bytes_ < server::kResponseHighWaterBytes);
    });
    throw_if_over();
  }
  unsent_bytes_ += out.body.size();
  outs_.push_back(std::move(out));
  post_();
}

bool ListenExchange::cancelled() {
  const std::lock_guard lock(mutex_);
  return aborted_ || std::chrono::steady_clock::now() >= deadline_;
}

bool ListenExchange::has_body() {
  const std::lock_guard lock(mutex_);
  return !body_ended_ || !body_.empty();
}

void ListenExchange::throw_if_over() const {
  if (aborted_) throw Cancelled("the invocation was cancelled");
  if (std::chrono::steady_clock::now() >= deadline_) throw Cancelled("the deadline passed");
}

}  // namespace subito::sdk
