#include "deploy/manifest/rules.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "deploy/manifest/defaults.h"
#include "deploy/manifest/letters.h"
#include "deploy/manifest/selector.h"
#include "deploy/manifest/units.h"
#include "runtime/base/check.h"
#include "runtime/triggers/cron.h"

namespace subito::manifest {

namespace {

using Wrong = std::optional<std::string>;

bool is_word(char c) {
  return is_lower(c) || is_upper(c) || is_digit(c) || c == '_' || c == '-' || c == '.';
}

Wrong must_be(std::string_view text, std::string_view allowed) {
  if (text == allowed) return std::nullopt;
  return "is '" + std::string(text) + "', allowed is " + std::string(allowed);
}
Wrong check_api_version(std::string_view text) {
  return must_be(text, kApiVersion);
}
Wrong check_kind(std::string_view text) {
  return must_be(text, kKind);
}
Wrong check_namespace(std::string_view text) {
  return must_be(text, kNamespace);
}

Wrong check_not_empty(std::string_view text) {
  if (text.empty()) return "is empty";
  return std::nullopt;
}

Wrong check_key(std::string_view text) {
  if (is_key(text)) return std::nullopt;
  return "has a key that is not allowed: letters, digits, '_', '-' and '.', at most 128";
}

// Paths that the gateway would never find (runtime/gateway/routes.cc).
Wrong check_reachable(std::string_view text) {
  if (text.size() > 1 && text.back() == '/')
    return "is '" + std::string(text) + "', leave the final '/' away: it matches what is below too";
  if ((std::string(text) + '/').find("/./") != text.npos ||
      (std::string(text) + '/').find("/../") != text.npos)
    return "has a dot segment, which the gateway refuses in requests";
  if (text == "/healthz" || text == "/readyz")
    return "is '" + std::string(text) + "', which the gateway answers itself";
  if (text == "/function" || text.substr(0, 10) == "/function/")
    return "is '" + std::string(text) + "', what begins with /function/ calls functions by name";
  return std::nullopt;
}

// A Router's pattern in place of the prefix: in a path of HTTP braces are encoded (RFC 3986, 2).
Wrong check_no_pattern(std::string_view text) {
  const std::size_t brace = text.find_first_of("{}");
  if (brace == text.npos) return std::nullopt;
  const std::size_t slash = text.substr(0, brace).rfind('/');
  const std::string prefix(text.substr(0, slash == 0 ? 1 : slash));
  return "is '" + std::string(text) + "', but a route is a prefix: write " + prefix +
         "; the pattern belongs into the function's Router";
}

Wrong check_path(std::string_view text) {
  constexpr std::size_t kPathBytesMax = 1024;
  if (text.empty() || text.front() != '/')
    return "is '" + std::string(text) + "', a path begins with '/'";
  if (text.size() > kPathBytesMax) return "is longer than 1024 bytes";
  if (text.find("//") != text.npos) return "has an empty segment ('//')";
  for (const char c : text) {
    if (c <= ' ' || c == 0x7f || c == '?' || c == '#')
      return "has a character that no path has: a space, a control character, '?' or '#'";
  }
  return std::nullopt;
}

Wrong check_route(std::string_view text) {
  if (Wrong wrong = check_path(text)) return wrong;
  if (Wrong wrong = check_no_pattern(text)) return wrong;
  return check_reachable(text);
}

// "host:port", "[::1]:5432" or "unix:/path".
Wrong check_address(std::string_view text) {
  constexpr std::string_view kUnix = "unix:";
  constexpr std::size_t kUnixPathMax = 107;  // sun_path of unix(7), without the final NUL
  const std::string allowed = "allowed is host:port or unix:/path";
  if (text.substr(0, kUnix.size()) == kUnix) {
    const std::string_view path = text.substr(kUnix.size());
    if (path.size() > kUnixPathMax) return "has a path longer than 107 bytes";
    if (path.empty() || path.front() != '/') return "needs an absolute path, " + allowed;
    return std::nullopt;
  }
  const std::size_t colon = text.rfind(':');
  if (colon == text.npos || colon == 0) return "is '" + std::string(text) + "', " + allowed;
  const std::string_view port = text.substr(colon + 1);
  int number = 0;
  const auto [end, error] = std::from_chars(port.data(), port.data() + port.size(), number);
  if (error != std::errc() || end != port.data() + port.size() || number < 1 || number > 65535)
    return "has port '" + std::string(port) + "', allowed is 1 to 65535";
  return std::nullopt;
}

// What runtime/bindings can make a Redis ACL rule of. Empty is the default.
Wrong check_key_prefix(std::string_view text) {
  constexpr std::size_t kPrefixBytesMax = 128;
  const bool right =
      text.size() <= kPrefixBytesMax &&
      std::all_of(text.begin(), text.end(), [](char c) { return c > ' ' && c < 0x7f; });
  if (right) return std::nullopt;
  return "has a key prefix that is not allowed: printable characters without blanks, at most 128";
}

// Of a stream or sorted set, below a prefix.
Wrong check_redis_key(std::string_view text) {
  if (text.empty()) return "is empty";
  if (check_key_prefix(text))
    return "has a key that is not allowed: printable characters without blanks, at most 128";
  return std::nullopt;
}

Wrong check_cron(std::string_view text) {
  const auto cron = triggers::Cron::parse(text);
  if (cron) return std::nullopt;
  return cron.error().message;
}

// "2" or "25%": IntOrString of Kubernetes.
Wrong check_pods_or_percent(std::string_view text) {
  constexpr int kPodsMax = 1000;
  const bool percent = !text.empty() && text.back() == '%';
  const std::string_view digits = text.substr(0, text.size() - (percent ? 1 : 0));
  int number = -1;
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), number);
  const bool whole = error == std::errc() && end == digits.data() + digits.size();
  if (whole && number >= 0 && number <= (percent ? 100 : kPodsMax)) return std::nullopt;
  return "is '" + std::string(text.substr(0, kNameBytesMax)) +
         "', allowed is 0 to 1000 or 0% to 100%";
}

// What a shell takes for a variable, and nothing by which the loader or libc would do other things.
Wrong check_variable(std::string_view text) {
  if (is_variable_name(text)) return std::nullopt;
  return "is '" + std::string(text.substr(0, 2 * kNameBytesMax)) +
         "', allowed are letters, digits and '_', at most 128, not beginning with a digit";
}

// Where files can be in a pod: its root cannot be written.
Wrong check_folder(std::string_view text) {
  constexpr std::string_view kTmp = "/tmp/";
  constexpr std::size_t kFolderBytesMax = 200;
  const bool right =
      text.substr(0, kTmp.size()) == kTmp && text.size() > kTmp.size() &&
      text.size() <= kFolderBytesMax && text.back() != '/' &&
      (std::string(text) + '/').find("/.") == text.npos && text.find("//") == text.npos &&
      std::all_of(text.begin() + 1, text.end(), [](char c) { return is_word(c) || c == '/'; });
  if (right) return std::nullopt;
  return "is '" + std::string(text.substr(0, 2 * kNameBytesMax)) +
         "', allowed is a folder below /tmp/: letters, digits, '_', '-', '.' and '/', at most 200, "
         "no part of it beginning with '.'";
}

constexpr std::int64_t kHourMs = 3'600'000;
constexpr std::int64_t kDayMs = 24 * kHourMs;

// Numbers stand in the comments of function.proto too.
const std::array kRules = {
    Rule{.field = "Function.api_version", .required = true, .text = check_api_version},
    Rule{.field = "Function.kind", .required = true, .text = check_kind},
    Rule{.field = "Function.metadata", .required = true},
    Rule{.field = "Function.spec", .required = true},
    Rule{.field = "Metadata.name", .required = true, .text = check_name},
    Rule{.field = "Metadata.namespace", .text = check_namespace},
    Rule{.field = "Metadata.labels",
         .count_max = 64,
         .text = check_label_value,
         .key = check_label_key},
    Rule{.field = "FunctionSpec.binary", .required = true, .text = check_not_empty},
    Rule{.field = "FunctionSpec.args", .count_max = 64},
    Rule{.field = "FunctionSpec.settings", .count_max = 256, .key = check_key},
    Rule{.field = "FunctionSpec.routes", .count_max = 64},
    Rule{.field = "FunctionSpec.timeout_ms", .min = 1, .max = 900'000},
    Rule{.field = "FunctionSpec.concurrency", .min = 1, .max = 1000},
    Rule{.field = "FunctionSpec.bindings", .count_max = 32},
    Rule{.field = "FunctionSpec.calls", .count_max = 64, .text = check_name},
    Rule{.field = "FunctionSpec.body_bytes_max", .min = 0, .max = 1LL << 40},
    Rule{.field = "FunctionSpec.breakers", .count_max = 64},
    Rule{.field = "FunctionSpec.triggers", .count_max = 32},
    Rule{.field = "FunctionSpec.config", .count_max = 16},
    Rule{.field = "FunctionSpec.secrets", .count_max = 16},
    Rule{.field = "GivenObject.name", .required = true, .text = check_name},
    Rule{.field = "GivenObject.key", .text = check_key},
    Rule{.field = "GivenObject.env", .text = check_variable},
    Rule{.field = "GivenObject.path", .text = check_folder},
    Rule{.field = "Route.path", .required = true, .text = check_route},
    Rule{.field = "Scaling.min", .min = 0, .max = 1000},
    Rule{.field = "Scaling.max", .min = 1, .max = 1000},
    Rule{.field = "Scaling.idle_ms", .min = 0, .max = kDayMs},
    Rule{.field = "Scaling.queue_limit", .min = 0, .max = 100'000},
    Rule{.field = "Scaling.in_flight_max", .min = 0, .max = 100'000},
    Rule{.field = "Scaling.weight", .min = 1, .max = 1000},
    Rule{.field = "Knative.target", .min = 1, .max = 1000, .default_of = "spec.concurrency"},
    Rule{.field = "Knative.target_utilization", .min = 1, .max = 100},
    Rule{.field = "Knative.stable_window_ms", .min = 6'000, .max = kHourMs},
    Rule{.field = "Knative.panic_window_percentage", .min = 1, .max = 100},
    Rule{.field = "Knative.panic_threshold_percentage", .min = 110, .max = 1000},
    Rule{.field = "Knative.scale_to_zero_grace_ms", .min = 0, .max = kHourMs},
    Rule{.field = "Knative.scale_down_delay_ms", .min = 0, .max = kHourMs},
    Rule{.field = "Knative.max_scale_up_rate", .min = 2, .max = 1'000'000},
    Rule{.field = "Knative.max_scale_down_rate", .min = 2, .max = 1'000'000},
    Rule{.field = "Knative.initial_scale", .min = 0, .max = 1000},
    Rule{.field = "Knative.activation_scale", .min = 1, .max = 1000},
    Rule{.field = "Knative.target_burst_capacity", .min = -1, .max = 1'000'000},
    Rule{.field = "Rollout.max_surge", .text = check_pods_or_percent},
    Rule{.field = "Rollout.max_unavailable", .text = check_pods_or_percent},
    Rule{.field = "Rollout.revisions_kept", .min = 0, .max = 100},
    Rule{.field = "Resources.memory_bytes", .min = 4 << 20, .max = 64LL << 30},
    Rule{.field = "Resources.cpu_millicores", .min = 10, .max = 64'000, .zero_allowed = true},
    Rule{.field = "Resources.pids", .min = 1, .max = 4096},
    Rule{.field = "Binding.name", .required = true, .text = check_name},
    Rule{.field = "TcpBinding.address", .required = true, .text = check_address},
    Rule{.field = "RedisBinding.key_prefix", .text = check_key_prefix},
    Rule{.field = "Breaker.call", .required = true, .text = check_name},
    Rule{.field = "Breaker.failures", .min = 1, .max = 10'000},
    Rule{.field = "Breaker.failure_rate", .min = 1, .max = 100},
    Rule{.field = "Breaker.window_ms", .min = 100, .max = kHourMs},
    Rule{.field = "Breaker.open_ms", .min = 10, .max = kHourMs},
    Rule{.field = "Breaker.probes", .min = 1, .max = 100},
    Rule{.field = "Breaker.slow_ms", .min = 0, .max = 900'000},
    Rule{.field = "Trigger.name", .required = true, .text = check_name},
    Rule{.field = "Trigger.path", .required = true, .text = check_path},
    Rule{.field = "Trigger.deliveries", .min = 0, .max = 1000},
    Rule{.field = "Trigger.binding", .text = check_name},
    Rule{.field = "StreamTrigger.of", .text = check_name},
    Rule{.field = "StreamTrigger.key", .required = true, .text = check_redis_key},
    Rule{.field = "StreamTrigger.in_flight", .min = 1, .max = 100},
    Rule{.field = "StreamTrigger.batch", .min = 1, .max = 100},
    Rule{.field = "ScheduleTrigger.cron", .required = true, .text = check_cron},
    Rule{.field = "DueTrigger.key", .required = true, .text = check_redis_key},
    Rule{.field = "DueTrigger.in_flight", .min = 1, .max = 100},
};

bool ends_with(std::string_view text, std::string_view end) {
  return text.size() > end.size() && text.substr(text.size() - end.size()) == end;
}

// The field's name without its unit.
std::string without_unit(std::string name) {
  for (const std::string_view unit : {"_ms", "_bytes", "_millicores"}) {
    if (ends_with(name, unit)) return name.substr(0, name.size() - unit.size());
  }
  if (ends_with(name, "_bytes_max")) return name.substr(0, name.size() - 10) + "_max";
  return name;
}

}  // namespace

bool is_key(std::string_view text) {
  return !text.empty() && text.size() <= kKeyBytesMax && text != "." && text != ".." &&
         std::all_of(text.begin(), text.end(), is_word);
}

bool is_variable_name(std::string_view text) {
  return !text.empty() && text.size() <= kKeyBytesMax && !is_digit(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return is_lower(c) || is_upper(c) || is_digit(c) || c == '_'; });
}

std::optional<std::string> check_name(std::string_view name) {
  const bool right = !name.empty() && name.size() <= kNameBytesMax && is_lower(name.front()) &&
                     name.back() != '-' && std::all_of(name.begin(), name.end(), [](char c) {
                       return is_lower(c) || is_digit(c) || c == '-';
                     });
  if (right) return std::nullopt;
  return "is '" + std::string(name.substr(0, 2 * kNameBytesMax)) +
         "', allowed are lower-case letters, digits and '-', at most 40, beginning with a letter "
         "and not ending with '-'";
}

std::string user_name(const Field& field) {
  std::string name;
  bool up = false;
  for (const char c : without_unit(field.name())) {
    if (c == '_') {
      up = true;
      continue;
    }
    name += up ? upper(c) : c;
    up = false;
  }
  return name;
}

std::vector<std::string> user_names(const google::protobuf::Descriptor& message) {
  std::vector<std::string> names;
  for (int i = 0; i < message.field_count(); ++i) names.push_back(user_name(*message.field(i)));
  return names;
}

const Field* find_field(const google::protobuf::Descriptor& message, std::string_view name) {
  for (int i = 0; i < message.field_count(); ++i) {
    if (user_name(*message.field(i)) == name) return message.field(i);
  }
  return nullptr;
}

Form form_of(const Field& field) {
  if (field.is_map()) return Form::kTextMap;
  switch (field.cpp_type()) {
    case Field::CPPTYPE_STRING:
      return Form::kText;
    case Field::CPPTYPE_BOOL:
      return Form::kBool;
    case Field::CPPTYPE_ENUM:
      return Form::kChoice;
    case Field::CPPTYPE_MESSAGE:
      return Form::kMessage;
    default:
      break;
  }
  if (ends_with(field.name(), "_ms")) return Form::kDuration;
  if (ends_with(field.name(), "_millicores")) return Form::kCpu;
  if (ends_with(field.name(), "_bytes") || ends_with(field.name(), "_bytes_max"))
    return Form::kSize;
  return Form::kInteger;
}

const Rule& rule_of(const Field& field) {
  static const Rule kNone{};
  const std::string name = field.containing_type()->name() + "." + field.name();
  const auto found = std::find_if(kRules.begin(), kRules.end(),
                                  [&](const Rule& rule) { return rule.field == name; });
  return found == kRules.end() ? kNone : *found;
}

std::vector<Rule> all_rules() {
  return {kRules.begin(), kRules.end()};
}

std::string format_number(Form form, std::int64_t value) {
  switch (form) {
    case Form::kDuration:
      return format_duration_ms(value);
    case Form::kSize:
      return format_size_bytes(value);
    case Form::kCpu:
      return format_cpu_millicores(value);
    default:
      return std::to_string(value);
  }
}

}  // namespace subito::manifest
