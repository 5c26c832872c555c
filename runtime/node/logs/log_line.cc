#include "runtime/node/logs/log_line.h"

#include <algorithm>
#include <array>
#include <nlohmann/json.hpp>

#include "deploy/api/time_text.h"
#include "deploy/api/views.h"

namespace subito::node {
namespace {

using LineJson = nlohmann::ordered_json;

// "": it is not there, or no text.
std::string text_at(const LineJson& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_string() ? it->get<std::string>() : std::string();
}

std::uint64_t number_at(const LineJson& json, const char* key) {
  const auto it = json.find(key);
  return it != json.end() && it->is_number_unsigned() ? it->get<std::uint64_t>() : 0;
}

template <typename Value, std::size_t N>
Value named(const std::string& name, const std::array<Value, N>& values, Value otherwise) {
  const auto found = std::find_if(values.begin(), values.end(),
                                  [&](Value value) { return api::to_string(value) == name; });
  return found == values.end() ? otherwise : *found;
}

constexpr std::array kLevels = {api::LogLevel::kDebug, api::LogLevel::kInfo,
                                api::LogLevel::kWarning, api::LogLevel::kError};
constexpr std::array kStreams = {api::LogStream::kSdk, api::LogStream::kStdout,
                                 api::LogStream::kSystem};

}  // namespace

std::string to_line(const NumberedRecord& numbered) {
  return "{\"n\":" + std::to_string(numbered.number) + "," +
         api::to_json(numbered.record).substr(1) + "\n";
}

std::optional<NumberedRecord> parse_line(std::string_view line) {
  const LineJson json = LineJson::parse(line, nullptr, false);
  if (!json.is_object()) return std::nullopt;
  const auto time = api::parse_time(text_at(json, "time"));
  if (!time) return std::nullopt;
  NumberedRecord numbered;
  numbered.number = number_at(json, "n");
  api::LogRecord& record = numbered.record;
  record.unix_ns = *time;
  record.function = text_at(json, "function");
  record.pod = text_at(json, "pod");
  record.level = named(text_at(json, "level"), kLevels, api::LogLevel::kInfo);
  record.stream = named(text_at(json, "stream"), kStreams, api::LogStream::kSdk);
  record.message = text_at(json, "message");
  record.revision = number_at(json, "revision");
  record.request_id = text_at(json, "requestId");
  record.trace_id = text_at(json, "traceId");
  if (const auto fields = json.find("fields"); fields != json.end())
    record.fields_json = fields->dump();
  return numbered;
}

}  // namespace subito::node
