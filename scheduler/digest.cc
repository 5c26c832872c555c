#include "scheduler/digest.h"

#include <utility>

namespace subito::scheduler {
namespace {

template <typename... Words>
void add_all(Digest& digest, Words... words) {
  (digest.add(static_cast<std::uint64_t>(words)), ...);
}

void add_fields(Digest& digest, const StartPod& it) {
  add_all(digest, it.pod.value(), it.function.value(), it.revision.value(), it.number, it.why,
          it.policy, it.plan, it.waiting);
}

void add_fields(Digest& digest, const Dispatch& it) {
  add_all(digest, it.invocation.value(), it.pod.value(), it.cold, it.queued.count(), it.attempt);
}

void add_fields(Digest& digest, const Cancel& it) {
  add_all(digest, it.invocation.value(), it.pod.value(), it.reason);
}

void add_fields(Digest& digest, const Refuse& it) {
  add_all(digest, it.invocation.value(), it.reason, it.retry_after.count(), it.queued.count());
}

void add_fields(Digest& digest, const DrainPod& it) {
  add_all(digest, it.pod.value(), it.function.value(), it.reason, it.idle.count(), it.served,
          it.unused);
}

void add_fields(Digest& digest, const StopPod& it) {
  add_all(digest, it.pod.value(), it.function.value(), it.reason);
}

}  // namespace

void Digest::add(const Effect& effect) {
  add(static_cast<std::uint64_t>(effect.index()));
  // The most frequent first: a jump by a table is harder to foretell.
  if (const auto* dispatch = std::get_if<Dispatch>(&effect)) return add_fields(*this, *dispatch);
  if (const auto* start = std::get_if<StartPod>(&effect)) return add_fields(*this, *start);
  if (const auto* drain = std::get_if<DrainPod>(&effect)) return add_fields(*this, *drain);
  std::visit([this](const auto& it) { add_fields(*this, it); }, effect);
}

}  // namespace subito::scheduler
