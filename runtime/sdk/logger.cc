#include "runtime/sdk/logger.h"

#include <algorithm>

#include "runtime/base/time.h"
#include "runtime/sdk/text.h"

namespace subito::sdk {

std::string fields_as_json(Logger::Fields fields) {
  std::string out;
  for (const auto& [name, value] : fields) {
    std::string field(1, out.empty() ? '{' : ',');
    append_json_string(field, name);
    field += ':';
    append_json_string(field, value);
    if (out.size() + field.size() < kLogFieldsBytesMax) out += field;
  }
  if (!out.empty()) out += '}';
  return out;
}

std::string_view level_name(int level) {
  static constexpr std::string_view kNames[] = {"debug", "info", "warning", "error"};
  return kNames[std::clamp(level, 0, 3)];
}

std::string as_json_line(int level, std::string_view message, std::string_view fields_json,
                         std::string_view request_id) {
  char time[kRfc3339Size];
  format_rfc3339(wall_clock_nanoseconds(), time);
  std::string line = "{\"time\":\"" + std::string(time) + "\",\"level\":\"";
  line += level_name(level);
  line += "\",\"message\":";
  append_json_string(line, message.substr(0, kLogMessageBytesMax));
  if (!request_id.empty()) {
    line += ",\"request_id\":";
    append_json_string(line, request_id);
  }
  if (fields_json.size() > 2) {
    line += ',';
    line += fields_json.substr(1, fields_json.size() - 2);
  }
  return line + "}\n";
}

}  // namespace subito::sdk
