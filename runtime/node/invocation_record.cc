#include "runtime/node/invocation_record.h"

#include "runtime/base/check.h"

namespace subito::node {

bool is_idempotent(const Invocation& invocation) {
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    if (invocation.method == method) return true;
  }
  return http::find_field(invocation.fields, "idempotency-key") != nullptr;
}

std::string shown(const Invocation& invocation) {
  std::string text = invocation.method + " " + invocation.path.substr(0, kShownPathBytesMax);
  if (invocation.path.size() > kShownPathBytesMax) text += "...";
  for (char& c : text) {
    if (c < ' ' || c > '~') c = '?';
  }
  return text;
}

void transition(InvocationRecord& record, InvocationState to) {
  using enum InvocationState;
  const InvocationState from = record.state;
  const bool legal =
      (from == kWaiting && (to == kRunning || to == kAbandoned)) ||
      (from == kRunning && (to == kAnswering || to == kWaiting || to == kAbandoned)) ||
      (from == kAnswering && to == kAbandoned);
  CHECK(legal);
  record.state = to;
}

}  // namespace subito::node
