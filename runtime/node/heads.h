// Heads that pods send, checked before they go on to a client or to another function. Pure.
#pragma once

#include <string>
#include <string_view>

#include "autoscaler/cpu_demand.h"
#include "runtime/base/result.h"
#include "runtime/gateway/invoker.h"
#include "runtime/protocol/pod.pb.h"

namespace subito::node {

// What a pod is told of a failure; the rest is cut off. Well within a frame's head.
constexpr std::size_t kFailureTextBytesMax = 1024;

// kProtocol: a status, or a byte in a header, that HTTP does not allow. Names come out in lower
// case, however the pod wrote them.
Result<Answer> parse_answer(const protocol::Result& head);
// What the pod says of its handler's time and CPU; what is not told is 0. A day at most each.
autoscaler::CpuUse cpu_use_of(const protocol::Result& head);
// The part of an invocation that the calling pod chose, but for the function and the deadline.
Result<Invocation> parse_call(const protocol::Call& head);

// A name that a pod sent, as long as names in manifests may be: longer ones name nothing.
std::string shown_name(std::string_view name);
std::string cut_failure_text(std::string text);

}  // namespace subito::node
