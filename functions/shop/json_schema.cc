#include "functions/shop/json_schema.h"

#include <algorithm>
#include <map>
#include <mutex>
#include <regex>
#include <set>
#include <string_view>

namespace shop {
namespace {

// One value at one place, with the schema that it must match.
struct Place {
  const Json& value;
  const Json& schema;
  const Json& document;
  std::string at;

  std::string fault(const std::string& what) const { return (at.empty() ? "/" : at) + ": " + what; }
  Place inner(const Json& part, const Json& of_part, const std::string& name) const {
    return {part, of_part, document, at + "/" + name};
  }
};

std::string check(const Place& place);

bool is_of_type(const Json& value, const std::string& type) {
  if (type == "object") return value.is_object();
  if (type == "array") return value.is_array();
  if (type == "string") return value.is_string();
  if (type == "integer") return value.is_number_integer();
  if (type == "number") return value.is_number();
  if (type == "boolean") return value.is_boolean();
  return type == "null" && value.is_null();
}

std::string check_type(const Place& place, const Json& given) {
  const Json types = given.is_array() ? given : Json::array({given});
  const bool fits = std::any_of(types.begin(), types.end(), [&](const Json& type) {
    return is_of_type(place.value, type.get<std::string>());
  });
  return fits ? "" : place.fault(place.value.dump() + " is no " + given.dump());
}

std::string check_reference(const Place& place, const Json& given) {
  const auto pointer = given.get<std::string>().substr(1);  // behind "#"
  return check(
      {place.value, place.document.at(Json::json_pointer(pointer)), place.document, place.at});
}

std::string check_enum(const Place& place, const Json& given) {
  const bool known = std::find(given.begin(), given.end(), place.value) != given.end();
  return known ? "" : place.fault(place.value.dump() + " is none of " + given.dump());
}

std::string check_const(const Place& place, const Json& given) {
  return place.value == given ? "" : place.fault(place.value.dump() + " is not " + given.dump());
}

std::string check_one_of(const Place& place, const Json& given) {
  std::string faults;
  int matching = 0;
  for (const Json& schema : given) {
    const std::string fault = check({place.value, schema, place.document, place.at});
    matching += fault.empty() ? 1 : 0;
    faults += " (" + fault + ")";
  }
  if (matching == 1) return "";
  return place.fault("matches " + std::to_string(matching) + " schemas, not one" + faults);
}

// Compiled once each and one at a time: libstdc++ compiles with a cache in the locale that several
// threads write unguarded. A compiled one may be used by all.
const std::regex& compiled(const std::string& pattern) {
  static std::mutex mutex;
  static std::map<std::string, std::regex> known;
  const std::lock_guard lock(mutex);
  return known.try_emplace(pattern, pattern, std::regex::ECMAScript).first->second;
}

std::string check_pattern(const Place& place, const Json& given) {
  if (!place.value.is_string()) return "";
  const bool fits =
      std::regex_search(place.value.get<std::string>(), compiled(given.get<std::string>()));
  return fits ? "" : place.fault(place.value.dump() + " does not match " + given.dump());
}

// Of a number its value, of a text its length in bytes (the shop's limits count bytes), of an array
// its size.
std::string check_least(const Place& place, double size, const Json& given) {
  return size >= given.get<double>()
             ? ""
             : place.fault(place.value.dump() + " is under " + given.dump());
}

std::string check_most(const Place& place, double size, const Json& given) {
  return size <= given.get<double>() ? ""
                                     : place.fault(place.value.dump() + " is over " + given.dump());
}

double size_of(const Json& value) {
  return static_cast<double>(value.is_string() ? value.get_ref<const std::string&>().size()
                                               : value.size());
}

std::string check_minimum(const Place& place, const Json& given) {
  return place.value.is_number() ? check_least(place, place.value.get<double>(), given) : "";
}
std::string check_maximum(const Place& place, const Json& given) {
  return place.value.is_number() ? check_most(place, place.value.get<double>(), given) : "";
}
std::string check_min_length(const Place& place, const Json& given) {
  return place.value.is_string() ? check_least(place, size_of(place.value), given) : "";
}
std::string check_max_length(const Place& place, const Json& given) {
  return place.value.is_string() ? check_most(place, size_of(place.value), given) : "";
}
std::string check_min_items(const Place& place, const Json& given) {
  return place.value.is_array() ? check_least(place, size_of(place.value), given) : "";
}
std::string check_max_items(const Place& place, const Json& given) {
  return place.value.is_array() ? check_most(place, size_of(place.value), given) : "";
}

std::string check_items(const Place& place, const Json& given) {
  if (!place.value.is_array()) return "";
  std::size_t index = 0;
  for (const Json& item : place.value) {
    const std::string fault = check(place.inner(item, given, std::to_string(index++)));
    if (!fault.empty()) return fault;
  }
  return "";
}

std::string check_required(const Place& place, const Json& given) {
  if (!place.value.is_object()) return "";
  for (const Json& name : given) {
    if (!place.value.contains(name.get<std::string>())) {
      return place.fault(name.dump() + " is missing");
    }
  }
  return "";
}

std::string check_properties(const Place& place, const Json& given) {
  if (!place.value.is_object()) return "";
  for (const auto& [name, schema] : given.items()) {
    if (!place.value.contains(name)) continue;
    const std::string fault = check(place.inner(place.value.at(name), schema, name));
    if (!fault.empty()) return fault;
  }
  return "";
}

std::string check_additional(const Place& place, const Json& given) {
  if (!place.value.is_object() || given == Json(true)) return "";
  const Json& known = member(place.schema, "properties");
  for (const auto& [name, value] : place.value.items()) {
    if (known.contains(name)) continue;
    if (given.is_boolean()) return place.fault("\"" + name + "\" is not documented");
    const std::string fault = check(place.inner(value, given, name));
    if (!fault.empty()) return fault;
  }
  return "";
}

using Rule = std::string (*)(const Place&, const Json& given);

const std::map<std::string_view, Rule>& rules() {
  static const std::map<std::string_view, Rule> kRules = {
      {"$ref", check_reference},
      {"type", check_type},
      {"enum", check_enum},
      {"const", check_const},
      {"oneOf", check_one_of},
      {"pattern", check_pattern},
      {"minLength", check_min_length},
      {"maxLength", check_max_length},
      {"minimum", check_minimum},
      {"maximum", check_maximum},
      {"items", check_items},
      {"minItems", check_min_items},
      {"maxItems", check_max_items},
      {"required", check_required},
      {"properties", check_properties},
      {"additionalProperties", check_additional},
  };
  return kRules;
}

bool only_describes(const std::string& keyword) {
  static const std::set<std::string> kWords = {"title",    "description", "format",
                                               "examples", "default",     "deprecated"};
  return kWords.contains(keyword);
}

std::string check(const Place& place) {
  for (const auto& [keyword, given] : place.schema.items()) {
    if (only_describes(keyword)) continue;
    const auto rule = rules().find(keyword);
    if (rule == rules().end()) return place.fault("nobody checks \"" + keyword + "\"");
    const std::string fault = rule->second(place, given);
    if (!fault.empty()) return fault;
  }
  return "";
}

}  // namespace

std::string schema_fault(const Json& value, const Json& schema, const Json& document) {
  return check({value, schema, document, ""});
}

}  // namespace shop
