#include "runtime/node/invocation_record.h"

#include "runtime/base/check.h"

namespace subito::node {

bool is_idempotent(const Invocation& invocation) {
  for (const char* method : {"GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"}) {
    if (invocation.method == method) return true;
  }
  return http::find_field(invocation.fields, "idempotency-key") != nullptr;
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
