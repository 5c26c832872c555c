#include "bench/simulate/replay.h"

#include <array>

#include "bench/simulate/text.h"
#include "scheduler/digest.h"
#include "scheduler/recording.h"

namespace subito::simulate {
namespace {

using scheduler::Effect;
using scheduler::Input;
using scheduler::RecordedInput;
using scheduler::Scheduler;

// What the scheduler would take for a fault of its owner's, and end the process.
class Guard {
 public:
  explicit Guard(const Scheduler& scheduler) : scheduler_(scheduler) {}

  std::optional<std::string> fault(const Input& input) {
    if (const auto* it = std::get_if<scheduler::AddFunction>(&input)) {
      if (known(it->function)) return "adds a function that is there";
    } else if (const auto* update = std::get_if<scheduler::UpdateFunction>(&input)) {
      if (!known(update->function)) return "updates a function that is not there";
    } else if (const auto* remove = std::get_if<scheduler::RemoveFunction>(&input)) {
      if (!known(remove->function)) return "removes a function that is not there";
    } else if (const auto* scale = std::get_if<scheduler::Scale>(&input)) {
      if (!known(scale->function)) return "scales a function that is not there";
      if (scale->pods_max.value_or(1) == 0 ||
          scale->pods_max.value_or(UINT32_MAX) < scale->pods_min) {
        return "scales to a maximum below the minimum, or to 0";
      }
    } else if (const auto* arrive = std::get_if<scheduler::Arrive>(&input)) {
      if (arrive->arrival.invocation <= latest_)
        return "has an invocation whose id does not count up";
      latest_ = arrive->arrival.invocation;
    }
    return std::nullopt;
  }

 private:
  bool known(FunctionId function) const { return scheduler_.function(function).has_value(); }

  const Scheduler& scheduler_;
  InvocationId latest_;
};

std::string words_of(const scheduler::Effects& effects) {
  static constexpr std::array kNames = {"start pod", "dispatch",  "cancel",
                                        "refuse",    "drain pod", "stop pod"};
  static_assert(kNames.size() == std::variant_size_v<Effect>);
  std::string words;
  for (const Effect& effect : effects) {
    words += (words.empty() ? "" : ", ") + std::string(kNames[effect.index()]);
  }
  return words.empty() ? "none" : words;
}

}  // namespace

Result<ReplayOutcome> replay(std::string_view recording) {
  ASSIGN_OR_RETURN(auto reader, scheduler::RecordingReader::open(recording));
  Scheduler scheduler(reader.limits());
  Guard guard(scheduler);
  scheduler::Effects effects;
  scheduler::Digest all;
  ReplayOutcome outcome;
  std::optional<TimePoint> first;
  for (;;) {
    ASSIGN_OR_RETURN(const std::optional<RecordedInput> next, reader.next());
    if (!next) break;
    const std::string at = "byte " + std::to_string(next->offset) + ": ";
    if (const auto fault = guard.fault(next->input)) {
      return fail(ErrorCode::kProtocol, at + std::string(name_of(next->input)) + " " + *fault);
    }
    effects.clear();
    apply(next->input, scheduler, effects);
    scheduler::Digest digest;
    digest.add(effects);
    all.add(digest.value());
    first = first.value_or(time_of(next->input));
    ++outcome.inputs;
    outcome.effects += effects.size();
    outcome.span = time_of(next->input) - *first;
    if (effects.size() == next->effects && digest.value() == next->digest) continue;
    outcome.difference = "input " + grouped(outcome.inputs) + " (" +
                         std::string(name_of(next->input)) + ", " + words(outcome.span) +
                         " after the first, byte " + std::to_string(next->offset) + "): recorded " +
                         grouped(next->effects) + " effects, replayed " + grouped(effects.size()) +
                         ": " + words_of(effects);
    break;
  }
  outcome.digest = all.value();
  return outcome;
}

}  // namespace subito::simulate
