#include "runtime/node/triggers/occurrence.h"

#include <algorithm>
#include <charconv>
#include <set>

#include "runtime/base/time.h"
#include "runtime/http/path.h"

namespace subito::node {
namespace {

// The year 2262: its nanoseconds fit 64 bits.
constexpr std::int64_t kLatestMs = 9'223'372'036'000;
constexpr char kUntypedEntry[] = "subito.stream";
constexpr char kEntryContentType[] = "application/protobuf";

bool is_attribute_name(std::string_view name) {
  // Those that say something else than a field of an entry could.
  static const std::set<std::string_view> kReserved = {"id",   "source",          "specversion",
                                                       "time", "datacontenttype", "dataschema"};
  return !name.empty() && name.size() <= kAttributeNameBytesMax && !kReserved.contains(name) &&
         std::all_of(name.begin(), name.end(),
                     [](char c) { return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'); });
}

}  // namespace

std::int64_t entry_unix_ms(std::string_view id) {
  std::int64_t milliseconds = 0;
  std::from_chars(id.data(), id.data() + id.size(), milliseconds);
  return milliseconds;
}

std::string encoded_attribute(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (byte > 0x20 && byte < 0x7f && c != '"' && c != '%') {
      out += c;
    } else {
      http::append_escape(out, c);
    }
  }
  return out;
}

Occurrence occurrence_of_entry(std::string key, std::string id,
                               std::vector<std::pair<std::string, std::string>> fields) {
  Occurrence out;
  out.source = "/streams/" + std::move(key);
  out.unix_ms = entry_unix_ms(id);
  out.id = std::move(id);
  out.type = kUntypedEntry;
  out.content_type = kEntryContentType;
  for (auto& [name, value] : fields) {
    const bool fits = value.size() <= kAttributeValueBytesMax;
    if (name == "data") {
      out.data = std::move(value);
    } else if (name == "type" && fits) {
      out.type = std::move(value);
    } else if (name == "content-type" && fits) {
      out.content_type = std::move(value);
    } else if (name == "subject" && fits) {
      out.subject = std::move(value);
    } else if (is_attribute_name(name) && fits && out.attributes.size() < kAttributesMax) {
      out.attributes.emplace_back(std::move(name), std::move(value));
    }
  }
  return out;
}

Invocation invocation_of(const Occurrence& occurrence, const std::string& path,
                         std::uint32_t delivery) {
  Invocation invocation;
  invocation.method = "POST";
  invocation.path = path;
  char time[kRfc3339Size];
  format_rfc3339(std::clamp<std::int64_t>(occurrence.unix_ms, 0, kLatestMs) * 1'000'000, time);
  http::Fields& fields = invocation.fields;
  fields = {{"ce-specversion", "1.0"},
            {"ce-id", encoded_attribute(occurrence.id)},
            {"ce-source", encoded_attribute(occurrence.source)},
            {"ce-type", encoded_attribute(occurrence.type)},
            {"ce-time", time},
            {std::string(kDeliveryField), std::to_string(delivery)}};
  if (!occurrence.subject.empty())
    fields.emplace_back("ce-subject", encoded_attribute(occurrence.subject));
  if (!occurrence.data.empty())
    fields.emplace_back("content-type", encoded_attribute(occurrence.content_type));
  for (const auto& [name, value] : occurrence.attributes)
    fields.emplace_back("ce-" + name, encoded_attribute(value));
  invocation.content_length = occurrence.data.size();
  invocation.body_follows = !occurrence.data.empty();
  return invocation;
}

}  // namespace subito::node
