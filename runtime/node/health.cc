#include "runtime/node/health.h"

#include <algorithm>
#include <utility>

namespace subito::node {

void Health::set(std::string_view name, bool requests_need_it, std::string fault,
                 std::int64_t unix_ns) {
  auto at = std::find_if(conditions_.begin(), conditions_.end(),
                         [&](const api::Condition& condition) { return condition.name == name; });
  const bool first = at == conditions_.end();
  if (first) {
    conditions_.push_back({std::string(name), true, requests_need_it, "", unix_ns});
    at = std::prev(conditions_.end());
  }
  if (at->fault == fault) return;
  const bool ok = fault.empty();
  if (ok != at->ok) at->since_unix_ns = unix_ns;
  at->ok = ok;
  at->fault = std::move(fault);
  tell_(*at);
}

const api::Condition* Health::not_ready() const {
  const auto at = std::find_if(
      conditions_.begin(), conditions_.end(),
      [](const api::Condition& condition) { return !condition.ok && condition.requests_need_it; });
  return at == conditions_.end() ? nullptr : &*at;
}

}  // namespace subito::node
