#include "runtime/sdk/listen_delivery.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "runtime/base/time.h"
#include "runtime/http/path.h"
#include "runtime/sdk/text.h"

namespace subito::sdk {
namespace {

constexpr std::string_view kVariable = "TRIGGER_";
constexpr std::string_view kDue = "due";
constexpr std::string_view kStream = "stream";
// Those of runtime/node/triggers/occurrence.h.
constexpr std::size_t kNameBytesMax = 20;
constexpr std::size_t kValueBytesMax = 1024;
constexpr std::size_t kNamesMax = 32;

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

// As the CloudEvents HTTP binding says, 3.1.3.2.
std::string encoded(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c > ' ' && c <= '~' && c != '"' && c != '%') {
      out += c;
    } else {
      http::append_escape(out, c);
    }
  }
  return out;
}

std::string time_text(std::string_view milliseconds) {
  double value = 0;  // a score may be written 1.5e12
  std::from_chars(milliseconds.data(), milliseconds.data() + milliseconds.size(), value);
  constexpr double kLatest = 9'223'372'036'000;  // the year 2262: nanoseconds fit 64 bits
  char text[kRfc3339Size];
  format_rfc3339(static_cast<std::int64_t>(std::clamp(value, 0.0, kLatest)) * 1'000'000, text);
  return text;
}

bool is_attribute(std::string_view name) {
  for (const auto reserved :
       {"id", "source", "specversion", "time", "datacontenttype", "dataschema"}) {
    if (name == reserved) return false;
  }
  return !name.empty() && name.size() <= kNameBytesMax &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// What the fields of an entry say; the data are returned.
std::string take_fields(const Delivery& delivery, Headers& headers) {
  std::string data;
  std::string content_type = "application/protobuf";
  std::size_t names = 0;
  for (const auto& [name, value] : delivery.fields) {
    const bool fits = value.size() <= kValueBytesMax;
    if (name == "data") {
      data = value;
    } else if (name == "content-type" && fits) {
      content_type = value;
    } else if ((name == "type" || name == "subject") && fits) {
      headers.set("ce-" + name, encoded(value));
    } else if (is_attribute(name) && fits && names < kNamesMax) {
      headers.set("ce-" + name, encoded(value));
      ++names;
    }
  }
  if (!data.empty()) headers.set("content-type", encoded(content_type));
  return data;
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
  const bool due = trigger.kind == ListenTrigger::Kind::kDue;
  const auto at = delivery.id.rfind('@');
  const std::string_view id(delivery.id);
  Headers headers{{"ce-specversion", "1.0"},
                  {"ce-id", encoded(id)},
                  {"ce-source", encoded((due ? "/due/" : "/streams/") + trigger.key)},
                  {"ce-type", due ? "subito.due" : "subito.stream"},
                  {"ce-time", time_text(due ? id.substr(at + 1) : id.substr(0, id.find('-')))},
                  {"subito-delivery", std::to_string(number)}};
  if (due) headers.set("ce-subject", encoded(id.substr(0, at)));
  std::string data = take_fields(delivery, headers);
  return Request("POST", path, std::move(headers), std::move(data));
}

}  // namespace subito::sdk
