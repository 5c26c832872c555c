// Rules: how each field of function.proto is written and what it may hold. The shape comes from
// the descriptor (a new field is read without a line here); a rule narrows it. Pure.
#pragma once

#include <google/protobuf/descriptor.h>

#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace subito::manifest {

inline constexpr std::size_t kNameBytesMax = 40;
inline constexpr std::size_t kTextBytesMax = 64 << 10;  // of any one string
inline constexpr std::size_t kCountMax = 1000;          // of any list or map without a rule

// How a value is written, told from the type and from the unit at the end of the field's name.
enum class Form : std::uint8_t {
  kText,
  kBool,
  kInteger,
  kDuration,  // _ms
  kSize,      // _bytes, _bytes_max
  kCpu,       // _millicores
  kChoice,    // an enum, in lower case
  kMessage,
  kTextMap,  // map<string, string>
};

// What is wrong with a text, as it stands behind "field: ", or nothing.
using TextCheck = std::optional<std::string> (*)(std::string_view text);

struct Rule {
  std::string_view field;  // "Scaling.min": message and field as in function.proto
  bool required = false;
  std::int64_t min = std::numeric_limits<std::int64_t>::min();
  std::int64_t max = std::numeric_limits<std::int64_t>::max();
  bool zero_allowed = false;          // besides [min, max]
  std::string_view default_of = {};   // without a value it has that of this field
  std::size_t count_max = kCountMax;  // lists and maps
  TextCheck text = nullptr;           // texts, elements of lists of texts, values of maps
  TextCheck key = nullptr;            // keys of maps
};

using Field = google::protobuf::FieldDescriptor;

// "memory_bytes" is written "memory", "body_bytes_max" "bodyMax", "queue_limit" "queueLimit".
std::string user_name(const Field& field);
std::vector<std::string> user_names(const google::protobuf::Descriptor& message);
const Field* find_field(const google::protobuf::Descriptor& message, std::string_view user_name);
Form form_of(const Field& field);
const Rule& rule_of(const Field& field);
// An integer as its form is written: 30000 of a _ms field is "30s".
std::string format_number(Form form, std::int64_t value);
// Every rule of the table, for the test that each belongs to a field.
std::vector<Rule> all_rules();

// Of a setting, a config object or a secret: letters, digits, '_', '-' and '.'; neither "." nor
// "..".
inline constexpr std::size_t kKeyBytesMax = 128;
bool is_key(std::string_view text);
// That an environment variable can have.
bool is_variable_name(std::string_view text);

// "catalogue": lower-case letters, digits and '-', beginning with a letter.
std::optional<std::string> check_name(std::string_view name);

}  // namespace subito::manifest
