#include "scheduler/rolling.h"

#include <algorithm>
#include <charconv>

namespace subito::scheduler {
namespace {

std::uint32_t without(std::uint32_t from, std::uint32_t less) {
  return from > less ? from - less : 0;
}

}  // namespace

RollingStep roll(const RollingLimits& limits, const RollingView& view) {
  if (view.new_failures > 0) return {.kind = RollingStep::Kind::kFailed};
  const std::uint32_t pods = std::min(limits.pods, limits.pods_max);
  if (pods == 0) return {.kind = RollingStep::Kind::kDone};
  std::uint32_t surge = limits.surge;
  if (surge == 0 && (limits.unavailable == 0 || pods == 1)) surge = 1;  // else it would never move
  std::uint32_t old_stay = without(without(pods, limits.unavailable), view.new_ready);
  if (view.new_ready == 0) old_stay = std::max(old_stay, 1U);
  if (old_stay == 0) return {.kind = RollingStep::Kind::kDone};
  RollingStep step;
  step.old_max = old_stay;
  step.new_min = std::min(pods, without(pods + surge, view.old_pods));
  step.new_max = std::max({without(limits.pods_max + surge, view.old_pods), step.new_min, 1U});
  if (view.new_ready == 0) return step;
  step.new_weight = view.new_ready;
  step.old_weight = std::min(view.old_pods, old_stay);
  return step;
}

std::uint32_t pods_of(std::string_view text, std::uint32_t pods, bool up) {
  const bool percent = !text.empty() && text.back() == '%';
  if (percent) text.remove_suffix(1);
  std::uint32_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return 0;
  if (!percent) return value;
  const std::uint64_t hundredths = std::uint64_t{value} * pods + (up ? 99 : 0);
  return static_cast<std::uint32_t>(hundredths / 100);
}

}  // namespace subito::scheduler
