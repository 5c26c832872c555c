#include "runtime/http/cloud_event.h"

#include <algorithm>
#include <string_view>

#include "runtime/base/time.h"
#include "runtime/http/path.h"
#include "runtime/http/problem.h"

namespace subito::http {
namespace {

// The year 2262: its nanoseconds fit 64 bits.
constexpr std::int64_t kLatestMs = 9'223'372'036'000;
constexpr char kUntypedEntry[] = "subito.stream";
constexpr char kEntryContentType[] = "application/protobuf";
constexpr char kDueType[] = "subito.due";

bool is_attribute_name(std::string_view name) {
  // Those that say something else than a field of an entry could.
  for (const auto reserved :
       {"id", "source", "specversion", "time", "datacontenttype", "dataschema"}) {
    if (name == reserved) return false;
  }
  return !name.empty() && name.size() <= kAttributeNameBytesMax &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

// As the binding says, 3.1.3.2.
std::string encoded_attribute(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c > ' ' && c <= '~' && c != '"' && c != '%') {
      out += c;
    } else {
      append_escape(out, c);
    }
  }
  return out;
}

struct TimeText {
  char text[kRfc3339Size];
};

TimeText time_text(std::int64_t unix_ms) {
  TimeText time;
  format_rfc3339(std::clamp<std::int64_t>(unix_ms, 0, kLatestMs) * 1'000'000, time.text);
  return time;
}

void append_base64(std::string& out, std::string_view bytes) {
  constexpr std::string_view kDigits =
      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
  for (std::size_t i = 0; i < bytes.size(); i += 3) {
    const std::string_view part = bytes.substr(i, 3);
    std::uint32_t bits = 0;
    for (std::size_t n = 0; n < 3; ++n) {
      bits = bits << 8 | (n < part.size() ? static_cast<unsigned char>(part[n]) : 0U);
    }
    for (std::size_t n = 0; n < 4; ++n) {
      out += n <= part.size() ? kDigits[(bits >> (18 - 6 * n)) & 63] : '=';
    }
  }
}

void append_member(std::string& out, std::string_view name, std::string_view value) {
  out.append(out.back() == '{' ? "\"" : ",\"").append(name).append("\":");
  append_json_string(out, value);
}

}  // namespace

CloudEvent event_of_entry(const std::string& key, std::string id,
                          std::vector<std::pair<std::string, std::string>> fields) {
  CloudEvent event;
  event.source = "/streams/" + key;
  event.id = std::move(id);
  event.type = kUntypedEntry;
  event.content_type = kEntryContentType;
  for (auto& [name, value] : fields) {
    const bool fits = value.size() <= kAttributeValueBytesMax;
    if (name == "data") {
      event.data = std::move(value);
    } else if (name == "type" && fits) {
      event.type = std::move(value);
    } else if (name == "content-type" && fits) {
      event.content_type = std::move(value);
    } else if (name == "subject" && fits) {
      event.subject = std::move(value);
    } else if (is_attribute_name(name) && fits && event.attributes.size() < kAttributesMax) {
      event.attributes.emplace_back(std::move(name), std::move(value));
    }
  }
  return event;
}

CloudEvent event_of_due(const std::string& key, std::string id, std::string member) {
  CloudEvent event;
  event.id = std::move(id);
  event.source = "/due/" + key;
  event.type = kDueType;
  event.subject = std::move(member);
  return event;
}

Fields fields_of(const CloudEvent& event) {
  Fields fields = {{"ce-specversion", "1.0"},
                   {"ce-id", encoded_attribute(event.id)},
                   {"ce-source", encoded_attribute(event.source)},
                   {"ce-type", encoded_attribute(event.type)},
                   {"ce-time", time_text(event.unix_ms).text}};
  if (!event.subject.empty()) fields.emplace_back("ce-subject", encoded_attribute(event.subject));
  if (!event.data.empty())
    fields.emplace_back("content-type", encoded_attribute(event.content_type));
  for (const auto& [name, value] : event.attributes)
    fields.emplace_back("ce-" + name, encoded_attribute(value));
  return fields;
}

std::string batch_of(const std::vector<CloudEvent>& events) {
  std::string out = "[";
  for (const CloudEvent& event : events) {
    out += out.size() > 1 ? ",\n{" : "{";
    append_member(out, "specversion", "1.0");
    append_member(out, "id", event.id);
    append_member(out, "source", event.source);
    append_member(out, "type", event.type);
    append_member(out, "time", time_text(event.unix_ms).text);
    if (!event.subject.empty()) append_member(out, "subject", event.subject);
    for (const auto& [name, value] : event.attributes) append_member(out, name, value);
    if (!event.data.empty()) {
      append_member(out, "datacontenttype", event.content_type);
      out += ",\"data_base64\":\"";
      append_base64(out, event.data);
      out += '"';
    }
    out += '}';
  }
  return out + "]\n";
}

}  // namespace subito::http
