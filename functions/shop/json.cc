#include "functions/shop/json.h"

#include "functions/shop/money.h"

namespace shop {

Json read_object(const subito::Request& request) {
  const std::string& body = request.body();
  if (body.size() > kBodyBytesMax) {
    throw subito::HttpError(413, "body-too-large", "the body is over 65536 bytes");
  }
  try {
    Json json = Json::parse(body);
    if (json.is_object()) return json;
  } catch (const Json::parse_error& error) {
    throw subito::HttpError(
        400, "bad-json",
        "the body is no JSON: it breaks off or goes wrong at byte " + std::to_string(error.byte));
  }
  throw subito::HttpError(400, "bad-json", "the body is no JSON object");
}

Json read_answer(const subito::Response& response) {
  return Json::parse(response.body(), nullptr, false);
}

const Json& member(const Json& object, const char* name) {
  static const Json kNull;
  if (!object.is_object()) return kNull;
  const auto found = object.find(name);
  return found == object.end() ? kNull : *found;
}

std::string text_of(const Json& object, const char* name) {
  const Json& value = member(object, name);
  return value.is_string() ? value.get<std::string>() : std::string();
}

void JsonWriter::separate() {
  if (comma_) out_ += ',';
  comma_ = true;
}

JsonWriter& JsonWriter::open(char bracket) {
  separate();
  out_ += bracket;
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::close(char bracket) {
  out_ += bracket;
  comma_ = true;
  return *this;
}

JsonWriter& JsonWriter::raw(std::string_view value) {
  separate();
  out_ += value;
  return *this;
}

JsonWriter& JsonWriter::key(std::string_view name) {
  text(name);
  out_ += ':';
  comma_ = false;
  return *this;
}

JsonWriter& JsonWriter::text(std::string_view value) {
  return raw(subito::json_string(value));
}

JsonWriter& JsonWriter::money(std::int64_t minor) {
  return raw(decimal(minor));
}

std::string JsonWriter::take() {
  out_ += '\n';
  comma_ = false;
  return std::exchange(out_, {});
}

}  // namespace shop
