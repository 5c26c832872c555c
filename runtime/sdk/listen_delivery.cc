#include "runtime/sdk/listen_delivery.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "runtime/http/cloud_event.h"
#include "runtime/sdk/text.h"

namespace subito::sdk {
namespace {

constexpr std::string_view kVariable = "TRIGGER_";
constexpr std::string_view kDue = "due";
constexpr std::string_view kStream = "stream";

std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> words;
  for (std::size_t at = 0; (at = text.find_first_not_of(' ', at)) != std::string_view::npos;) {
    const std::size_t end = std::min(text.find(' ', at), text.size());
    words.push_back(text.substr(at, end - at));
    at = end;
  }
  return words;
}

using Variable = std::pair<std::string_view, std::string_view>;

std::vector<Variable> trigger_variables(const char* const* variables) {
  std::vector<Variable> found;
  for (; variables != nullptr && *variables != nullptr; ++variables) {
    const std::string_view variable(*variables);
    const auto equals = variable.find('=');
    if (!variable.starts_with(kVariable) || equals == std::string_view::npos) continue;
    found.emplace_back(variable.substr(0, equals), variable.substr(equals + 1));
  }
  return found;
}

// Others have variables of such names too: GitLab's TRIGGER_PAYLOAD.
bool is_trigger(std::string_view value) {
  const auto words = words_of(value);
  return !words.empty() && (words[0] == kStream || words[0] == kDue);
}

Result<ListenTrigger> trigger_of(std::string_view variable, std::string_view value) {
  const auto words = words_of(value);
  if (variable == kVariable || words.size() != 3 || !is_target(words[2])) {
    return Error{
        ErrorCode::kInvalidArgument,
        "read " + std::string(variable) +
            ": TRIGGER_<NAME> is \"stream KEY PATH\" or \"due KEY PATH\", such as \"due shop:due "
            "/due\"",
        0};
  }
  ListenTrigger trigger;
  trigger.name = lower_case(variable.substr(kVariable.size()));
  std::replace(trigger.name.begin(), trigger.name.end(), '_', '-');
  trigger.kind = words[0] == kDue ? ListenTrigger::Kind::kDue : ListenTrigger::Kind::kStream;
  trigger.key = words[1];
  trigger.path = words[2];
  return trigger;
}

// A score may be written 1.5e12, and neither it nor an id need fit 64 bits.
std::int64_t unix_ms_of(std::string_view milliseconds) {
  double value = 0;
  std::from_chars(milliseconds.data(), milliseconds.data() + milliseconds.size(), value);
  constexpr double kFarAway = 1e15;  // beyond what can be told
  return static_cast<std::int64_t>(std::clamp(value, 0.0, kFarAway));
}

http::CloudEvent event_of(const ListenTrigger& trigger, const Delivery& delivery) {
  const std::string_view id(delivery.id);
  if (trigger.kind == ListenTrigger::Kind::kStream) {
    auto event = http::event_of_entry(trigger.key, delivery.id, delivery.fields);
    event.unix_ms = unix_ms_of(id.substr(0, id.find('-')));
    return event;
  }
  const auto at = id.rfind('@');
  auto event = http::event_of_due(trigger.key, delivery.id, std::string(id.substr(0, at)));
  event.unix_ms = unix_ms_of(id.substr(at + 1));
  return event;
}

}  // namespace

Result<std::vector<ListenTrigger>> triggers_of(const char* const* variables) {
  std::vector<ListenTrigger> triggers;
  for (const auto& [variable, value] : trigger_variables(variables)) {
    if (!is_trigger(value)) continue;
    ASSIGN_OR_RETURN(ListenTrigger trigger, trigger_of(variable, value));
    triggers.push_back(std::move(trigger));
  }
  return triggers;
}

std::vector<std::string> unread_triggers(const char* const* variables) {
  std::vector<std::string> warnings;
  for (const auto& [variable, value] : trigger_variables(variables)) {
    if (is_trigger(value)) continue;
    warnings.push_back(std::string(variable) +
                       " is read as no trigger: one begins with \"stream\" or \"due\"");
  }
  return warnings;
}

Request request_of(const ListenTrigger& trigger, const Delivery& delivery, const std::string& path,
                   std::uint64_t number) {
  http::CloudEvent event = event_of(trigger, delivery);
  Headers headers;
  for (auto& [name, value] : http::fields_of(event)) headers.set(name, std::move(value));
  headers.set("subito-delivery", std::to_string(number));
  return Request("POST", path, std::move(headers), std::move(event.data));
}

}  // namespace subito::sdk
