// JSON out: JsonWriter, which writes money and 64-bit integers exactly. JSON in: nlohmann-json,
// with what is not JSON turned into an answer of 400. Pure.
#pragma once

#include <subito/function.h>

#include <cstdint>
#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace shop {

using Json = nlohmann::json;

// The bodies that the shop's functions take are small.
constexpr std::size_t kBodyBytesMax = 64 << 10;

// Throws HttpError 413 over kBodyBytesMax, 400 "bad-json" for what is no JSON object.
Json read_object(const subito::Request& request);

// The answer of another function; discarded (is_discarded()) when it is no JSON.
Json read_answer(const subito::Response& response);

// A member of an object, or null when it is not there or the value is no object.
const Json& member(const Json& object, const char* name);
const Json& member(Json&& object, const char* name) = delete;  // it would dangle

// The text of a member, "" when there is none.
std::string text_of(const Json& object, const char* name);

class JsonWriter {
 public:
  JsonWriter& open_object() { return open('{'); }
  JsonWriter& close_object() { return close('}'); }
  JsonWriter& open_array() { return open('['); }
  JsonWriter& close_array() { return close(']'); }
  JsonWriter& key(std::string_view name);
  JsonWriter& text(std::string_view value);  // bytes that are not UTF-8 become U+FFFD
  JsonWriter& integer(std::int64_t value) { return raw(std::to_string(value)); }
  JsonWriter& boolean(bool value) { return raw(value ? "true" : "false"); }
  JsonWriter& null() { return raw("null"); }
  JsonWriter& money(std::int64_t minor);  // as a decimal number
  // The document, with a final newline.
  std::string take();

 private:
  JsonWriter& open(char bracket);
  JsonWriter& close(char bracket);
  JsonWriter& raw(std::string_view value);
  void separate();

  std::string out_;
  bool comma_ = false;  // a value stands before, in the same object or array
};

}  // namespace shop
