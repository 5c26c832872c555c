#include "functions/shop/delivered.h"

#include <cstdint>
#include <optional>

#include "functions/shop/json.h"

namespace shop {
namespace {

using subito::HttpError;
using subito::Request;

constexpr std::string_view kBatchType = "application/cloudevents-batch+json";
constexpr std::size_t kEntryIdBytesMax = 30;

[[noreturn]] void bad_event(const char* detail) {
  throw HttpError(400, "bad-event", detail);
}

// "1764146351000-0", as Redis names the entries of a stream.
bool is_entry_id(std::string_view text) {
  const std::size_t dash = text.find('-');
  return dash != text.npos && dash > 0 && dash + 1 < text.size() &&
         text.size() <= kEntryIdBytesMax && text.find_first_not_of("0123456789-") == text.npos &&
         text.find('-', dash + 1) == text.npos;
}

int digit_of(char c) {
  if (c >= 'A' && c <= 'Z') return c - 'A';
  if (c >= 'a' && c <= 'z') return c - 'a' + 26;
  if (c >= '0' && c <= '9') return c - '0' + 52;
  return c == '+' ? 62 : c == '/' ? 63 : -1;
}

std::optional<std::string> bytes_of_base64(std::string_view text) {
  if (text.size() % 4 != 0) return std::nullopt;
  const std::size_t digits = text.size() - (text.ends_with("==") ? 2 : text.ends_with('=') ? 1 : 0);
  std::string bytes;
  bytes.reserve(digits * 3 / 4);
  std::uint32_t bits = 0;
  for (std::size_t i = 0; i < digits; ++i) {
    const int digit = digit_of(text[i]);
    if (digit < 0) return std::nullopt;
    bits = bits << 6 | static_cast<std::uint32_t>(digit);
    // The second, third and fourth digit of four each end a byte.
    if (i % 4 != 0) bytes += static_cast<char>(bits >> (6 - 2 * (i % 4)));
  }
  return bytes;
}

Delivered delivered_of(const Json& one) {
  const auto data = bytes_of_base64(text_of(one, "data_base64"));
  if (!data) bad_event("\"data_base64\" is no base64");
  return {text_of(one, "id"), {text_of(one, "type"), *data}};
}

}  // namespace

std::vector<Delivered> delivered_events(const Request& request) {
  std::vector<Delivered> delivered;
  if (request.header("content-type") == kBatchType) {
    const Json batch = Json::parse(request.body(), nullptr, false);
    if (!batch.is_array()) bad_event("a batch of events is a JSON array");
    for (const Json& one : batch) delivered.push_back(delivered_of(one));
  } else {
    delivered.push_back({std::string(request.header("ce-id").value_or("")),
                         {std::string(request.header("ce-type").value_or("")), request.body()}});
  }
  for (const Delivered& one : delivered) {
    if (!is_entry_id(one.id)) bad_event("the id of an event is that of a stream's entry");
  }
  return delivered;
}

subito::Response all_but(const std::vector<std::string>& failed) {
  std::string ids;
  for (const std::string& id : failed) ids.append(ids.empty() ? "" : ", ").append(id);
  subito::Response response(204);
  if (!ids.empty()) response.header("subito-failed", ids);
  return response;
}

}  // namespace shop
